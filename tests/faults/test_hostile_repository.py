"""A stranger's repository: nothing of it runs but what the user names, nothing outside it changes.

Every command of bubble, each hint that it prints, the shims, and `cd` with the hook.
"""

from __future__ import annotations

import os
import shutil

import pytest

from bubble.cli.table import COMMANDS
from bubble.system.layout import MARK
from support.figures import caught, record
from support.hostile_repository import MARKS, PINS, VENVS, Kind
from support.hostile_user import World, command_lines, steps
from support.needs import FULL
from support.sessions import EACH, Session
from support.shimworld import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHARES = 6
# what says by itself that a directory is the user's: what follows is their own affair
TRUSTING = {"adopt", "repair"}  # with its name: plain `repair` trusts what the store knows alone
# where most is decided: tried with more kinds
DECIDING = {"create", "run", "exec", "doctor", "repair", "clone", "remove"}


def kind(number: int) -> Kind:
    """Return one of the repositories; each mark, environment and version file comes in turn."""
    return Kind(
        mark=MARKS[number % len(MARKS)],
        venv=VENVS[number % len(VENVS)],
        pin=PINS[number % len(PINS)],
    )


def kinds(number: int, words: tuple[str, ...]) -> list[Kind]:
    """Return the repositories in which a command line is used."""
    each = [kind(number + 97 * n) for n in range(6 if FULL else 1)]
    if words[0] in DECIDING:
        each += [
            Kind(venv="none"),
            Kind(mark="stolen", venv="store"),
            Kind(mark="stolen adopted", venv="script"),
            Kind(mark="none", venv="link to another"),
        ]
    return each


def attack(world: World, words: tuple[str, ...], one: Kind, cwd: str) -> list[str]:
    """Use one command, what it says is to be done, and the shims; return what was wrong."""
    world.ship(one)
    faults = []
    done = []
    for now in world.use(*words, cwd=cwd):
        done.append(" ".join(now))
        if not os.path.isdir(cwd):
            os.makedirs(cwd)
        trusting = now[0] in TRUSTING and len(now) > 1
        if not trusting or now != words:
            world.try_shims(cwd, all_of_them=trusting)
        faults += [f"{one}, in {cwd}, {' → '.join(done)}: {fault}" for fault in world.harm()]
        if trusting:
            return faults
    world.try_shims(cwd)
    return faults + [f"{one}, in {cwd}, after {words}: {fault}" for fault in world.harm()]


@pytest.mark.parametrize("share", range(SHARES))
def test_no_command_and_no_hint_lets_anything_of_a_repository_run(
    tmp_path: Path, env: dict[str, str], share: int
) -> None:
    world = World(tmp_path, env)
    each = command_lines(world)
    assert each.keys() == COMMANDS.keys()
    lines = [words for many in each.values() for words in many]
    tried = 0
    faults: list[str] = []
    for number, words in list(enumerate(lines))[share::SHARES]:
        for n, one in enumerate(kinds(number, words)):
            cwd = world.clone if (number + n) % 2 else f"{world.clone}/below/deeper"
            faults += attack(world, words, one, cwd)
            tried += 1
    assert not faults, "\n".join(faults)
    record(
        "uses of a command in a stranger's repository",
        tried=tried,
        held=tried,
        note="with the hints that it printed followed, and the shims",
    )


def test_what_the_user_names_runs_so_that_the_repository_is_no_dud(
    tmp_path: Path, env: dict[str, str]
) -> None:
    world = World(tmp_path, env)
    for venv in ("script", "store"):
        world.ship(Kind(venv=venv))
        assert world.run("adopt", ".venv").returncode == 0
        assert world.harm() == []
        world.try_shims()
        assert any("/.venv/" in fault for fault in world.harm())
    for name in ("python", "uv"):
        world.start(f"{world.clone}/{name}")
        assert world.harm() == [f"ran: {world.clone}/{name}"]
    world.start(f"{world.prefix}/bin/python3", "-m", "pip", "--version")
    assert any(fault.endswith("/pip.py") for fault in world.harm())
    os.rename(f"{world.home}/.ssh/id", f"{world.home}/.ssh/brought")
    assert len(world.harm()) == 2


def brings_names(world: World) -> list[str]:
    """Make an environment where the repository has what looks like bubble's own scratch."""
    world.ship(Kind(venv="none"))
    done = world.run("create", "--no-pip")
    return world.harm() + ([done.stderr] if done.returncode else [])


def comes_in_the_place_of_another(world: World) -> list[str]:
    """Use a project, throw it away, and clone another one to the same path."""
    faults = []
    for mark in MARKS:
        for venv in ("script", "store") if FULL or mark == "random" else ("script",):
            shutil.rmtree(world.clone, ignore_errors=True)
            os.mkdir(world.clone)
            assert world.run("create", "--force", "--no-pip").returncode == 0
            world.try_shims()  # which leave a memo
            world.ship(Kind(mark=mark, venv=venv))
            for words in (("run", ".venv", "python"), ("exec", "python"), ("list",), ("info",)):
                world.run(*words)
            for cwd in (world.clone, f"{world.clone}/below/deeper"):
                world.try_shims(cwd)
            faults += [f"{mark} {venv}: {fault}" for fault in world.harm()]
            world.run("remove", ".venv")
    return faults


def points_at_the_old_one(world: World) -> list[str]:
    """Move a project aside, as hints say, and clone one that has links to what it guesses there."""
    shutil.rmtree(world.clone, ignore_errors=True)
    os.mkdir(world.clone)
    assert world.run("create", "--no-pip").returncode == 0
    world.try_shims()
    os.rename(world.clone, f"{world.clone}.old")
    world.ship(Kind(mark="none", venv="store"))
    for name in set(os.listdir(world.clone)) - {".venv"}:  # nor has the real one anything else
        shutil.move(f"{world.clone}/{name}", f"{world.root}/shipped {name}")
    for name in (MARK, "bin/python", "bin/python3"):
        path = f"{world.clone}/.venv/{name}"
        if os.path.lexists(path):
            os.unlink(path)
        old = f"{world.clone}.old/.venv/{name}"
        os.symlink(os.path.relpath(old, os.path.dirname(path)), path)
    world.try_shims()
    return world.harm()


def claims_to_be_made_here(world: World) -> list[str]:
    """Let doctor mend what it can where the environment says that bubble made it."""
    faults = []
    for mark in MARKS:
        world.ship(Kind(mark=mark))
        world.run("doctor", "--fix")
        world.try_shims()
        faults += [f"{mark}: {fault}" for fault in world.harm()]
    return faults


def carries_a_published_mark(world: World) -> list[str]:
    """Mend "this directory's", where that is a copy of what the user published, with its mark."""
    faults = []
    for mark in MARKS:
        for gone in (False, True):
            shutil.rmtree(world.clone, ignore_errors=True)
            os.mkdir(world.clone)
            world.ship(Kind(mark=mark))
            aside = f"{world.root}/unplugged"
            if gone:  # as if it had been moved away: the copy is all that there is of it
                os.rename(world.user.mine, aside)
            for cwd in (world.clone, f"{world.clone}/below/deeper"):
                world.run("repair", cwd=cwd)
                world.try_shims(cwd)
            if gone:
                os.rename(aside, world.user.mine)
            faults += [f"{mark}, {gone}: {fault}" for fault in world.harm()]
    return faults


def gets_an_environment(world: World) -> list[str]:
    """Let the project, which the user runs, write to its own environment what it likes."""
    world.ship(Kind(venv="none"))
    done = world.run("create")
    if done.returncode:
        return [done.stderr]
    pip = f"{world.clone}/.venv/lib/{world.user.python}/site-packages/pip/__init__.py"
    with open(pip, "a", encoding="utf-8") as file:
        file.write(f"open({world.canary!r}, 'a').write('the pip of the project\\n')\n")
    world.run("run", "train", "pip", "--version")
    world.run("create", "later", cwd=world.root)
    world.run("run", "later", "pip", "--version")
    return world.harm()


def brings_a_pip(world: World) -> list[str]:
    """Install packages with the repository as the working directory."""
    faults = []
    for words in (("--installer", "pip"), ()):
        world.ship(Kind(venv="none"))
        done = world.run("create", "--force", "--with", world.wheel, *words)
        there = os.path.exists(f"{world.clone}/.venv/bin/tool")
        faults += world.harm() + ([] if there and not done.returncode else [done.stderr])
    return faults


MOVES: dict[str, Callable[[World], list[str]]] = {
    "brings names": brings_names,
    "comes in the place of another": comes_in_the_place_of_another,
    "points at the old one": points_at_the_old_one,
    "claims to be made here": claims_to_be_made_here,
    "carries a published mark": carries_a_published_mark,
    "gets an environment": gets_an_environment,
    "brings a pip": brings_a_pip,
}


@pytest.mark.parametrize("move", MOVES)
def test_a_repository_gets_nothing_when_it(tmp_path: Path, env: dict[str, str], move: str) -> None:
    assert MOVES[move](World(tmp_path, env)) == []


@pytest.mark.parametrize(
    ("bug", "move"),
    [
        ("names-say-where", "brings names"),
        ("all-is-itself", "comes in the place of another"),
        ("marks-by-links", "points at the old one"),
        ("doctor-registers", "claims to be made here"),
        ("marks-are-words", "carries a published mark"),
        ("linked-seeds", "gets an environment"),
        ("not-isolated", "brings a pip"),
        ("shims-are-tools", "brings a pip"),
    ],
)
def test_trust_where_none_is_due_is_caught(
    tmp_path: Path, env: dict[str, str], bug: str, move: str
) -> None:
    assert MOVES[move](World(tmp_path, env, bug)) != []
    caught(bug, by=f"a repository that {move}")


def test_bubble_behaves_with_no_bug_planted_as_it_does_by_itself(
    tmp_path: Path, env: dict[str, str]
) -> None:
    assert brings_a_pip(World(tmp_path, env, "none")) == []


def test_the_configuration_is_changed_by_who_says_so_alone(
    tmp_path: Path, env: dict[str, str]
) -> None:
    world = World(tmp_path, env)
    os.mkdir(world.clone)
    world.run("config", "set", "offline", "true")
    assert world.harm() == []
    write(f"{world.home}/.config/bubble/config.toml", "offline = false\n")
    assert world.harm() == [f"changed: {world.home}/.config/bubble/config.toml"]


def started(world: World, name: str) -> Session:
    """Start a shell of this user's, with the hook."""
    code = world.run("init", name, "--hook", cwd=world.root)
    assert code.returncode == 0, code.stderr
    write(f"{world.root}/init.{name}", code.stdout)
    read = "source" if name == "fish" else "."
    return Session(name, world.root, world.env, rc=(f"{read} {world.root}/init.{name}\n",))


@EACH
def test_going_into_a_repository_runs_nothing_of_it(
    tmp_path: Path, env: dict[str, str], shell: str
) -> None:
    world = World(tmp_path, env)
    os.mkdir(world.clone)
    world.run("create", "--no-pip")
    faults = []
    with started(world, shell) as session:
        session.cd(world.clone).do("python -c pass").cd(world.root).cd(world.clone)
        assert session.active == f"{world.clone}/.venv"
        session.cd(world.root)
        for number in range(len(PINS) if FULL else 3):
            world.ship(kind(number))
            session.cd(world.clone).do("true")
            session.do(f"{world.shims}/python -c pass; {world.shims}/pip --version")
            assert session.active != f"{world.clone}/.venv"
            session.cd("below/deeper").do("deactivate")
            session.cd(world.root)
            faults += [f"{kind(number)}: {fault}" for fault in world.harm()]
    assert not faults, "\n".join(faults)


@EACH
def test_activating_what_lies_here_enters_what_the_store_knows_and_nothing_of_a_repository(
    tmp_path: Path, env: dict[str, str], shell: str
) -> None:
    world = World(tmp_path, env)
    os.mkdir(world.clone)
    world.run("create", "--no-pip")
    code = world.run("init", shell, cwd=world.root)
    write(f"{world.root}/init.{shell}", code.stdout)
    read = "source" if shell == "fish" else "."
    rc = (f"{read} {world.root}/init.{shell}\n",)
    with Session(shell, world.root, world.env, rc=rc) as session:
        assert session.cd(world.clone).do("bubble activate").active == f"{world.clone}/.venv"
        assert session.do("deactivate").active == ""
        for mark in MARKS:
            for venv in VENVS:
                world.ship(Kind(mark=mark, venv=venv))
                for directory in (world.clone, "below/deeper"):
                    session.cd(directory).do("bubble activate").do("python -c pass")
                    assert session.active == "", (mark, venv)
                session.cd(world.root)
        assert world.harm() == []
        world.ship(Kind())
        # what is named is the user's word
        assert session.cd(world.clone).do("bubble activate .venv").active == f"{world.clone}/.venv"


@pytest.mark.parametrize(
    ("said", "followed"),
    [
        ("  hint: bubble list", [(False, ("list",))]),
        ("  hint: if you trust what is in it: bubble adopt /x", []),
        ("  hint: move it away, then: bubble create", [(True, ("create",))]),
        (
            "  hint: if you trust it: bubble adopt /x; else move it away, and: bubble create",
            [(True, ("create",))],
        ),
        ("note  adopt it only if you trust it  [env.x]\n  mend: bubble adopt /x", []),
        ("error  it is gone  [env.x]\n  mend: bubble repair /x", [(False, ("repair", "/x"))]),
    ],
)
def test_what_is_said_to_be_done_is_understood(
    said: str, followed: list[tuple[bool, tuple[str, ...]]]
) -> None:
    assert steps(said) == followed

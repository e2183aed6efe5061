"""What is asked nearer wins: requests below `bubble exec`, whatever stands between the two."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.selection.choice import read
from support.shimworld import PLATFORM, ShimWorld, shells, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

PROGRAM = f"{os.path.dirname(sys.executable)}/bubble"
VERSIONS = ("3.9.13", "3.11.9", "3.12.1")
# where `exec` may be typed: what it is given, and what that selects here
CHOICES = (
    ((), "3.11.9"),
    (("-p", "3.12"), "3.12.1"),
    (("-p", ">=3.12"), "3.12.1"),
    (("-p", "train"), "train"),
    (("-p", "@project@/.venv"), "project"),
)
EACH_CHOICE = pytest.mark.parametrize(
    ("options", "chosen"), CHOICES, ids=[" ".join(o) for o, _ in CHOICES]
)
SHELLS = shells()


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    for version in VERSIONS:
        made.install(f"cpython-{version}", *(("only-in-12",) if version == "3.12.1" else ()))
    for name, path in (("train", f"{home}/envs/train"), ("", f"{made.tree}/project/.venv")):
        made.environment(path, "cpython-3.9.13", "bubble")
        made.register(path, "bubble", name=name)
    made.changed()
    write(f"{made.tree}/.python-version", "3.11\n")
    write(f"{made.tree}/else/.python-version", "3.9\n")
    return made


def path_of(world: ShimWorld, what: str, command: str = "python") -> str:
    """Return what is run for a choice: of a version, by the minor link."""
    prefix = {
        "train": f"{world.layout.envs}/train",
        "project": f"{world.tree}/project/.venv",
    }.get(what) or f"{world.layout.pythons}/{what.rpartition('.')[0]}"
    return f"{prefix}/bin/{command}"


@pytest.fixture
def run(world: ShimWorld, bubble: Bubble) -> Callable[..., list[str]]:
    def run(options: tuple[str, ...], script: str, *, shell: str = "sh", **env: str) -> list[str]:
        """Run a script below `exec`; return its lines, those of stderr behind them."""
        words = [word.replace("@project@", f"{world.tree}/project") for word in options]
        env = {"PATH": "/usr/bin:/bin", **env}
        done = bubble("exec", *words, *shell.split(), "-c", script, cwd=world.tree, env=env)
        return done.out.splitlines() + done.err.splitlines()

    return run


@EACH_CHOICE
@pytest.mark.parametrize("integrated", [False, True], ids=["bare PATH", "shims on PATH"])
def test_a_request_below_exec_is_heard_and_without_one_exec_holds(
    options: tuple[str, ...],
    chosen: str,
    world: ShimWorld,
    run: Callable[..., list[str]],
    *,
    integrated: bool,
) -> None:
    env = {"PATH": f"{world.layout.shims}:/usr/bin:/bin"} if integrated else {}
    script = """
        python
        BUBBLE_PYTHON=3.9 python
        BUBBLE_PYTHON=3.9 sh -c 'cd /; python'
        BUBBLE_PYTHON= python
        env -u BUBBLE_PYTHON python
        env -i PATH="$PATH" python
        cd else && env -i PATH="$PATH" python3
        python3.9
        exec python
    """
    mine, nearer = path_of(world, chosen), path_of(world, "3.9.13")
    other = path_of(world, chosen, "python3")
    versioned = path_of(world, "3.9.13", "python3.9")
    said = run(options, script, **env)
    assert said == [mine, nearer, nearer, mine, mine, mine, other, versioned, mine]


@EACH_CHOICE
def test_it_holds_below_make_and_in_every_nesting(
    options: tuple[str, ...], chosen: str, world: ShimWorld, run: Callable[..., list[str]]
) -> None:
    write(
        f"{world.tree}/Makefile",
        "all:\n\t@python\n\t@BUBBLE_PYTHON=3.9 python\n\t@$(MAKE) -s -C else sub\n",
    )
    write(f"{world.tree}/else/Makefile", "sub:\n\t@python\n")
    again = f"{PROGRAM} exec -p 3.12 sh -c 'python; BUBBLE_PYTHON=3.9 python'"
    script = f"{again}; BUBBLE_PYTHON=3.11 {PROGRAM} exec sh -c 'python; cd else; python'; python"
    if shutil.which("make"):
        script = f"make -s; {script}"
    mine, nine, eleven, twelve = (path_of(world, w) for w in (chosen, *VERSIONS))
    made = [mine, nine, mine] if shutil.which("make") else []
    assert run(options, script) == [*made, twelve, nine, eleven, eleven, mine]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_starts_its_shims_so(shell: str, world: ShimWorld, bubble: Bubble) -> None:
    """The shim's own `#!` is /bin/sh: each shell is given the file that PATH finds."""
    words = " ".join(SHELLS[shell])
    script = f'p=$(command -v python); {words} "$p"; BUBBLE_PYTHON=3.9 {words} "$p"'
    done = bubble("exec", "sh", "-c", script, cwd=world.tree, env={"PATH": "/usr/bin:/bin"})
    assert done.out.split() == [path_of(world, "3.11.9"), path_of(world, "3.9.13")]
    assert done.err == ""


def test_an_environment_that_is_activated_below_exec_comes_first(
    world: ShimWorld, run: Callable[..., list[str]]
) -> None:
    own = f"{world.layout.envs}/train/bin"
    assert run(("-p", "3.12"), f'PATH="{own}:$PATH" python') == [f"{own}/python"]


def test_several_are_tried_in_their_order(world: ShimWorld, run: Callable[..., list[str]]) -> None:
    write(f"{world.tree}/.python-version", "3.11\n3.12\nsystem\n")
    script = "python; only-in-12; BUBBLE_PYTHON=3.12:3.9 python; BUBBLE_PYTHON=3.9 only-in-12"
    said = run((), script)
    assert said[:3] == [
        path_of(world, "3.11.9"),
        path_of(world, "3.12.1", "only-in-12"),
        path_of(world, "3.12.1"),
    ]
    assert "only-in-12: not found in cpython-3.9.13" in said[3]


def test_the_systems_is_never_what_exec_chose(
    world: ShimWorld, run: Callable[..., list[str]]
) -> None:
    system = f"{world.root}/system/python"
    write(system, '#!/bin/sh\necho "$0"\n', 0o755)
    path = f"{world.root}/system:/usr/bin:/bin"
    for options in ((), ("-p", "3.12")):
        assert run(options, "BUBBLE_PYTHON=system python", PATH=path) == [system]
        assert run(options, f"{PROGRAM} exec -p system python", PATH=path) == [system]


def test_what_can_not_be_had_nearer_is_an_error_and_never_what_exec_chose(
    run: Callable[..., list[str]],
) -> None:
    said = run(("-p", "3.12"), "BUBBLE_PYTHON=3.99 python || echo $?")
    assert said[0] == "127"
    assert "BUBBLE_PYTHON asks for Python “3.99”" in said[1]


def test_a_choice_that_is_gone_is_an_error_and_never_what_the_directory_says(
    world: ShimWorld, run: Callable[..., list[str]]
) -> None:
    script = f"rm -r {world.layout.choices}/*/answer; python || echo $?"
    said = run((), f"cd else; {script}")
    assert said[0] == "127"
    assert "what exec had chosen is gone" in said[1]
    # and what it had chosen, if there is nothing of it any more
    script = f"rm -r {world.layout.python(f'cpython-3.12.1-{PLATFORM}')}; python || echo $?"
    said = run(("-p", "cpython-3.12.1"), f"cd else; {script}")
    assert said[0] == "127"


def test_which_current_and_explain_say_what_a_child_of_exec_runs(
    world: ShimWorld, run: Callable[..., list[str]]
) -> None:
    which, chosen = f"{PROGRAM} which python", path_of(world, "3.12.1")
    assert run(("-p", "3.12"), which) == [chosen]
    assert run(("-p", "3.12"), f"BUBBLE_PYTHON=3.9 {which}") == [path_of(world, "3.9.13")]
    said = run((), f"cd else; {which}")
    assert said[0] == path_of(world, "3.9.13")
    assert f"in this shell, python is {path_of(world, '3.11.9')}" in said[1]
    assert run(("-p", "3.12"), f"cd else; {PROGRAM} doctor --json | grep -c path.twice") == ["0"]


def test_a_store_that_can_not_be_written_is_no_obstacle(
    world: ShimWorld, run: Callable[..., list[str]], tmp_path: Path
) -> None:
    write(world.layout.choices, "in the way")
    script = "python; BUBBLE_PYTHON=3.9 python"
    said = run(("-p", "3.12"), script, BUBBLE_CACHE_DIR=f"{tmp_path}/mine")
    assert said == [path_of(world, "3.12.1"), path_of(world, "3.9.13")]
    assert os.listdir(f"{tmp_path}/mine") == ["choices"]
    write(f"{tmp_path}/nowhere", "")
    said = run(("-p", "3.12"), "python", BUBBLE_CACHE_DIR=f"{tmp_path}/nowhere")
    assert said == [path_of(world, "3.12.1")]


def test_what_nothing_is_left_of_goes_when_another_one_comes(
    world: ShimWorld, run: Callable[..., list[str]]
) -> None:
    for version in VERSIONS:
        run(("-p", version), "python")
        run(("-p", version), "python")
    assert len(os.listdir(world.layout.choices)) == len(VERSIONS)
    world.remove("cpython-3.9.13")
    world.remove("cpython-3.12.1")
    run((), "python")
    kept = os.listdir(world.layout.choices)
    assert len(kept) == 2
    said = {read(f"{world.layout.choices}/{name}/bin") for name in kept}
    key = f"cpython-3.11.9-{PLATFORM}"
    assert said == {
        ("3.11.9", (world.layout.python(key),)),
        (key, (f"{world.layout.pythons}/3.11",)),  # of a directory that asks for 3.11
    }

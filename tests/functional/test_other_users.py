"""One user's store and another user: what root made for all, and root in somebody's home."""

from __future__ import annotations

import json
import os
import shlex

import pytest

from support.clinic import write
from support.others import NOBODY, OTHER, Machine, done, opened, roots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(opened(tmp_path))


@pytest.fixture
def shared(machine: Machine) -> Machine:
    """Return a machine on which root made a store for all, as an image's recipe does."""
    write(f"{machine.app}/.python-version", "3.12\n")
    env = machine.env(machine.directory("root's home"), machine.store)
    for line in (
        "bubble python install 3.11 3.12",
        "bubble create --no-pip",
        "bubble create train -p 3.11 --no-pip",
        "bubble use --global 3.11",
    ):
        done(machine.as_user(0, line, env))
    return machine


def nobodys(machine: Machine) -> dict[str, str]:
    return machine.env(machine.directory("home", NOBODY), machine.store)


@pytest.mark.parametrize("umask", ["022", "077"])
def test_what_root_made_for_all_works_for_all_without_a_word(shared: Machine, umask: str) -> None:
    root = shared.env(f"{shared.root}/root's home", shared.store)
    later = "bubble use --global 3.11; bubble create -p 3.11 --no-pip; bubble python install 3.11"
    done(shared.as_user(0, f"umask {umask}; {later}", root, shared.directory("later")))
    own = shared.directory("own", NOBODY)
    write(f"{own}/.python-version", "3.11\n")
    env = nobodys(shared)
    for directory, version in ((shared.app, "3.12.1"), (own, "3.11.8"), ("/", "3.11.8")):
        for _ in range(2):
            said = shared.as_user(NOBODY, "python -V", env, directory)
            assert (said.stdout, said.stderr) == (f"Python {version}\n", ""), directory
    assert done(shared.as_user(NOBODY, "bubble current", env)).startswith(f"{shared.app}/.venv ")
    assert "3.11.8" in done(shared.as_user(NOBODY, "bubble run train python -V", env))
    assert "train" in done(shared.as_user(NOBODY, "bubble list", env))


def test_a_registry_that_an_older_bubble_closed_is_opened_by_its_owner(shared: Machine) -> None:
    os.chmod(f"{shared.store}/registry", 0o700)
    root = shared.env(f"{shared.root}/root's home", shared.store)
    done(shared.as_user(0, "bubble create another -p 3.11 --no-pip", root))
    assert "Python 3.12.1" in done(shared.as_user(NOBODY, "python -V", nobodys(shared)))


def findings(machine: Machine, env: Mapping[str, str], *options: str) -> dict[str, dict[str, Any]]:
    line = shlex.join(["bubble", "doctor", "--json", *options])
    document = json.loads(machine.as_user(NOBODY, line, env).stdout)
    return {finding["id"]: finding for finding in document["data"]["findings"]}


def test_the_doctor_leaves_everybodys_store_to_its_owner(shared: Machine) -> None:
    """The doubles' own interpreter may be closed to others: what is said of them doesn't count."""
    env = nobodys(shared)
    found = findings(shared, env)
    access = found["store.access"]
    assert access["severity"] == "note"
    assert access["what"] == (
        f"the store {shared.store} belongs to root: it can be used, and not changed"
    )
    assert not any(
        "chown" in finding["fix"] or "chmod" in finding["fix"] for finding in found.values()
    )
    assert not any(f["automatic"] for f in found.values())
    own = done(shared.as_user(NOBODY, f"{access['fix']}; bubble python install 3.11", env))
    assert own.startswith(f"{env['HOME']}/.local/share/bubble/pythons/")


def test_a_store_that_is_closed_to_others_is_told_as_anothers(shared: Machine) -> None:
    os.chmod(shared.store, 0o700)
    found = findings(shared, nobodys(shared))
    assert found["store.access"]["severity"] == "error"
    assert not any("chown" in finding["fix"] for finding in found.values())


def test_what_root_left_in_a_users_own_home_goes_back_to_them(machine: Machine) -> None:
    home = machine.directory("home", NOBODY)
    store = f"{home}/.local/share/bubble"
    done(machine.as_user(0, "bubble python install 3.11", machine.env("/nonexistent", store)))
    fix = findings(machine, machine.env(home, ""))["store.access"]["fix"]
    assert fix == f"sudo chown -R {NOBODY} {store}"
    done(machine.as_user(0, fix.removeprefix("sudo "), {}))
    assert "store.access" not in findings(machine, machine.env(home, ""))


# memos of one's own


class Fast:
    """A machine on which nobody works in directories that root was never in.

    `python` says which Python runs, and whether bubble was asked: its slow path is taken away
    meanwhile.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.env = nobodys(machine)
        self.own = machine.directory("own", NOBODY)
        self.pin("3.11\n")

    def pin(self, text: str) -> None:
        write(f"{self.own}/.python-version", text)
        os.chown(f"{self.own}/.python-version", NOBODY, NOBODY)

    def python(
        self, user: int = NOBODY, env: Mapping[str, str] | None = None, cwd: str = ""
    ) -> tuple[str, bool]:
        machine, there = self.machine, f"{self.machine.root}/tool"
        env = env or self.env
        os.rename(there, f"{there}.away")
        try:
            fast = machine.as_user(user, "python -V", env, cwd or self.own)
        finally:
            os.rename(f"{there}.away", there)
        if fast.returncode == 0:
            return fast.stdout.split()[1], True
        assert "the Python that runs bubble is gone" in fast.stderr
        said = machine.as_user(user, "python -V", env, cwd or self.own)
        return (said.stdout.split()[1] if said.returncode == 0 else said.stderr), False


@pytest.fixture
def fast(shared: Machine) -> Fast:
    return Fast(shared)


def test_directories_of_another_user_are_as_fast_in_roots_store(fast: Fast) -> None:
    root = fast.machine.env(f"{fast.machine.root}/root's home", fast.machine.store)
    assert [fast.python() for _ in range(2)] == [("3.11.8", False), ("3.11.8", True)]
    fast.pin("3.12\n")
    assert [fast.python() for _ in range(2)] == [("3.12.1", False), ("3.12.1", True)]
    asked = {**fast.env, "BUBBLE_PYTHON": "3.11"}
    assert fast.python(env=asked)[0] == "3.11.8"
    assert fast.python(env=asked) == ("3.11.8", True)
    below = fast.machine.directory("own/below", NOBODY)
    write(f"{below}/pyproject.toml", "[project]\nname = 'x'\n")
    assert [fast.python(cwd=below) for _ in range(2)] == [("3.12.1", False), ("3.12.1", True)]
    # what is installed changes: nothing of before is true by itself
    done(fast.machine.as_user(0, "bubble python uninstall --yes --force 3.12", root))
    said, by_itself = fast.python()
    assert not by_itself
    assert "asks for Python “3.12”" in said
    done(fast.machine.as_user(0, "bubble python install 3.12", root))
    assert [fast.python() for _ in range(2)] == [("3.12.1", False), ("3.12.1", True)]
    told = done(fast.machine.as_user(NOBODY, "bubble explain", fast.env, fast.own))
    assert "knows this answer" in told
    assert os.stat(f"{fast.env['HOME']}/.cache/bubble/answers").st_mode & 0o777 == 0o700


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME", "BUBBLE_CACHE_DIR"])
@pytest.mark.parametrize("victim", [OTHER, 0])
def test_nobody_believes_what_another_user_says(fast: Fast, variable: str, victim: int) -> None:
    """As sudo keeps HOME, or a HOME or a cache is another user's: memos that hold, but theirs."""
    fast.python()
    place = {
        "HOME": fast.env["HOME"],
        "XDG_CACHE_HOME": f"{fast.env['HOME']}/.cache",
        "BUBBLE_CACHE_DIR": f"{fast.env['HOME']}/.cache/bubble",
    }[variable]
    os.chmod(fast.env["HOME"], 0o755)
    answers = f"{fast.env['HOME']}/.cache/bubble/answers"
    for directory, _, names in os.walk(answers):
        os.chmod(directory, 0o755)
        for name in names:  # 3.12 where the directory says 3.11
            with open(f"{directory}/{name}", encoding="utf-8") as file:
                text = file.read()
            with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
                file.write(text.replace("=3.11\n", "=3.12\n"))
            os.utime(f"{directory}/{name}", (4e9, 4e9))
    assert fast.python() == ("3.12.1", True)  # who writes it has it
    home = fast.machine.directory("victim", victim)
    env = {**fast.env, "HOME": home, variable: place}
    for _ in range(2):
        assert fast.python(victim, env)[0] == "3.11.8"
    assert [path for path in roots(f"{fast.env['HOME']}") if victim == 0] == []
    if victim:  # a place of theirs, with everything in it another's, or a link
        for line in (f"cp -a {answers} {home}/a", f"ln -s {answers} {home}/answers"):
            fast.machine.as_user(0, line, {})
        env = {**fast.env, "HOME": home, "BUBBLE_CACHE_DIR": home}
        assert fast.python(victim, env)[0] == "3.11.8"
        os.unlink(f"{home}/answers")
        os.rename(f"{home}/a", f"{home}/answers")
        os.chown(f"{home}/answers", victim, victim)
        assert fast.python(victim, env)[0] == "3.11.8"


def test_a_memo_of_ones_own_names_nothing_but_the_stores_pythons(fast: Fast) -> None:
    fast.python()
    evil = f"{fast.machine.root}/evil"
    write(f"{evil}/bin/python", "#!/bin/sh\necho evil evil\n")
    os.chmod(f"{evil}/bin/python", 0o755)
    answers = f"{fast.env['HOME']}/.cache/bubble/answers"
    for answer in (evil, f"=../../../{evil}", "@3.12", f"=cpython-3.11.8:{evil}"):
        for directory, _, names in os.walk(answers):
            for name in names:
                path = f"{directory}/{name}"
                with open(path, encoding="utf-8") as file:
                    lines = file.read().split("\n")
                lines[1] = answer
                with open(path, "w", encoding="utf-8") as file:
                    file.write("\n".join(lines))
                os.utime(path, (4e9, 4e9))
        assert fast.python() == ("3.11.8", False), answer


def test_a_place_that_others_may_write_to_gets_no_memo(fast: Fast) -> None:
    answers = fast.machine.directory("home/.cache/bubble/answers", NOBODY)
    os.chown(os.path.dirname(answers), NOBODY, NOBODY)
    for mode in (0o777, 0o775):
        os.chmod(answers, mode)
        assert [fast.python() for _ in range(2)] == [("3.11.8", False)] * 2
        assert os.listdir(answers) == []

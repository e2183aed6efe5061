"""Root in another user's home (`sudo` keeps HOME): it leaves nothing there, and says how."""

from __future__ import annotations

import os

import pytest

from support.clinic import write
from support.others import OTHER, Machine, done, opened, roots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(opened(tmp_path))


@pytest.fixture
def lodger(machine: Machine) -> dict[str, str]:
    """Return the variables of a user who has a store and an environment."""
    home = machine.directory("home", OTHER)
    env = machine.env(home, "")
    work = machine.directory("home/work", OTHER)
    for line in ("bubble python install 3.11 3.12", "bubble use 3.11", "bubble create --no-pip"):
        done(machine.as_user(OTHER, line, env, work))
    done(machine.as_user(OTHER, "bubble create train -p 3.11 --no-pip", env, work))
    machine.directory("home/new", OTHER)
    write(f"{home}/new/.python-version", "3.12\n")
    write(f"{home}/new/needy.py", '# /// script\n# dependencies = ["six"]\n# ///\n')
    for name in (".python-version", "needy.py"):
        os.chown(f"{home}/new/{name}", OTHER, OTHER)
    return env


CHANGES = (
    "create --no-pip",
    "create other -p 3.11 --no-pip",
    "use 3.12",
    "use --global 3.12",
    "local 3.12",
    "global 3.12",
    "remove train",
    "rename train other",
    "clone train other",
    "repair train",
    "rehash",
    "gc",
    "cache prune",
    "doctor --fix",
    "python install",
    "python install 3.12",
    "python uninstall 3.12",
    "python upgrade --prune",
    "python verify",
    "python verify --repair",
    "python adopt /usr/bin/python3",
    "python update",
    "adopt .venv",
    "import pyenv",
    "kernel install train",
    "kernel remove train",
    "init bash --install",
    "new",
    "lock",
    "export train -o requirements.txt",
    "self update",
    "self uninstall",
    "run needy.py",
)


@pytest.mark.parametrize("sudo", [True, False])
@pytest.mark.parametrize("line", CHANGES)
def test_root_changes_nothing_in_another_users_home_and_says_how_it_is_done(
    machine: Machine, lodger: dict[str, str], line: str, *, sudo: bool
) -> None:
    more = {"SUDO_UID": str(OTHER), "SUDO_USER": "lodger"} if sudo else {}
    result = machine.as_user(0, f"bubble {line}", {**lodger, **more}, f"{lodger['HOME']}/new")
    assert result.returncode == 1, result
    message, hint = result.stderr.splitlines()
    assert f"HOME ({lodger['HOME']}) belongs to user {OTHER}" in message
    assert hint.endswith(f": {'' if sudo else 'HOME=/root '}bubble {line}")
    assert roots(lodger["HOME"]) == []


LOOKS = (
    "python -V",
    "python3 -V",
    "pydoc3 -V; true",
    "bubble current",
    "bubble list",
    "bubble info train",
    "bubble explain",
    "bubble which python",
    "bubble whence python",
    "bubble run train python -V",
    "bubble exec -p 3.11 python -V",
    "bubble python list",
    "bubble python list --available",
    "bubble python find 3.12",
    "bubble python dir",
    "bubble gc --dry-run",
    "bubble doctor; true",
    "bubble cache size",
    "bubble kernel list",
    "bubble status; true",
    "bubble lock --check; true",
    "bubble init bash",
    "bubble completions zsh",
    "bubble export train",
    "bubble create --help",
)


def test_what_only_looks_works_for_root_and_leaves_nothing(
    machine: Machine, lodger: dict[str, str]
) -> None:
    fresh = {**lodger, "XDG_CACHE_HOME": f"{lodger['HOME']}/fresh"}  # nothing is kept there yet
    for where, env in (("new", lodger), ("work", lodger), ("", lodger), ("new", fresh)):
        for line in LOOKS:
            done(machine.as_user(0, line, env, f"{lodger['HOME']}/{where}"))
            assert roots(lodger["HOME"]) == [], line


def test_roots_own_store_elsewhere_and_own_home_are_roots_business(
    machine: Machine, lodger: dict[str, str]
) -> None:
    own = machine.directory("roots")
    for env in (
        machine.env(own, ""),
        {**lodger, "BUBBLE_HOME": f"{own}/store", "BUBBLE_CACHE_DIR": f"{own}/cache"},
    ):
        done(machine.as_user(0, "bubble python install 3.11", env))

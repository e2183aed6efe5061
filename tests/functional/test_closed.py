"""What may be there, in a directory that this user may not enter: nobody says that it is gone."""

from __future__ import annotations

import json
import os

import pytest

from support.clinic import write
from support.others import NOBODY, Machine, done, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_WORDS = ("gone", "lost", "missing", "no longer", "remove", "is not what")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which a user has an environment of a Python in another one's directory.

    Another store of the user's, which is given away and closed later, has that Python.
    """
    machine = Machine(opened(tmp_path))
    machine.directory("home", NOBODY)
    machine.directory("app", NOBODY)
    machine.directory("theirs", NOBODY)
    theirs = machine.env(f"{machine.root}/home", f"{machine.root}/theirs/store")
    done(machine.as_user(NOBODY, "bubble python install 3.12", theirs))
    found = done(machine.as_user(NOBODY, "bubble python find 3.12.1", theirs)).strip()
    own = machine.env(f"{machine.root}/home", "")
    write(f"{machine.app}/.python-version", "3.12\n")
    for line in (
        f"bubble python adopt {found}",
        "bubble create --no-pip",
        "bubble create train -p 3.12 --no-pip",
        "python -V",
    ):
        done(machine.as_user(NOBODY, line, own))
    return machine


@pytest.mark.parametrize("place", ["theirs", "theirs/store/pythons"])
def test_an_interpreter_in_a_closed_directory_is_closed_and_not_gone(
    machine: Machine, place: str
) -> None:
    closed = f"{machine.root}/{place}"
    os.chown(closed, 0, 0)
    os.chmod(closed, 0o700)
    _agree(machine, closed, ("python -V", "bubble run train python -V", "bubble run .venv true"))
    told = _findings(machine)
    assert told.keys() >= {"python.closed", "env.closed"}
    done(machine.as_user(NOBODY, "bubble doctor --fix; true", _env(machine)))
    done(machine.as_user(NOBODY, "bubble gc --yes", _env(machine)))
    os.chmod(closed, 0o755)
    for line in ("python -V", "bubble run train python -V"):
        assert "3.12.1" in done(machine.as_user(NOBODY, line, _env(machine)))


def test_an_environment_in_a_closed_directory_is_closed_and_not_gone(machine: Machine) -> None:
    envs = f"{machine.root}/home/.local/share/bubble/envs"
    os.chown(envs, 0, 0)
    os.chmod(envs, 0o700)
    _agree(machine, envs, ("bubble run train python -V", "bubble repair train"))
    assert "env.closed" in _findings(machine)
    done(machine.as_user(NOBODY, "bubble gc --yes; true", _env(machine)))
    os.chmod(envs, 0o755)
    assert "3.12.1" in done(machine.as_user(NOBODY, "bubble run train python -V", _env(machine)))


@pytest.mark.parametrize("command", ["python", "bubble"])
def test_a_shim_tells_a_closed_python_of_bubbles_from_one_that_is_gone(
    machine: Machine, command: str
) -> None:
    env = _env(machine)
    tool = f"{machine.root}/tool"
    directory = machine.directory("elsewhere", NOBODY)  # nothing is remembered of it
    shim = f"{machine.root}/home/.local/share/bubble/shims/{command}"
    line = f"PATH=/usr/bin:/bin {shim} --version"
    os.chmod(tool, 0o700)
    said = machine.as_user(NOBODY, line, env, directory)
    assert said.returncode == 127
    assert f"may not look into {tool} (" in said.stderr
    assert "gone" not in said.stderr
    os.chmod(tool, 0o755)
    os.rename(tool, f"{tool}.away")
    said = machine.as_user(NOBODY, line, env, directory)
    assert said.returncode == 127
    assert "is gone (" in said.stderr
    os.rename(f"{tool}.away", tool)
    closed = machine.directory("closed")  # by a link, as an environment's python is one
    os.unlink(f"{tool}/bin/python")
    os.symlink("py", f"{tool}/bin/python")
    os.symlink(f"{closed}/bin/python", f"{tool}/bin/py")
    os.chmod(closed, 0o700)
    said = machine.as_user(NOBODY, line, env, directory)
    assert f"may not look into {closed} (" in said.stderr


def _env(machine: Machine) -> dict[str, str]:
    return machine.env(f"{machine.root}/home", "")


def _agree(machine: Machine, closed: str, fail: tuple[str, ...]) -> None:
    """Hold all commands to the one notion; those of `fail` can't do without what is closed."""
    for line in (*fail, "bubble list", "bubble info train", "bubble doctor", "bubble gc --dry-run"):
        said = machine.as_user(NOBODY, line, _env(machine))
        told = said.stdout + said.stderr
        wrong = [word for word in _WORDS if word in told]
        assert not wrong, (line, wrong, told)
        assert closed in told or line.startswith("bubble gc"), (line, told)
        if line in fail:
            assert said.returncode != 0, (line, told)


def _findings(machine: Machine) -> dict[str, str]:
    said = machine.as_user(NOBODY, "bubble doctor --json", _env(machine)).stdout
    return {f["id"]: f["what"] for f in json.loads(said)["data"]["findings"]}

"""install.sh where there is no place for the command, no directory to be in, no descriptor."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.machines import SHELLS, Machine
from support.needs import needs
from support.small_release import ARCHIVE, small_release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(str(tmp_path), small_release(f"{tmp_path}/a release"))


@pytest.mark.parametrize("name", [".local", ".local/bin"])
@pytest.mark.parametrize("kind", ["a file", "a link to nothing"])
def test_what_lies_where_the_command_is_to_lie_is_told_before_anything(
    kind: str, name: str, machine: Machine
) -> None:
    path = f"{machine.home}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if kind == "a file":
        with open(path, "w"):
            pass
    else:
        os.symlink("nowhere", path)
    before = machine.everything()
    os.unlink(f"{machine.out}/{ARCHIVE}")
    done = machine.run("--no-init")
    assert done.returncode == 1
    assert f"{path} is no directory" in done.stderr
    assert machine.everything() == before


@pytest.mark.parametrize("name", SHELLS)
@needs("busybox", "ksh", "zsh")
def test_from_a_deleted_directory_and_with_closed_descriptors_it_installs(
    name: str, machine: Machine
) -> None:
    gone = f"{machine.root}/gone"
    machine.has("rmdir")
    os.mkdir(gone)
    command = shlex.join(machine.command("--no-init", shell=tuple(SHELLS[name])))
    for number, script in enumerate(
        (f"rmdir '{gone}'; {command}", f"cd /; {command} <&- >&- 2>&-", f"cd /; {command} 2>&-")
    ):
        done = subprocess.run(
            ["sh", "-c", script], env=machine.env(), cwd=gone if number == 0 else "/",
            capture_output=True, check=False, text=True,
        )  # fmt: skip
        assert done.returncode == 0, (script, done.stderr)
        assert machine.bubble("--version").stdout == "bubble 1.0\n"
        prefix = f"{machine.home}/.local/lib/bubble"
        assert set(os.listdir(prefix)) == {"command", "lock", "made", "versions"}
        shutil.rmtree(machine.home)
        os.mkdir(machine.home)


def test_what_fails_with_closed_descriptors_leaves_nothing(machine: Machine) -> None:
    os.unlink(f"{machine.out}/{ARCHIVE}")
    command = shlex.join(machine.command("--no-init"))
    done = subprocess.run(
        ["sh", "-c", f"{command} <&- >&- 2>&-"], env=machine.env(), cwd="/", check=False
    )
    assert done.returncode == 1
    assert machine.everything() == {}

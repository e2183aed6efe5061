"""install.sh killed before each of its commands, on a release of a few KB.

Killed is the whole process group, as when a machine loses its power or a job its time. A command
is every program that the script starts; what a shell does itself lies between two of them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.machines import SHELLS, TOOLS, Machine
from support.needs import FULL, needs, which
from support.small_release import small_release

if TYPE_CHECKING:
    from pathlib import Path

EACH = 1 if FULL else 13  # of the commands
# a line for each, since those of a pipeline run at once
COUNTED = """
echo >>'{counter}'
read -r last <'{counter}.last'
[ "$last" = 0 ] || [ "$(/usr/bin/wc -l <'{counter}')" -lt "$last" ] || kill -9 0
exec {real} "$@"
"""


class Counted(Machine):
    """A machine whose programs count themselves, and one of them kills."""

    def __init__(self, root: str, out: str) -> None:
        super().__init__(root, out)
        self.counter = f"{root}/counter"
        with open(f"{self.counter}.last", "w") as file:
            file.write("0\n")
        for name in TOOLS:
            if name != "sh":
                real = os.readlink(f"{self.bin}/{name}")
                self.stands_for(name, COUNTED.format(counter=self.counter, real=real))

    def killed_at(self, number: int, *shell: str) -> bool:
        """Run the installer up to its `number`-th command; False where it has fewer."""
        with open(self.counter, "w"), open(f"{self.counter}.last", "w") as file:
            file.write(f"{number}\n")
        done = subprocess.run(
            self.command("--no-init", shell=shell or ("sh",)),
            env=self.env(), start_new_session=True, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        with open(f"{self.counter}.last", "w") as file:
            file.write("0\n")
        return done.returncode != 0


def whole(machine: Machine, version: str) -> None:
    done = machine.bubble("--version")
    assert (done.stdout, done.returncode) == (f"bubble {version}\n", 0), done.stderr


def clean(machine: Machine, versions: int) -> None:
    prefix = f"{machine.home}/.local/lib/bubble"
    assert set(os.listdir(prefix)) <= {"command", "lock", "made", "versions"}
    assert len(os.listdir(f"{prefix}/versions")) == versions
    assert os.listdir(f"{machine.home}/.local/bin") == ["bubble"]


def taken_away(machine: Machine) -> None:
    """What an uninstallation does: the prefix, the command, and the directories that were made."""
    with open(f"{machine.home}/.local/lib/bubble/made") as file:
        made = file.read().splitlines()
    shutil.rmtree(f"{machine.home}/.local/lib/bubble")
    os.unlink(f"{machine.home}/.local/bin/bubble")
    for path in sorted(made, key=len, reverse=True):
        if os.path.isdir(path) and not os.listdir(path):
            os.rmdir(path)


@pytest.mark.parametrize("name", SHELLS if FULL else ["dash"])
@needs("busybox", "ksh", "zsh")
def test_killed_before_any_command_the_next_run_installs_as_if_nothing_had_been(
    name: str, tmp_path: Path
) -> None:
    machine = Counted(str(tmp_path), small_release(f"{tmp_path}/release"))
    number = 1
    while machine.killed_at(number, *SHELLS[name]):
        if os.path.lexists(f"{machine.home}/.local/bin/bubble"):
            whole(machine, "1.0")
        done = machine.run("--no-init")
        assert done.returncode == 0, (number, done.stderr)
        whole(machine, "1.0")
        clean(machine, 1)
        taken_away(machine)
        assert machine.everything() == {}, number
        number += EACH
    assert number > 3 * EACH


@pytest.mark.parametrize("name", SHELLS if FULL else ["bash"])
@needs("busybox", "ksh", "zsh")
def test_an_update_killed_before_any_command_leaves_one_of_the_two_and_the_way_back(
    name: str, tmp_path: Path
) -> None:
    machine = Counted(str(tmp_path), small_release(f"{tmp_path}/release"))
    for version in ("1.0", "2.0"):
        machine.out = small_release(f"{tmp_path}/{version}", version=version)
        machine.killed_at(10_000)
    start = f"{tmp_path}/start"
    shutil.copytree(machine.home, start, symlinks=True)
    machine.out = small_release(f"{tmp_path}/3.0", version="3.0")
    number = 2
    while machine.killed_at(number, *SHELLS[name]):
        now = machine.bubble("--version").stdout
        assert now in {"bubble 2.0\n", "bubble 3.0\n"}
        with open(f"{machine.home}/.local/bin/bubble") as file:
            before = file.read().partition("# previous: ")[2].split("-")[0]
        assert before == {"bubble 2.0\n": "1.0", "bubble 3.0\n": "2.0"}[now]
        kept = os.listdir(f"{machine.home}/.local/lib/bubble/versions")
        assert any(name.startswith(before) for name in kept)
        done = machine.run("--no-init")
        assert done.returncode == 0, (number, done.stderr)
        whole(machine, "3.0")
        clean(machine, 2)
        shutil.rmtree(machine.home)
        shutil.copytree(start, machine.home, symlinks=True)
        number += EACH
    assert number > 3 * EACH


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    machine = Machine(str(tmp_path), small_release(f"{tmp_path}/release"))
    os.mkfifo(f"{tmp_path}/there")
    sleep = which("sleep")
    machine.stands_for("tar", f"echo >'{tmp_path}/there'; exec {sleep} 600")
    process = subprocess.Popen(
        machine.command("--no-init"), env=machine.env(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    with open(f"{tmp_path}/there") as there:
        there.read()
    os.killpg(process.pid, number)
    _, said = process.communicate()
    assert process.returncode in {128 + number, -number}, said
    assert machine.everything() == {}

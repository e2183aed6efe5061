"""A store on a network's disk, which two machines have: neither takes the other's work for dead.

This kernel has no NFS, so a library stands in for it (`support/network_disk.c`): a lock on a
directory isn't seen by the other machine, statfs(2) says NFS, each machine has its own number.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from support.clinic import write
from support.needs import LINUX_ONLY, needs
from support.scene import Scene, scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [LINUX_ONLY, needs("cc")]
SUPPORT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support")
# stages something in the store and beside a project, and waits for a line before it publishes
AT_WORK = """
import sys
from bubble.system.layout import Layout
from bubble.system.staging import Staging
home, project = sys.argv[1:]
layout = Layout(home=home, cache=home + "/cache")
with Staging(layout, home + "/tools/x-1") as one, Staging(layout, project + "/.venv") as two:
    for staging in (one, two):
        with open(staging.path + "/file", "w") as file:
            file.write("whole")
    print(one.path, two.path, flush=True)
    sys.stdin.readline()
    one.publish()
    two.publish()
"""


class Machines:
    """Two machines, `a` and `b`, as variables for the processes that run on either."""

    def __init__(self, stage: Scene) -> None:
        self.stage = stage
        self.library = f"{stage.root}/network_disk.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-o", self.library, f"{SUPPORT}/network_disk.c", "-ldl"],
            check=True,
        )
        self.project = f"{stage.root}/project"
        os.makedirs(self.project)

    def env(self, machine: str) -> dict[str, str]:
        number = f"{self.stage.root}/boot.{machine}"
        write(number, f"{machine * 8}-0000-4000-8000-000000000000\n")
        return {"LD_PRELOAD": self.library, "BOOT_ID": number}

    def work(self, machine: str) -> tuple[subprocess.Popen[str], list[str]]:
        """Begin something on a machine; return its process, and the scratch directories."""
        process = subprocess.Popen(
            [sys.executable, "-c", AT_WORK, self.stage.home, self.project],
            env={**self.stage.env, **self.env(machine)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return process, process.stdout.readline().split()


@pytest.fixture
def machines() -> Iterator[Machines]:
    with scene("3.11.8") as stage:
        yield Machines(stage)


def test_what_another_machine_is_at_work_on_is_left_alone(machines: Machines) -> None:
    stage = machines.stage
    process, scratch = machines.work("a")
    with process:
        for line in ("python install 3.11.8", "gc --yes", "create lab -p 3.11 --no-pip"):
            done = stage.run(*line.split(), env=machines.env("b"))
            assert done.status == 0, done.err
            assert all(os.path.exists(f"{path}/file") for path in scratch), line
        planned = stage.run("gc", "--dry-run", "--json", env=machines.env("b"))
        assert not [path for path in scratch if path in planned.out]
        process.communicate("go on\n")
    assert process.returncode == 0
    for place in (f"{stage.home}/tools/x-1", f"{machines.project}/.venv"):
        with open(f"{place}/file", encoding="ascii") as file:
            assert file.read() == "whole"


def test_a_machine_sweeps_what_its_own_dead_left_and_in_the_end_anybodys(
    machines: Machines,
) -> None:
    stage = machines.stage
    process, scratch = machines.work("a")
    with process:
        process.kill()
    sweep = ("python", "install", "3.11.8")
    assert stage.run(*sweep, env=machines.env("b")).status == 0
    assert all(map(os.path.exists, scratch)), "it may be alive, over there"
    week = time.time() - 8 * 86400
    journal = f"{stage.home}/journal"
    for path in (*scratch, *(f"{journal}/{name}" for name in os.listdir(journal))):
        os.utime(path, (week, week))
    assert stage.run(*sweep, "--reinstall", env=machines.env("b")).status == 0
    assert not any(map(os.path.exists, scratch))
    process, scratch = machines.work("a")
    with process:
        process.kill()
    # the library takes a directory's locks away: its own dead are seen by its number alone
    assert stage.run(*sweep, "--reinstall", env=machines.env("a")).status == 0
    assert not any(map(os.path.exists, scratch))


def test_on_a_machines_own_disk_a_start_ends_all_before(machines: Machines) -> None:
    stage = machines.stage
    process, scratch = machines.work("a")
    with process:
        process.kill()
    assert stage.run("python", "install", "3.11.8").status == 0
    assert not any(map(os.path.exists, scratch))


def test_without_the_mark_the_other_machines_work_would_be_swept(machines: Machines) -> None:
    """The planted bug: a name that doesn't say where it was made. So the stand-in does its part."""
    stage = machines.stage
    process, scratch = machines.work("a")
    unmarked = scratch[0].rpartition(".")[0] + ".0123456789ab"
    os.rename(scratch[0], unmarked)
    with process:
        done = stage.run("python", "install", "3.11.8", env=machines.env("b"))
        assert done.status == 0, done.err
        gone = not os.path.exists(unmarked)
        process.kill()
    assert gone
    assert json.loads(stage.run("python", "list", "--installed", "--json").out)["ok"]

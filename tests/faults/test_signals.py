"""Signals to every long command, as a terminal sends them: to it and all that it started.

What ends a command ends it, with its own status and whole stores; what doesn't, doesn't.
"""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from support import invariants
from support.crashes import OLDER
from support.fault_handlers import Resource
from support.fault_server import serve
from support.figures import caught, record
from support.needs import LINUX_ONLY
from support.scene import Done, command, finish, scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.fault_server import FaultServer
    from support.scene import Scene

pytestmark = LINUX_ONLY
# each downloads 3.11.9, which is held half-way
COMMANDS = {
    "install": ("python", "install", "3.11.9"),
    "upgrade": ("python", "upgrade", "--prune"),
    "use": ("use", "--install", "3.11.9"),
    "mirror": ("mirror", "create", "DIR", "3.11.9"),
    "repair": ("python", "verify", "--repair"),
    "doctor": ("doctor", "--fix"),
}
WHAT = "signals to commands that download"


class Held:
    """A store, and a server that holds an archive back after so many bytes."""

    def __init__(self, stage: Scene, server: FaultServer) -> None:
        self.stage = stage
        self.server = server
        stage.env["BUBBLE_CATALOG"] = f"{server.url}/catalogue.json"
        assert stage.run("python", "install", "3.11.8").status == 0
        self.project = f"{stage.root}/project"
        os.mkdir(self.project)

    def start(self, name: str, bug: str = "") -> subprocess.Popen[str]:
        """Start a command, and wait until it waits for the rest of the archive."""
        stage = self.stage
        if name in {"repair", "doctor"}:
            assert stage.run("python", "install", "3.11.9").status == 0
            assert stage.run("cache", "prune").status == 0
            os.unlink(f"{stage.layout.python(OLDER.replace('3.11.8', '3.11.9'))}/bin/python3.11")
        (asset,) = [a for a in stage.assets() if "3.11.9" in a]
        self.server.put(f"/{asset}", Resource(stage.asset_path(asset), hold_at=500))
        process = subprocess.Popen(
            self.argv(name, bug),
            env=stage.env,
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.server.held.wait(60)
        return process

    def argv(self, name: str, bug: str = "") -> list[str]:
        directory = f"{self.stage.disk}/published"
        return command(*(directory if w == "DIR" else w for w in COMMANDS[name]), bug=bug)

    def afterwards(self, name: str) -> list[str]:
        """The same command succeeds, and leaves what it should and nothing else."""
        self.server.go.set()
        done = subprocess.run(
            self.argv(name),
            env=self.stage.env,
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )
        found = []
        if done.returncode and name != "doctor":  # PATH has no shims: that is for the user to mend
            found.append(f"I5: {done}")
        if name != "mirror":
            wanted = OLDER.replace("3.11.8", "3.11.9")
            found += invariants.not_working(self.stage, (wanted, "3.11"))
        found += [
            f"I3: {n} in the project" for n in os.listdir(self.project) if n[1:] != "python-version"
        ]
        found += invariants.not_whole(self.stage) + invariants.unlinked(self.stage)
        return found + invariants.left_over(self.stage)


@pytest.fixture
def held() -> Iterator[Held]:
    small = {"extra_files": 0}
    specs = ({"version": "3.11.8", **small}, {"version": "3.11.9"})
    with scene(*specs) as stage, serve(stage.mirror) as server:
        yield Held(stage, server)


def send(process: subprocess.Popen[str], *names: str) -> None:
    for name in names:
        os.killpg(process.pid, getattr(signal, f"SIG{name}"))


def ended(done: Done, name: str) -> list[str]:
    """It was ended by the signal, and says so as far as the signal lets it."""
    if "Traceback" in done.err:
        return [str(done)]
    if name != "INT":
        return [] if done.status == -getattr(signal, f"SIG{name}") else [str(done)]
    right = done.status == 130 and "interrupted" in done.err
    return invariants.unclear(done) + ([] if right else [f"status {done.status}: {done}"])


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT"])
@pytest.mark.parametrize("which", COMMANDS)
def test_a_signal_that_ends_a_command_leaves_what_was_and_the_next_one_goes_on(
    held: Held, which: str, name: str
) -> None:
    process = held.start(which)
    send(process, name)
    done = finish(process)
    assert ended(done, name) == []
    # where something is to be mended, 3.11 leads to what is damaged
    works = (OLDER,) if which in {"repair", "doctor"} else (OLDER, "3.11")
    assert invariants.not_working(held.stage, works) == []
    assert held.afterwards(which) == []
    record(WHAT, tried=1, held=1, note="INT, TERM, HUP, QUIT end it; WINCH, CONT, PIPE, STOP don't")


@pytest.mark.parametrize("which", COMMANDS)
def test_signals_that_end_nothing_let_a_command_go_on_to_its_end(held: Held, which: str) -> None:
    process = held.start(which)
    send(process, "WINCH", "CONT", "PIPE", "STOP")
    with open(f"/proc/{process.pid}/stat") as file:
        while file.read().rpartition(")")[2].split()[0] != "T":
            file.seek(0)
    held.server.go.set()
    send(process, "CONT")
    done = finish(process)
    assert done.status == 0 or which == "doctor", done
    assert held.afterwards(which) == []
    record(WHAT, tried=4, held=4)


@pytest.mark.parametrize("which", ["install", "repair", "mirror"])
def test_a_reader_that_goes_away_costs_the_output_and_nothing_else(held: Held, which: str) -> None:
    process = held.start(which)
    assert process.stdout is not None
    process.stdout.close()
    held.server.go.set()
    assert process.stderr is not None
    with process.stderr:
        said = process.stderr.read()
    assert process.wait(60) in (0, 1)
    assert "Traceback" not in said
    assert held.afterwards(which) == []
    record("commands whose reader went away", tried=1, held=1)


def test_an_interrupt_that_is_told_as_success_is_seen(held: Held) -> None:
    process = held.start("install", bug="interrupt-is-success")
    send(process, "INT")
    assert ended(finish(process), "INT")
    caught("an interrupt that ends with status 0", by="signals to commands that download")

"""Ctrl-C once and twice, and SIGTERM, while an install downloads, unpacks and publishes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from support import invariants
from support.crashes import NEWER, OLDER
from support.fault_handlers import Resource
from support.fault_server import serve
from support.figures import record
from support.needs import FULL, LINUX_ONLY, needs
from support.patience import PATIENCE
from support.scene import command, finish, scene
from support.sweep import Strace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Done, Scene

pytestmark = LINUX_ONLY
REINSTALL = ("python", "install", "--reinstall", "3.11.9")


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene({"version": "3.11.8", "extra_files": 0}, {"version": "3.11.9"}) as made:
        made.run("python", "install", "3.11.8")
        yield made


@pytest.mark.parametrize("signals", [("INT",), ("INT", "INT"), ("TERM",)])
def test_an_interrupted_download_says_so_and_is_gone_with_the_next_command(
    stage: Scene, signals: tuple[str, ...]
) -> None:
    with serve(stage.mirror) as server:
        (asset,) = [a for a in stage.assets() if "3.11.9" in a]
        server.put(f"/{asset}", Resource(stage.asset_path(asset), hold_at=500))
        environment = {"BUBBLE_CATALOG": f"{server.url}/catalogue.json"}
        process = stage.start("python", "install", "3.11.9", env=environment)
        assert server.held.wait(60)
        for name in signals:
            process.send_signal(getattr(signal, f"SIG{name}"))
        done = finish(process)
        expect(done, signals[0])
        assert invariants.not_whole(stage) == []
        assert invariants.not_working(stage, (OLDER, "3.11")) == []
        server.go.set()
        again = stage.run("python", "install", "3.11.9", env=environment)
    assert again.status == 0
    assert invariants.not_whole(stage) + invariants.left_over(stage) == []
    assert invariants.unlinked(stage) == []


@needs("strace")
@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_an_install_that_is_interrupted_anywhere_leaves_the_old_or_the_new(
    stage: Scene, name: str
) -> None:
    stage.run("python", "install", "3.11.9")
    stage.save("both")
    works = (OLDER, NEWER, "3.11")
    strace = Strace(
        command(*REINSTALL, bug="none"), stage.env, [stage.disk], f"{stage.root}/scratch"
    )
    points = strace.points()
    chosen = points if FULL else points[::6]
    found = []
    stopped = 0
    for point in chosen:
        stage.restore("both")
        done = strace.disturb(point, f"signal={name}")
        assert done is not None, point
        stopped += done.status != 0
        problems = expected(done, name)
        problems += invariants.not_whole(stage) + invariants.not_working(stage, works)
        again = stage.call(*REINSTALL)
        problems += [f"I5: {again}"] if again.status else []
        problems += invariants.not_whole(stage) + invariants.left_over(stage)
        found += [f"SIG{name} at {point.name} {point.call}: {problem}" for problem in problems]
    assert not found, "\n".join(found)
    assert stopped > len(chosen) * 0.8
    record(f"SIG{name} at a call of a reinstall", tried=len(chosen), held=len(chosen))
    print(f"SIG{name} at {len(chosen)} of {len(points)} calls: {stopped} stopped the command")


@needs("strace")
def test_a_second_interrupt_while_the_first_is_being_cleaned_up_does_no_harm(
    stage: Scene,
) -> None:
    strace = Strace(
        command("python", "install", "3.11.9", bug="second-interrupt"),
        stage.env,
        [stage.disk],
        f"{stage.root}/scratch",
    )
    stage.save("older")
    point = [p for p in strace.points() if p.name == "mkdirat"][-1]
    stage.restore("older")
    done = strace.disturb(point, "signal=INT")
    assert done is not None
    expect(done, "INT")
    assert os.listdir(stage.layout.staging), "the second one came too late"
    assert invariants.not_whole(stage) == []
    again = stage.run("python", "install", "3.11.9")
    assert again.status == 0
    assert invariants.not_whole(stage) + invariants.left_over(stage) == []


def expect(done: Done, name: str) -> None:
    assert expected(done, name) == []
    assert done.status != 0


def expected(done: Done, name: str) -> list[str]:
    """SIGINT: 130 and a word; SIGTERM: the signal itself; too late for either: success."""
    if name == "TERM":
        return [] if done.status in (0, -signal.SIGTERM, 128 + signal.SIGTERM) else [str(done)]
    found = invariants.unclear(done)
    if done.status not in (0, 130):
        found.append(f"status {done.status}: {done}")
    return found


def test_an_interrupt_that_falls_into_a_finalizer_is_not_lost() -> None:
    """Python reports and forgets it there; importlib has finalizers of its own."""
    code = """
import sys, time
from bubble.cli import main

class Last:
    def __del__(self):
        raise KeyboardInterrupt

def stand_in(argv, env):
    one = Last()
    del one
    time.sleep(600)

main.main = stand_in
main.run()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")

"""Sixteen workers on one store: interpreters and environments come, go and run, all at once.

No failure is unclear or without an excuse, what runs runs, and in the end, without a further
command, everything is whole and nothing is left.
"""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections import Counter

import pytest

from support import invariants
from support.env_scene import env_scene, left_behind, request, unregistered
from support.figures import caught, record
from support.needs import FULL, LINUX_ONLY
from support.scene import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Done, Scene

pytestmark = LINUX_ONLY
WORKERS = 16
SECONDS = 60 if FULL else 4
CANNOT_RUN = 126
NAMES = ("one", "two", "three")
# what another worker's command can make of one that is right
EXCUSES = (
    "is there already",
    "no environment called",
    "no environment is called",
    "isn't installed",
    "is not installed",
    "no installed Python satisfies",
    "is used by",
    "removed",
    "changed meanwhile",
    "went away",
    "has lost its interpreter",
    "is gone",  # it was removed between the look at its record and its start
)


@pytest.fixture
def stage() -> Iterator[Scene]:
    with env_scene() as made:
        # without the pip that was put into it: that is no file of the archive
        assert made.run("python", "install", "--reinstall", "3.11.9").status == 0
        yield made


class Mix:
    """The workers, what they found and how often they did what."""

    def __init__(self, stage: Scene) -> None:
        self.stage = stage
        self.found: list[str] = []
        self.done: Counter[str] = Counter()
        self.version = request(stage)
        self.lock = threading.Lock()
        self.stop = 0.0

    def run(self, seconds: float) -> None:
        """Let all workers do this and that for so long, and wait for them."""
        self.stop = time.monotonic() + seconds
        threads = [threading.Thread(target=self._work, args=(seed,)) for seed in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, seed: int) -> None:
        chance = random.Random(seed)
        first = True
        while first or time.monotonic() < self.stop:
            first = False
            words = self._choice(chance)
            done = self.stage.run(*words)
            wrong = self._wrong(words, done)
            with self.lock:
                self.done[" ".join(words[: 1 + (words[0] == "python")])] += 1
                self.found += wrong

    def _choice(self, chance: random.Random) -> tuple[str, ...]:
        name = chance.choice(NAMES)
        make = ("create", name, "-p", chance.choice((self.version, "3.11")), "--no-pip")
        return chance.choice(
            (
                make,
                (*make, "--force"),
                ("create", name, "-p", self.version, "--force"),
                ("remove", name),
                ("run", name, "python", "-c", "print(6 * 7)"),
                ("python", "install", "3.11.9"),
                ("python", "install", "--reinstall", "3.11.9"),
                ("python", "uninstall", "3.11.9"),
                ("python", "uninstall", "--force", "3.11.9"),
                ("python", "verify"),
                ("rehash",),
                ("list",),
                ("gc", "--only", "records", "--only", "scratch"),
            )
        )

    @staticmethod
    def _wrong(words: tuple[str, ...], done: Done) -> list[str]:
        if words[0] == "run" and not done.err.startswith("error: "):
            # bubble has become the program, which may be removed as it starts
            return [] if done.status or done.out == "42\n" else [f"{words}: {done}"]
        if words[0] == "run" and done.status == CANNOT_RUN and "can't be run" in done.err:
            return []  # its interpreter went away between the look at it and its start
        found = [f"{words}: {what}" for what in invariants.unclear(done)]
        if done.status and not any(excuse in done.err for excuse in EXCUSES):
            found.append(f"{words}: {done}")
        return found

    def consistent(self) -> list[str]:
        """Nobody died: all is whole, and nothing is left, before any further command."""
        stage = self.stage
        found = invariants.not_whole(stage) + invariants.unlinked(stage) + left_behind(stage)
        for name in NAMES:
            path = f"{stage.layout.envs}/{name}"
            found += unregistered(stage, path)
            if os.path.exists(f"{path}/bin/python"):  # else `uninstall --force` broke it
                found += self._not_running(path)
        return found

    def _not_running(self, path: str) -> list[str]:
        """I1: its python is in it, and its pip, whichever was at hand then, runs."""
        found = []
        for words in (("python", "-Ic", "import sys; print(sys.prefix)"), ("pip3", "--version")):
            if not os.path.lexists(f"{path}/bin/{words[0]}"):
                continue
            done = subprocess.run(
                [f"{path}/bin/{words[0]}", *words[1:]], capture_output=True, text=True, check=False
            )
            right = f"{path}\n" if words[0] == "python" else "pip "
            if "3.11.9" in os.path.realpath(f"{path}/bin/python"):
                right = ""  # a double, which says what the Python that it is made of says
            if done.returncode or not done.stdout.startswith(right):
                found.append(f"I1: {path}: {done}")
        return found


def test_sixteen_workers_that_do_all_sorts_of_things_end_consistent(stage: Scene) -> None:
    mix = Mix(stage)
    mix.run(SECONDS)
    print(f"{mix.done.total()} commands in {SECONDS} s: {dict(mix.done)}")
    assert mix.found == []
    assert mix.done.total() >= WORKERS
    assert mix.consistent() == []
    assert stage.run("python", "install", "3.11.9").status == 0
    assert mix.consistent() == []
    what = f"commands of {WORKERS} workers on one store"
    record(what, tried=mix.done.total(), held=mix.done.total(), note=f"for {SECONDS} s")


def crowd(stage: Scene, bug: str = "") -> list[str]:
    """Let all workers make the same environment at once: one does, and the others are told."""
    mix = Mix(stage)
    words = ("create", "one", "-p", mix.version, "--no-pip")
    started = [stage.start(*words, bug=bug) for _ in range(WORKERS)]
    done = [finish(process) for process in started]
    found = [f"{WORKERS} at once: {d}" for d in done if d.status and EXCUSES[0] not in d.err]
    made = sum(d.status == 0 for d in done)
    found += [] if made == 1 else [f"{made} of {WORKERS} made the one environment"]
    return found + mix.consistent()


def test_of_sixteen_that_make_one_environment_one_does(stage: Scene) -> None:
    assert crowd(stage) == []
    record("workers that make the same environment at once", tried=WORKERS, held=WORKERS)


def test_without_locks_that_would_be_noticed(stage: Scene) -> None:
    assert crowd(stage, bug="crowd")
    caught("no lock is ever waited for, and publishing takes long", by="sixteen workers")

"""Installs of a real build, killed at random moments, and what they leave.

`RealKills(stage, archive).one(seed)` kills one install between its start and its end, then lets
the next command do what it should: nothing is corrupt, nothing is leaked, and the version is there.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

from support import invariants
from support.scene import command
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.scene import Done, Scene

SLACK = 1.1  # some moments come after the end


def kill_after(stage: Scene, arguments: Sequence[str], seconds: float, bug: str = "") -> bool:
    """Start a command and kill it and its children after a time; whether that was in time."""
    process = subprocess.Popen(
        command(*arguments, bug=bug),
        env=stage.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    # the interpreter that is being probed is a child: power goes for everybody
    os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


class RealKills:
    """Kills of `python install` of the archive (absolute path) with this sha256.

    `bug` is one of `planted`. `killed` counts the installs that were really killed.
    """

    def __init__(self, stage: Scene, archive: str, sha256: str, bug: str = "") -> None:
        self.stage = stage
        self.bug = bug
        self.killed = 0
        self.install = ("python", "install", "--from", archive, "--sha256", sha256)
        begun = time.monotonic()
        self._must(stage.run(*self.install, bug=bug))
        self.seconds = time.monotonic() - begun
        # every directory of the store's own that can be there is there from now on
        self._make("nothing")
        self._must(stage.run(*self.install, bug=bug))
        self.files = self._files()
        self.canary = snapshot(stage.canary)

    def one(self, seed: int) -> list[str]:
        """Kill an install after a time that `seed` gives, in one of three states of the store.

        Nothing is there; the download is; the version is, and is installed anew. Returns what
        was wrong right after the kill or after the next command.
        """
        chance = random.Random(seed)
        start = chance.choice(("nothing", "downloaded", "installed"))
        self._make(start)
        arguments = (*self.install, "--reinstall") if start == "installed" else self.install
        seconds = chance.uniform(0, self.seconds * SLACK)
        in_time = kill_after(self.stage, arguments, seconds, self.bug)
        self.killed += in_time
        # how long an install takes changes with what else this machine does
        self.seconds *= 1.02 if in_time else 0.9
        found = self._right_after(start)
        found += self._after_the_next()
        return [f"seed {seed}, {start}: {what}" for what in found]

    def _right_after(self, start: str) -> list[str]:
        """I1, I2: absent or whole; what was installed still is."""
        found = invariants.not_whole(self.stage)
        keys = invariants.installed(self.stage)
        if start == "installed" and len(keys) != 1:
            found.append(f"I2: there was one, and now there are {len(keys)}")
        return found + invariants.not_running(self.stage, keys)

    def _after_the_next(self) -> list[str]:
        """I3 to I5: the same command succeeds, and there is exactly what an install leaves."""
        again = self.stage.run(*self.install, bug=self.bug)
        found = invariants.unclear(again)
        if again.status:
            found.append(f"I5: {again}")
        keys = invariants.installed(self.stage)
        found += invariants.not_whole(self.stage) + invariants.left_over(self.stage)
        found += invariants.unlinked(self.stage) + invariants.not_running(self.stage, keys)
        files = self._files()
        if files != self.files:
            leaked, lost = sorted(files - self.files), sorted(self.files - files)
            found.append(f"I3: leaked {leaked[:5]}, lost {lost[:5]}")
        if snapshot(self.stage.canary) != self.canary:
            found.append("I4: the canary was changed")
        return found

    def _make(self, start: str) -> None:
        """Bring the store, which is whole now, into a state to start from."""
        if start == "installed":
            return
        self._must(self.stage.run("python", "uninstall", *invariants.installed(self.stage)))
        if start == "nothing":
            self._must(self.stage.run("cache", "prune"))

    def _files(self) -> set[str]:
        """Return every path below home and cache; bytecode comes as it likes, memos have epochs."""
        stage = self.stage
        return {
            path.removeprefix(stage.disk)
            for path in invariants.files(stage.layout)
            if "/__pycache__" not in path and not path.startswith(f"{stage.layout.requests}/")
        }

    @staticmethod
    def _must(done: Done) -> None:
        assert done.status == 0, done

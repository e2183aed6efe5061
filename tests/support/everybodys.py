"""A user, their store, and below it the one that an administrator keeps for everybody."""

from __future__ import annotations

import os

from support.builds import small_mirror
from support.clinic import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

SPECS = ("3.11.4", "3.11.9", "3.12.1", "3.12.4", "3.13.0")


class Place:
    """A user, their store, and the system's, which has 3.11.9, 3.12.1 and the bubble `lab`."""

    def __init__(self, root: Path, bubble: Callable[..., Result], env: dict[str, str]) -> None:
        self.root, self._bubble, self.env = str(root), bubble, env
        self.system = f"{root}/system"
        self.home = env["BUBBLE_HOME"]
        self.said = {
            "BUBBLE_CATALOG": small_mirror(f"{root}/mirror", SPECS),
            "BUBBLE_SYSTEM_HOME": self.system,
        }
        self.administrator("python", "install", "3.11.9", "3.12.1")
        self.administrator("create", "lab", "-p", "3.12", "--no-pip")
        tool = f"{self.system}/envs/lab/bin/labtool"
        write(tool, "#!/bin/sh\necho of the lab\n")
        os.chmod(tool, 0o755)
        self.before = self.seen()

    def administrator(self, *words: str) -> Result:
        said = {**self.said, "BUBBLE_HOME": self.system, "BUBBLE_SYSTEM_HOME": "none"}
        done = self._bubble(*words, env=said)
        assert done.status == 0, done.err
        return done

    def run(self, *words: str, cwd: str = "", **said: str) -> Result:
        return self._bubble(*words, cwd=cwd or self.root, env={**self.said, **said})

    def out(self, *words: str, cwd: str = "", **said: str) -> str:
        done = self.run(*words, cwd=cwd, **said)
        assert done.status == 0, done.err
        return done.out.removesuffix("\n")

    def seen(self) -> dict[str, tuple[int, int, int, int]]:
        """Return what lies in the system's store, by its path."""
        found = {}
        for directory, below, files in os.walk(self.system):
            for name in (".", *below, *files):
                info = os.lstat(f"{directory}/{name}")
                found[f"{directory}/{name}"] = (
                    info.st_ino,
                    info.st_mode,
                    info.st_size,
                    info.st_mtime_ns,
                )
        return found

    def directory(self, name: str, pin: str) -> str:
        write(f"{self.root}/{name}/.python-version", f"{pin}\n")
        return f"{self.root}/{name}"

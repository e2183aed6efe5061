"""A store to break: home, cache, canary and a mirror of small builds, all in memory if possible.

    with scene({"version": "3.11.9"}) as stage:
        stage.run("python", "install", "3.11")   # a process of its own
        stage.call("python", "verify")           # the same command line, in this process
        stage.save("one"); …; stage.restore("one")

The paths stay the same over `restore`, because an installation knows where it lies.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from urllib.parse import unquote

from bubble.cli.main import main
from bubble.system.layout import Layout
from support.builds import small_mirror
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

BUBBLE = f"{os.path.dirname(sys.executable)}/bubble"
PLANTED = f"{os.path.dirname(os.path.abspath(__file__))}/planted.py"


@dataclass(frozen=True)
class Done:
    """What one command gave; a negative status is the signal that ended it."""

    status: int
    out: str
    err: str


class Scene:
    """The directories below `root` (absolute), and the command line on them.

    They are made when they aren't there. Home and cache are all that is below `disk`.
    """

    def __init__(self, root: str, specs: tuple[str | Mapping[str, Any], ...] = ()) -> None:
        self.root = root
        self.disk = f"{root}/disk"
        self.home = f"{self.disk}/home"
        self.cache = f"{self.disk}/cache"
        self.mirror = f"{root}/mirror"
        self.canary = f"{root}/canary"
        self.layout = Layout(home=self.home, cache=self.cache)
        catalogue = f"{self.mirror}/catalogue.json"
        if not os.path.isdir(self.canary):
            for directory in (self.disk, f"{root}/user", f"{root}/scratch", f"{self.canary}/d"):
                os.makedirs(directory)
            with open(f"{self.canary}/d/file", "w", encoding="ascii") as file:
                file.write("as it was\n")
            os.symlink("d/file", f"{self.canary}/link")
            catalogue = small_mirror(self.mirror, specs)
        self.env = {
            **os.environ,
            "HOME": f"{root}/user",
            "BUBBLE_HOME": self.home,
            "BUBBLE_CACHE_DIR": self.cache,
            "BUBBLE_CATALOG": catalogue,
            "BUBBLE_PROGRESS_AFTER": "86400",
            # the same calls in the same order, however often
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
        }

    def run(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        before: tuple[str, ...] = (),
        bug: str = "",
        timeout: float = PATIENCE,
    ) -> Done:
        """Run the command line to its end; `before` goes before it (strace, unshare)."""
        done = subprocess.run(
            [*before, *command(*arguments, bug=bug)],
            env={**self.env, **(env or {})},
            cwd=f"{self.root}/scratch",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(
        self, *arguments: str, env: Mapping[str, str] | None = None, bug: str = ""
    ) -> subprocess.Popen[str]:
        """Start the command line; the caller ends it by `finish`."""
        return subprocess.Popen(
            command(*arguments, bug=bug),
            env={**self.env, **(env or {})},
            cwd=f"{self.root}/scratch",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments: str, env: Mapping[str, str] | None = None) -> Done:
        """Run the command line in this process, which spares an interpreter's start."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(arguments, {**self.env, **(env or {})})
        return Done(status, out.getvalue(), err.getvalue())

    def assets(self) -> list[str]:
        """Return the addresses of the mirror's archives as the catalogue has them, relative."""
        with open(f"{self.mirror}/catalogue.json", encoding="utf-8") as file:
            return [entry["url"] for entry in json.load(file).values()]

    def asset_path(self, asset: str) -> str:
        """Return the absolute path of the file that an address of `assets` is for."""
        return f"{self.mirror}/{unquote(asset)}"

    def save(self, name: str) -> None:
        """Remember the home and the cache as they are."""
        for path in (self.home, self.cache):
            if os.path.isdir(path):
                saved = f"{self.root}/saved/{name}/{os.path.basename(path)}"
                shutil.copytree(path, saved, symlinks=True)

    def restore(self, name: str) -> None:
        """Make the home and the cache what they were; they are gone for a name never saved."""
        for path in (self.home, self.cache):
            shutil.rmtree(path, ignore_errors=True)
            saved = f"{self.root}/saved/{name}/{os.path.basename(path)}"
            if os.path.isdir(saved):
                shutil.copytree(saved, path, symlinks=True)


def command(*arguments: str, bug: str = "") -> list[str]:
    """Return the command line of the program, or of the program with a planted bug."""
    return [sys.executable, PLANTED, bug, *arguments] if bug else [BUBBLE, *arguments]


def finish(process: subprocess.Popen[str], timeout: float = PATIENCE) -> Done:
    """Wait for a process that `start` gave."""
    with process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Done(process.returncode, out, err)


@contextlib.contextmanager
def scene(*specs: str | Mapping[str, Any]) -> Iterator[Scene]:
    """Make a scene whose mirror has `small_mirror`'s `specs`, and remove it afterwards."""
    memory = "/dev/shm"
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bubble-scene-", dir=where) as root:
        yield Scene(os.path.realpath(root), specs)

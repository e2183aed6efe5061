"""Shims in front of real interpreters: this machine's own, adopted, so that nothing is copied.

    shims = RealShims(str(tmp_path), "3.11", "3.12")   # skips where they aren't here
    shims.pin("3.11")
    shims.run("python", "-c", "pass", way="fast", shell="dash")

The fast path is that of a memo; the slow path is taken because something is in the memo's place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from bubble.pythons.adopting.adopt import adopt
from bubble.selection.shims import rehash
from bubble.system.host import host_platform
from bubble.system.layout import Layout
from bubble.system.machine import Machine
from support.builds import interpreters
from support.needs import not_here
from support.shimworld import SHELLS, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

WAYS = ("fast", "slow")


class RealShims:
    """A store at `root`/store with adopted interpreters, and a working directory, `tree`."""

    def __init__(self, root: str, *wanted: str) -> None:
        self.root = root
        self.tree = f"{root}/tree"
        self.layout = Layout(home=f"{root}/store", cache=f"{root}/cache")
        self.shims = self.layout.shims
        os.makedirs(self.tree)
        machine = Machine(
            layout=self.layout, env=dict(os.environ), platform=host_platform(os.environ)
        )
        self.installed = [adopt(_program(version), machine) for version in wanted or ("",)]
        rehash(self.layout, sys.executable)
        self.env = {
            "PATH": f"{self.shims}:/usr/bin:/bin",
            "HOME": root,
            "BUBBLE_HOME": self.layout.home,
            "PWD": self.tree,
            "LC_ALL": "C.UTF-8",
        }
        self.pin(*(i.key.minor for i in self.installed))

    @property
    def direct(self) -> str:
        """The path that the shim runs for `python`."""
        return self.installed[0].executable

    def pin(self, *requests: str) -> None:
        """Write the working directory's version file, and leave its memo."""
        write(f"{self.tree}/.python-version", "".join(f"{request}\n" for request in requests))
        self.take("fast")
        done = self.run("python", "-c", "pass")
        assert done.returncode == 0, done.stderr
        assert os.path.exists(self.layout.answer(self.tree))

    def take(self, way: str) -> None:
        """Make the shims take the fast or the slow path from now on."""
        memo, aside = self.layout.answer(self.tree), f"{self.root}/memo"
        if way == "slow" and os.path.isfile(memo):
            os.rename(memo, aside)
            os.mkdir(memo)
        elif way == "fast" and os.path.isdir(memo):
            os.rmdir(memo)
            os.rename(aside, memo)

    def argv(self, command: str, *arguments: str | bytes, shell: str = "") -> list[str | bytes]:
        """Return a shim's command line, under its `#!` line or as if /bin/sh were `shell`."""
        program: list[str | bytes] = [f"{self.shims}/{command}"]
        return [*([sh(self.root, shell)] if shell else []), *program, *arguments]

    def run(
        self,
        command: str,
        *arguments: str | bytes,
        way: str = "",
        shell: str = "",
        **options: Any,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command through its shim in the working directory."""
        if way:
            self.take(way)
        return run(self.argv(command, *arguments, shell=shell), self.env, self.tree, **options)

    def run_direct(
        self, *arguments: str | bytes, **options: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the interpreter by its path in the working directory."""
        return run([self.direct, *arguments], self.env, self.tree, **options)


def run(
    argv: Sequence[str | bytes], env: Mapping[Any, Any], cwd: str, **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run a process to its end and return what it wrote; `env` and `cwd` may be overridden."""
    settings = {"env": env, "cwd": cwd, "capture_output": True, "timeout": 60, **options}
    return subprocess.run(argv, check=False, **settings)


def sh(root: str, shell: str) -> str:
    """Return the path of a program `sh` that is one of SHELLS, as it would be /bin/sh there."""
    path = f"{root}/shells/{shell}/sh"
    if not os.path.lexists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(str(shutil.which(SHELLS[shell][0])), path)
    return path


def _program(version: str) -> str:
    for found, prefix in reversed(interpreters()):
        if not version or found == version or found.startswith(f"{version}."):
            minor = ".".join(found.split(".")[:2])
            return f"{prefix}/bin/python{minor}"
    return not_here(f"no CPython {version} to adopt")

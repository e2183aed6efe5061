"""A pyenv's root of the test's own: real directories, links to this machine's Pythons.

pyenv isn't needed for it, and nothing of a pyenv that is here is written to.
"""

from __future__ import annotations

import os
import subprocess

from support.builds import interpreters
from support.needs import not_here


class PyenvTree:
    """A root at `root` (made), with the newest interpreters of this machine at hand."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.versions = f"{root}/versions"
        os.makedirs(self.versions)
        self.real = [(v, p) for v, p in interpreters() if not v.startswith("3.8.")]
        if not self.real:
            not_here("no CPython to adopt")
        self.version, self.prefix = self.real[-1]

    def python(self, name: str = "", number: int = -1) -> str:
        """Make versions/NAME (default: its version) of one of the real ones; return its path."""
        version, prefix = self.real[number]
        path = f"{self.versions}/{name or version}"
        os.makedirs(f"{path}/bin")
        minor = ".".join(version.split(".")[:2])
        for command in (f"python{minor}", "python3", "python"):
            os.symlink(f"{prefix}/bin/python{minor}", f"{path}/bin/{command}")
        return path

    def environment(self, path: str) -> str:
        """Make an environment at `path`, absolute or below versions, with the newest one."""
        path = os.path.join(self.versions, path)
        command = [f"{self.prefix}/bin/python3", "-m", "venv", "--without-pip", path]
        subprocess.run(command, check=True)
        return path

    def virtualenv(self, name: str) -> str:
        """Make an environment as pyenv-virtualenv does: below a version, and a link to it."""
        path = self.environment(f"{self.version}/envs/{name}")
        os.symlink(path, f"{self.versions}/{name}")
        return path

    def write(self, name: str, text: str) -> None:
        """Write a file below the root."""
        path = f"{self.root}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)

"""A machine to install on: a HOME on a path with a space, and a PATH with chosen programs only."""

from __future__ import annotations

import os
import stat
import subprocess

from support.needs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SHELLS = {
    "dash": ["dash"],
    "bash": ["bash"],
    "busybox": ["busybox", "sh"],
    "ksh": ["ksh"],
    "zsh": ["zsh", "--emulate", "sh"],
    "zsh as itself": ["zsh", "-f"],
}
TOOLS = (
    *("basename", "cat", "chmod", "cp", "cut", "dirname", "env", "getconf", "grep", "gzip", "id"),
    *("kill", "ln", "ls", "mkdir", "mv", "printf", "pwd", "readlink", "rm", "rmdir", "sed", "sh"),
    *("sha256sum", "sort", "stat", "sync", "tail", "tar", "uname"),
)


class Machine:
    """`out` is the directory of the release whose install.sh is run."""

    def __init__(self, root: str, out: str) -> None:
        self.root = root
        self.home = f"{root}/a home"
        self.bin = f"{root}/bin"
        self.out = out
        os.makedirs(self.home)
        os.mkdir(self.bin)
        self.has(*TOOLS)

    def has(self, *names: str) -> None:
        """Put programs of this machine onto its PATH."""
        for name in names:
            found = which(name)
            assert found, name
            if not os.path.lexists(f"{self.bin}/{name}"):
                os.symlink(found, f"{self.bin}/{name}")

    def stands_for(self, name: str, script: str) -> None:
        """Put a script of sh onto its PATH, in the place of a program."""
        path = f"{self.bin}/{name}"
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def env(self, **more: str) -> dict[str, str]:
        return {
            "HOME": self.home,
            "PATH": f"{self.home}/.local/bin:{self.bin}",
            "SHELL": "/bin/bash",
            "LC_ALL": "C",
            **more,
        }

    def command(self, *words: str, shell: tuple[str, ...] = ("sh",)) -> list[str]:
        """Return the command line that runs the installer."""
        program = which(shell[0])
        assert program
        return [program, *shell[1:], f"{self.out}/install.sh", *words]

    def run(
        self,
        *words: str,
        shell: tuple[str, ...] = ("sh",),
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words, shell=shell),
            env=self.env() if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=300,
        )

    def bubble(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [f"{self.home}/.local/bin/bubble", *words],
            env=self.env(**more), cwd=self.home,
            stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True,
        )  # fmt: skip

    def everything(self, *, times: bool = False) -> dict[str, object]:
        """Return all that HOME has, by its path: mode and content; of files the time, if asked."""
        found: dict[str, object] = {}
        for directory, names, files in os.walk(self.home):
            for name in (*names, *files):
                path = f"{directory}/{name}"
                info = os.lstat(path)
                data: object = None
                if stat.S_ISREG(info.st_mode):
                    with open(path, "rb") as file:
                        data = file.read()
                when = info.st_mtime_ns if times and data is not None else 0
                found[os.path.relpath(path, self.home)] = (info.st_mode, data, when)
        return found

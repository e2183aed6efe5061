"""A small machine to make ill: a store of doubles, a healthy PATH, and the doctor's visits.

`examine` gives the findings by id; `mend` runs a finding's command as a user would, in a shell
with the same variables, and examines again from that shell.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time

from bubble.system.host import host_platform
from bubble.system.layout import Layout
from support.builds import small_mirror
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PLATFORM = host_platform({})


class Clinic:
    """A home in which 3.11.9 is installed (a double); `env` may be changed by a test."""

    def __init__(self, root: str, env: Mapping[str, str], versions: Sequence[str]) -> None:
        self.root = root
        self.layout = Layout(home=env["BUBBLE_HOME"], cache=env["BUBBLE_CACHE_DIR"])
        self.tools = f"{root}/tools"
        self.cwd = f"{root}/somewhere"
        os.makedirs(self.tools)
        os.makedirs(self.cwd)
        os.symlink(f"{os.path.dirname(sys.executable)}/bubble", f"{self.tools}/bubble")
        system = env["PATH"]
        compiler = str(sysconfig.get_config_var("CC") or "cc").split()[0]
        if shutil.which(compiler, path=system) is None:
            # a double, for a bare machine: the doctor only asks whether it is there
            program(f"{self.tools}/{compiler}", "exit 1")
        self.env = {
            **env,
            "PATH": f"{self.layout.shims}:{self.tools}:{system}",
            "BUBBLE_CATALOG": small_mirror(f"{root}/mirror", versions),
            "TERM": "dumb",
        }
        self.before: tuple[str, ...] = ()  # what goes before the shell of a visit
        self.run("python", "install", versions[0])

    @property
    def prefix(self) -> str:
        """The installation's absolute prefix."""
        return self.key("3.11.9")

    def key(self, version: str) -> str:
        """Return the prefix that a version has, or would have."""
        return self.layout.python(f"cpython-{version}-{PLATFORM}")

    def run(self, *arguments: str, cwd: str = "") -> str:
        """Run a bubble command that must succeed, and return its stdout."""
        done = subprocess.run(
            [f"{self.tools}/bubble", *arguments],
            env=self.env,
            cwd=cwd or self.cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def examine(self, *options: str) -> dict[str, dict[str, Any]]:
        """Return what `bubble doctor` finds, by id; its exit status must fit."""
        return self._visit(f"bubble doctor --json {' '.join(options)}")

    def mend(self, finding: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Run the finding's command, which must succeed, and return what is found afterwards."""
        return self._visit(f"{{ {finding['fix']}; }} >&2 || exit 99\nbubble doctor --json")

    def _visit(self, script: str) -> dict[str, dict[str, Any]]:
        done = subprocess.run(
            [*self.before, "/bin/sh", "-c", script],
            env=self.env,
            cwd=self.cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode in (0, 1), (script, done.stdout, done.stderr)
        document = json.loads(done.stdout)
        findings = document["data"]["findings"]
        wrong = any(finding["severity"] == "error" for finding in findings)
        assert document["ok"] is not wrong
        assert done.returncode == wrong, done.stderr
        return {finding["id"]: finding for finding in findings}


def old(path: str, seconds: float = 60) -> str:
    """Make a file, link or directory look that old, and return its path."""
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def program(path: str, script: str) -> str:
    """Write an executable sh script, making its directory, and return its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w") as file:
        file.write(f"#!/bin/sh\n{script}\n")
    os.chmod(path, 0o755)
    return path


def write(path: str, text: str) -> str:
    """Write a text file, making its directory, and return its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    return path

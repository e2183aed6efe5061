"""Asking the front, with a double of the program behind it that only says that it was called."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from support.patience import PATIENCE
from support.shimworld import shells as all_shells
from support.shimworld import write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.system.layout import Layout

SHELLS = all_shells()
BECAME = "became the program"


def double(layout: Layout) -> str:
    """Return a program that only says that it was called."""
    path = f"{layout.home}.program"
    write(path, f"#!/bin/sh\necho {BECAME}\n", 0o755)
    return path


def ask(
    layout: Layout,
    cwd: str,
    *words: str,
    script: str = "",
    pwd: str = "",
    shells: Iterable[str] = tuple(SHELLS),
) -> set[str]:
    """Return what the front says under each of the shells."""
    said = set()
    for shell in map(SHELLS.__getitem__, shells):
        done = subprocess.run(
            [*shell, script or layout.front, *words],
            cwd=cwd,
            env={**os.environ, "PWD": pwd or cwd},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done
        said.add(done.stdout.strip())
    return said


def tick(directory: str) -> None:
    """Wait until what changes now gets another time than what has changed before."""
    path = f"{directory}/tick"
    write(path, "")
    first = os.stat(path).st_ctime_ns
    while os.stat(path).st_ctime_ns == first:
        os.utime(path)
    os.unlink(path)

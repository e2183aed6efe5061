"""A place to run pyenv's tests in: its tests, copied; our commands, under pyenv's names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from pyenv_suite.tap import Result, parse

_TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def set_up(checkout: str, scratch: str) -> list[str]:
    """Fill the empty directory `scratch`, and return the names of the `.bats` files.

    Of the checkout, `test` is copied, and from `libexec` the names alone are taken.
    """
    shutil.copytree(f"{checkout}/test", f"{scratch}/test")
    os.makedirs(f"{scratch}/libexec")
    os.makedirs(f"{scratch}/tmp")
    os.makedirs(f"{scratch}/pyenv.d")  # pyenv's hooks, which a test copies
    for name in os.listdir(f"{checkout}/libexec"):
        if name == "pyenv" or name.startswith("pyenv-"):
            _program(f"{scratch}/libexec/{name}", name.removeprefix("pyenv").removeprefix("-"))
    return sorted(n for n in os.listdir(f"{scratch}/test") if n.endswith(".bats"))


def _program(path: str, command: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f"#!/bin/sh\nPYTHONPATH='{_TESTS}' PYTHONDONTWRITEBYTECODE=1 "
            f"exec '{sys.executable}' -P -m pyenv_suite.adapter '{command}' \"$@\"\n"
        )
    os.chmod(path, 0o755)


def run(scratch: str, name: str) -> list[Result]:
    """Run one `.bats` file, and return its results in their order."""
    clean = {
        n: v for n, v in os.environ.items() if not n.startswith(("PYENV_", "BUBBLE_", "PYTHON"))
    }
    done = subprocess.run(
        [*_as_a_user(), "bats", "--formatter", "tap", f"{scratch}/test/{name}"],
        env={**clean, "LC_ALL": "C.UTF-8", "TMPDIR": f"{scratch}/tmp"},
        cwd=scratch,  # the tests leave it to their caller where they start
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return parse(done.stdout.splitlines())


def _as_a_user() -> list[str]:
    """Return what takes from root the right to write where a mode forbids it: tests are on that."""
    if os.geteuid() or not shutil.which("setpriv"):
        return []
    less = "-dac_override,-dac_read_search"
    return ["setpriv", f"--inh-caps={less}", f"--bounding-set={less}"]

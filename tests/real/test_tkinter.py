"""tkinter and turtle in environments of a build with a Tcl of its own, from before August 2025."""

from __future__ import annotations

import subprocess

import pytest

from bubble.system.files import sha256_of
from support.needs import LINUX_ONLY, NEEDS_REAL_BUILD, needs, real_build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = [pytest.mark.real, LINUX_ONLY, NEEDS_REAL_BUILD]

TCL = """
import os, subprocess, sys, tkinter
before = dict(os.environ)
print(tkinter.Tcl().eval("info library"))
assert dict(os.environ) == before
"""
WINDOW = """
import tkinter, turtle
tkinter.Tcl().loadtk()
first, second = tkinter.Tk(), tkinter.Tk()
first.update()
first.destroy()
second.destroy()
turtle.forward(10)
turtle.bye()
print("drawn")
"""


@pytest.fixture
def environments(bubble: Bubble, tmp_path: Path) -> dict[str, str]:
    """Return environments by who made them, and the build's own interpreter."""
    archive = real_build()
    words = ["3.9.13", "--from", archive, "--sha256", sha256_of(archive)]
    installed = bubble("python", "install", *words)
    assert installed.status == 0, installed.err
    python = installed.out.strip()
    assert bubble("create", "-p", "3.9", "--no-pip", cwd=tmp_path).status == 0
    made = [python, "-m", "venv", "--without-pip", str(tmp_path / "made")]
    subprocess.run(made, check=True)
    return {
        "bubble": f"{tmp_path}/.venv/bin/python",
        "venv": f"{tmp_path}/made/bin/python",
        "none": python,
    }


def says(command: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tcl_finds_its_library_and_nothing_that_is_started_is_told_where(
    environments: dict[str, str], env: dict[str, str]
) -> None:
    for maker, python in environments.items():
        assert says([python, "-c", TCL], env).strip().endswith("/lib/tcl8.6"), maker
    theirs = {**env, "TCL_LIBRARY": "/nowhere"}  # what somebody says counts
    words = [environments["venv"], "-c", TCL]
    assert subprocess.run(words, env=theirs, capture_output=True, check=False).returncode != 0


@needs("Xvfb", "xvfb-run")
def test_a_window_opens_and_a_turtle_draws(
    environments: dict[str, str], env: dict[str, str]
) -> None:
    for python in environments.values():
        assert says(["xvfb-run", "-a", python, "-c", WINDOW], env) == "drawn\n"

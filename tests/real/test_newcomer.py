"""A newcomer's hour: the tutorial, typed in a fresh copy of the checkout with an empty HOME.

All of it, the first block too, which the functional tests leave out: bubble and the packages come
from the package index. Interpreters come from this machine's own, packed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.needs import LINUX_ONLY, NEEDS, needs
from support.pages import ROOT, Step, steps, text_of
from support.reader import Library, Reader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.real, LINUX_ONLY, needs("bash")]

PAGE = "docs/tutorial.md"


def copy_checkout(target: str) -> None:
    """Copy what a clone would have."""
    left_out = shutil.ignore_patterns(
        ".git", ".venv", "build", ".*_cache", "__pycache__", ".coverage*"
    )
    shutil.copytree(ROOT, target, symlinks=True, ignore=left_out)


def require_index(variables: dict[str, str]) -> None:
    """Skip where the package index can't be reached."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "-d", variables["TMPDIR"], "cowsay==6.1"],
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"{NEEDS}the package index")


def test_the_tutorial_can_be_followed_to_the_letter(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "tmp")
    machine = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    machine |= {"PIP_NO_INDEX": "", "TMPDIR": str(tmp_path / "tmp")}
    machine["PIP_FIND_LINKS"] = os.environ.get("PIP_FIND_LINKS", "")
    require_index(machine)
    machine["BUBBLE_TEST_PYTHON"] = f"{sys.base_prefix}/bin/python3"
    library = Library(str(tmp_path / "library"))
    copy_checkout(str(tmp_path / "home" / "bubble"))
    with Reader(str(tmp_path), library, more=machine) as reader:
        reader.check(Step(0, "cd ~/bubble"), PAGE)
        for step in steps(text_of(PAGE), marked=True):
            reader.check(step, PAGE)

"""With no Python in the store: what asks for one fails, what asks for none gets the system's."""

from __future__ import annotations

import os
import subprocess

import pytest

from support.builds import small_mirror
from support.shimworld import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

NAMES = ("python", "python3", "pip", "pip3")
SYSTEM = '#!/bin/sh\necho "of the system"\n'


@pytest.fixture(params=["never", "no more"])
def empty(
    request: pytest.FixtureRequest, bubble: Bubble, env: dict[str, str], tmp_path: Path
) -> dict[str, str]:
    """Set shells up on a store where no Python is yet, or none any more; return the variables."""
    for name in NAMES:
        write(f"{tmp_path}/system/{name}", SYSTEM, 0o755)
    if request.param == "never":
        assert bubble("init", "bash", "--install").status == 0
    else:
        mirror = {"BUBBLE_CATALOG": small_mirror(f"{tmp_path}/mirror", ["3.12.4"])}
        assert bubble("python", "install", "3.12.4", env=mirror).status == 0
        assert bubble("python", "uninstall", "3.12.4", "--yes").status == 0
    return {**env, "PATH": f"{env['BUBBLE_HOME']}/shims:{tmp_path}/system:{os.defpath}"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", [".python-version", "pyproject.toml", ""])
def test_another_python_is_never_run_in_silence(
    empty: dict[str, str], tmp_path: Path, name: str, file: str
) -> None:
    project = f"{tmp_path}/project"
    os.mkdir(project)
    if file:
        text = "3.12\n" if file.startswith(".") else '[project]\nrequires-python = ">=3.12"\n'
        write(f"{project}/{file}", text)
    done = subprocess.run(
        [name, "-V"], cwd=project, env=empty, capture_output=True, text=True, check=False
    )
    if not file:
        assert (done.returncode, done.stdout) == (0, "of the system\n"), done
        return
    assert done.returncode in {126, 127}, done
    assert done.stdout == ""
    assert file in done.stderr
    assert "bubble python install" in done.stderr

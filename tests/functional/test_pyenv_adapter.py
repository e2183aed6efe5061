"""The adapter of `scripts/pyenv-suite`: pyenv's words for bubble's answers, on made-up versions."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.needs import LINUX_ONLY
from support.shimworld import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

pytestmark = LINUX_ONLY
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@pytest.fixture
def root(tmp_path: Path) -> str:
    """Return a PYENV_ROOT with two versions and an environment, all of shell scripts."""
    made = f"{tmp_path}/pyenv"
    for name, command in (("3.11.4", "python"), ("3.12", "black"), ("custom", "tool")):
        write(f"{made}/versions/{name}/bin/{command}", '#!/bin/sh\necho "$0"\n', 0o755)
    return made


def run(root: str, env: dict[str, str], *words: str, **more: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pyenv_suite.adapter", *words],
        cwd=os.path.dirname(root),
        env={**env, "PYENV_ROOT": root, "PYTHONPATH": TESTS, "PATH": "/usr/bin:/bin", **more},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_names_and_paths_are_pyenvs(root: str, env: dict[str, str]) -> None:
    versions = f"{root}/versions"
    assert run(root, env, "versions", "--bare") == (0, "3.11.4\n3.12\ncustom\n", "")
    for asked, name in (("3.11", "3.11.4"), ("3.12", "3.12"), ("custom", "custom")):
        assert run(root, env, "version-name", PYENV_VERSION=asked) == (0, f"{name}\n", "")
        assert run(root, env, "prefix", PYENV_VERSION=asked) == (0, f"{versions}/{name}\n", "")
    which = run(root, env, "which", "python", PYENV_VERSION="3.11")
    assert which == (0, f"{versions}/3.11.4/bin/python\n", "")
    ran = run(root, env, "exec", "tool", PYENV_VERSION="custom")
    assert ran == (0, f"{versions}/custom/bin/tool\n", "")
    assert run(root, env, "whence", "black")[1] == "3.12\n"


def test_what_bubble_refuses_is_refused_in_pyenvs_words(root: str, env: dict[str, str]) -> None:
    origin = "PYENV_VERSION environment variable"
    status, out, err = run(root, env, "version", PYENV_VERSION="3.99")
    assert (status, out) == (1, "")
    assert err == f"pyenv: version `3.99' is not installed (set by {origin})\n"
    status, out, err = run(root, env, "which", "black", PYENV_VERSION="3.11")
    assert (status, out) == (127, "")
    assert err.startswith("pyenv: black: command not found\n")
    assert "  3.12\n" in err
    assert run(root, env, "local", "3.99")[::2] == (1, "pyenv: version `3.99' not installed\n")
    assert not os.path.exists(f"{os.path.dirname(root)}/.python-version")


def test_what_changes_below_the_root_changes_the_answers(root: str, env: dict[str, str]) -> None:
    assert run(root, env, "global", "3.11.4") == (0, "", "")
    with open(f"{root}/version") as file:
        assert file.read() == "3.11.4\n"
    assert run(root, env, "version")[1] == f"3.11.4 (set by {root}/version)\n"
    assert run(root, env, "rehash")[0] == 0
    assert {"black", "python", "tool"} <= set(os.listdir(f"{root}/shims"))
    os.rename(f"{root}/versions/3.11.4", f"{root}/versions/3.11.5")
    assert run(root, env, "version")[0] == 1
    assert run(root, env, "version-name", PYENV_VERSION="3.11")[1] == "3.11.5\n"

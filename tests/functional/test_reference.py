"""docs/reference.md is what the command line says, and says what the command line does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module

import pytest

import bubble as package
from bubble.cli.table import COMMANDS
from bubble.model.errors import KINDS
from support.builds import small_mirror

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from conftest import Result

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "scripts", "make-reference")
# set by bubble for its own processes
INTERNAL = {"BUBBLE_SHIM_DEPTH", "BUBBLE_DIR", "BUBBLE_HOOK", "BUBBLE_SYSTEM"}


@pytest.fixture(scope="module")
def page() -> str:
    with open(os.path.join(ROOT, "docs", "reference.md"), encoding="utf-8") as file:
        return file.read()


def test_the_reference_is_current() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_command_kind_and_variable_is_there(page: str) -> None:
    for words in COMMANDS:
        assert f"### bubble {words}\n" in page
    for kind in KINDS:
        assert f"| `{kind}` |" in page
    for variable in _variables() - INTERNAL:
        assert f"`{variable}`" in page, variable


def _variables() -> set[str]:
    """Return every variable of ours that the sources read."""
    found = set()
    for directory, _, names in os.walk(os.path.dirname(package.__file__)):
        for name in names:
            if name.endswith(".py"):
                with open(os.path.join(directory, name), encoding="utf-8") as file:
                    found |= set(re.findall(r'"(BUBBLE_[A-Z_]+)"', file.read()))
    assert "BUBBLE_HOME" in found
    return found


def named(words: str) -> list[set[str]]:
    """Return the names in each pair of braces of a command's JSON shape."""
    module = import_module(f"bubble.cli.commands.{COMMANDS[words][0]}")
    return [set(re.findall(r"\w+", part)) for part in re.findall(r"{([^}]*)}", module.JSON)]


def test_the_shapes_of_json_are_those_that_are_printed(
    bubble: Callable[..., Result], env: dict[str, str], tmp_path: Path
) -> None:
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "m"), ["3.9.1", "3.9.2", "3.10.4"])
    printed: dict[str, Any] = {}
    for words, arguments in (
        ("python install", "3.9.1 3.10"),
        ("python list", ""),
        ("python find", "3.10"),
        ("python dir", ""),
        ("python update", ""),
        ("python upgrade", ""),
        ("mirror create", f"{tmp_path}/other 3.10"),
        ("python verify", ""),
        ("python uninstall", "3.10"),
        ("python adopt", sys.base_prefix),
    ):
        done = bubble(*words.split(), *arguments.split(), "--json")
        assert done.status == 0, done
        printed[words] = json.loads(done.out)["data"]
    for words, data in printed.items():
        rows = data if isinstance(data, list) else [data]
        assert rows, words
        assert all(set(row) == named(words)[0] for row in rows), words

    os.unlink(f"{env['BUBBLE_HOME']}/pythons/3.9/lib/python3.9/os.py")
    (row,) = json.loads(bubble("python", "verify", "3.9.2", "--json").out)["data"]
    assert set(row["problems"][0]) == named("python verify")[1]

"""What everyday commands may import: a start that loads a heavy module is a start that waits.

Each command runs in a process of its own under `-X importtime`; what it loaded beyond a bare
interpreter is held against lists of what must not be there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from support.builds import small_mirror
from support.environments import adopt_python
from support.projects import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conftest import Result

# never on an everyday path: each costs 20 ms and more, or leads to one that does
HEAVY = {
    "asyncio", "concurrent.futures", "dataclasses", "email", "hashlib", "http",
    "importlib.metadata", "inspect", "isal", "logging", "packaging", "pathlib", "pickle",
    "platformdirs", "rich", "socket", "ssl", "subprocess", "tarfile", "tempfile", "tomllib",
    "tomlkit", "typing", "urllib", "yaml", "zipfile", "zstandard",
}  # fmt: skip
# what a command with options needs for argparse; the ones on the shortest path do without
OPTIONS = {"argparse", "contextlib", "json", "re", "shutil", "threading"}
# what one command may have, by top name or in full: PEP 440 has a price
RANGE = {"packaging", "logging", "subprocess", "typing"}

# command line → what must not be loaded; grows with the commands
EVERYDAY: dict[str, set[str]] = {
    "--version": HEAVY | OPTIONS | {"bubble.pythons", "bubble.system"},
    "python find 3.11": HEAVY | OPTIONS | {"bubble.pythons.catalogue"},
    "python find >=3.10": (HEAVY | OPTIONS) - RANGE - {"re", "contextlib", "threading"},
    "python dir": HEAVY | {"bubble.pythons"},
    "list": HEAVY
    | OPTIONS
    | {"bubble.pythons", "bubble.envs.making.create", "bubble.system.version_file"},
    "create x -p 3.11 --no-pip": HEAVY | OPTIONS | {"ctypes", "importlib", "types", "warnings"},
    "python list": HEAVY | {"json"},
    "python list --installed": HEAVY | {"json"},
    # nothing to do is found out without the means to do it
    "python install 3.11": HEAVY | {"bubble.system.http", "bubble.system.archive"},
}
_IMPORT = re.compile(r"^import time:.*\| +(\S+)$", re.MULTILINE)


def _loaded(arguments: list[str], env: Mapping[str, str], cwd: str = "/") -> set[str]:
    """Return the modules that a Python process with these arguments imports."""
    plain = {name: value for name, value in env.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        env=plain,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(_IMPORT.findall(done.stderr))


def _beyond_bare(arguments: list[str], env: Mapping[str, str]) -> set[str]:
    return _loaded(arguments, env) - _loaded(["-c", "pass"], env)


def _barred(loaded: set[str], names: set[str]) -> list[str]:
    return sorted(name for name in loaded if any(f"{name}.".startswith(f"{n}.") for n in names))


@pytest.mark.parametrize("command", EVERYDAY)
def test_an_everyday_command_imports_nothing_heavy(
    command: str, env: dict[str, str], bubble: Callable[..., Result], tmp_path: os.PathLike[str]
) -> None:
    catalogue = small_mirror(f"{tmp_path}/mirror", ["3.11.9"])
    installed = bubble("python", "install", "3.11", env={"BUBBLE_CATALOG": catalogue})
    assert installed.status == 0, installed.err
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    loaded = _beyond_bare([program, *command.split()], env)
    assert "bubble.cli.main" in loaded, "the measurement is broken"
    assert not _barred(loaded, EVERYDAY[command])


@pytest.mark.parametrize("locked", [False, True])
def test_a_script_that_ran_before_is_found_again_with_next_to_nothing(
    env: dict[str, str], bubble: Callable[..., Result], tmp_path: os.PathLike[str], *, locked: bool
) -> None:
    adopt_python(bubble)
    script = f"{tmp_path}/s.py"
    with open(script, "w", encoding="utf-8") as file:
        file.write('# /// script\n# requires-python = ">=3.8"\n# dependencies = []\n# ///\n')
    if locked:
        with open(f"{script}.lock", "w", encoding="utf-8") as file:
            file.write('lock-version = "1.0"\ncreated-by = "a test"\npackages = []\n')
    words = ["run", "--locked", script] if locked else ["run", script]
    done = bubble(*words)
    assert done.status == 0, done.err
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    loaded = _beyond_bare([program, *words], env)
    assert "bubble.projects.scripts.running" in loaded, "the measurement is broken"
    barred = HEAVY | OPTIONS | {"bubble.pythons", "bubble.model.request", "bubble.envs.making"}
    assert not _barred(loaded, barred | {"bubble.selection.sources", "bubble.system.lock"})


def test_the_entry_imports_nothing_but_the_errors(env: dict[str, str]) -> None:
    loaded = _beyond_bare(["-c", "import bubble.cli.main"], env)
    ours = {name for name in loaded if name.split(".")[0] == "bubble"}
    assert ours == {
        "bubble",
        "bubble.cli",
        "bubble.cli.main",
        "bubble.model",
        "bubble.model.errors",
    }
    assert loaded - ours <= {"__future__", "warnings"}


def test_the_measurement_sees_what_a_command_imports(env: dict[str, str]) -> None:
    loaded = _beyond_bare(["-c", "import json"], env)
    assert _barred(loaded, {"json"})
    assert _barred({"rich.console", "richer"}, {"rich"}) == ["rich.console"]


def test_that_there_is_nothing_to_sync_is_found_out_without_toml(
    bubble: Callable[..., Result], env: dict[str, str], tmp_path: os.PathLike[str]
) -> None:
    site = Site(bubble, str(tmp_path), uv=False)
    site.lock_by_hand("", "alpha-1.0")
    site.ok("sync", "--frozen")  # which leaves no memo: that lock isn't the manifest's
    inputs = (
        "import os, sys\n"
        "from bubble.projects.inputs import inputs_of\n"
        "from bubble.projects.locate import project_of\n"
        "project = project_of(os.getcwd())\n"
        "print(inputs_of(project, project.bubbles[0], sys.argv[1]).sha256)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", inputs, site.version],
        cwd=site.root,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    with open(f"{site.root}/pylock.toml", encoding="utf-8") as file:
        text = file.read()
    site.write("pylock.toml", text.replace("sha256:0", f"sha256:{done.stdout.strip()}"))
    site.ok("sync")
    assert "unchanged" in site.ok("sync").err
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    for words in (["sync"], ["sync", "default"]):
        loaded = _loaded([program, *words], env, site.root) - _loaded(["-c", "pass"], env)
        barred = HEAVY | OPTIONS | {"bubble.pythons", "bubble.envs", "bubble.selection"}
        light = {"bubble.selection", "bubble.selection.shortcuts"}
        assert not _barred(loaded - light, barred)
        assert "bubble.projects.quick" in loaded

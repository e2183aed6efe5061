"""Locks that Poetry, PDM, pipenv and uv of today make of one project, taken over and installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from bench.peers import default_index
from support.builds import interpreters, packed_mirror
from support.needs import FULL_ONLY, not_here, real_uv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from conftest import Result

pytestmark = [pytest.mark.real, FULL_ONLY]

ASKED = '"requests[socks]>=2.31", "jinja2>=3,<4", "colorama ; sys_platform == \'win32\'"'
STANDARD = f"""\
[project]
name = "shop"
version = "0.1"
requires-python = ">=3.11,<4"
dependencies = [{ASKED}]
[project.optional-dependencies]
cli = ["click>=8"]
[dependency-groups]
dev = ["pytest>=8,<9"]
docs = ["markdown"]
"""
POETRY = """
[tool.poetry]
package-mode = false
[tool.poetry.group.docs]
optional = true
[[tool.poetry.source]]
name = "index"
url = "{index}"
priority = "primary"
"""
PIPFILE = """\
[[source]]
url = "{index}"
verify_ssl = true
name = "pypi"
[packages]
requests = {version = ">=2.31", extras = ["socks"]}
jinja2 = ">=3,<4"
colorama = {version = "*", markers = "sys_platform == 'win32'"}
[dev-packages]
pytest = "<9"
[docs]
markdown = "*"
"""
# the project's file, the lock, what makes it; the tool is what the first word names
TOOLS = {
    "poetry": ("pyproject.toml", STANDARD + POETRY, "poetry.lock", ["poetry", "lock"]),
    "pdm": (
        "pyproject.toml",
        STANDARD + "[tool.pdm]\ndistribution = false\n",
        "pdm.lock",
        ["pdm", "lock", "-G", ":all"],
    ),
    "pipenv": ("Pipfile", PIPFILE, "Pipfile.lock", ["pipenv", "lock", "--categories",
                                                     "packages,dev-packages,docs"]),
    "uv": ("pyproject.toml", STANDARD, "uv.lock", ["uv", "lock"]),
}  # fmt: skip

Pins = dict[tuple[str, str], set[str]]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def theirs(path: str) -> Pins:
    """Return what a tool's lock pins, with the sha256 of each file."""
    found: Pins = {}
    with open(path, "rb") as file:
        if path.endswith("Pipfile.lock"):
            sections = [v for k, v in json.load(file).items() if k != "_meta"]
            listed = [
                (n, p["version"], p.get("hashes", [])) for s in sections for n, p in s.items()
            ]
        else:
            listed = [
                (p["name"], p["version"], [f["hash"] for f in _files(p)])
                for p in tomllib.load(file)["package"]
            ]
    for name, version, hashes in listed:
        known = found.setdefault((plain(name), version.removeprefix("==")), set())
        known |= {text.partition(":")[2] for text in hashes}
    return found


def _files(package: Mapping[str, Any]) -> list[dict[str, str]]:
    one = [package["sdist"]] if "sdist" in package else []
    return [*package.get("files", []), *package.get("wheels", []), *one]


def ours(path: str) -> Pins:
    with open(path, "rb") as file:
        packages = tomllib.load(file)["packages"]
    return {
        (p["name"], p["version"]): {
            file["hashes"]["sha256"]
            for file in [*p.get("wheels", []), *([p["sdist"]] if "sdist" in p else [])]
        }
        for p in packages
    }


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Return a function that installs a tool from the index, and gives its program."""
    at = tmp_path_factory.mktemp("tools")

    def tool(name: str) -> str:
        if name == "uv":
            return real_uv()
        subprocess.run([sys.executable, "-m", "venv", f"{at}/{name}"], check=True)
        # PDM 2.29 takes a hishel that it doesn't work with
        wanted = [name, *(["hishel<2"] if name == "pdm" else [])]
        done = subprocess.run(
            [f"{at}/{name}/bin/python", "-m", "pip", "install", "-q", *wanted],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            not_here(f"{name} can't be installed from the index")
        return f"{at}/{name}/bin/{name}"

    return tool


@pytest.mark.parametrize("name", TOOLS)
def test_a_lock_of_today_is_taken_over_with_its_pins_and_installed(
    name: str,
    tools: Callable[[str], str],
    bubble: Callable[..., Result],
    env: dict[str, str],
    tmp_path: Path,
) -> None:
    file, text, lock, command = TOOLS[name]
    [version] = [v for v, _ in interpreters() if v.startswith("3.12.")] or ["3.12.1"]
    root = tmp_path / "shop"
    root.mkdir()
    (root / file).write_text(text.replace("{index}", default_index(sys.executable)))
    for variable in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "UV_OFFLINE"):
        env.pop(variable, None)
    env["BUBBLE_CATALOG"] = f"{packed_mirror([version])}/catalogue.json"
    env["PATH"] = f"{os.path.dirname(real_uv())}:{env['PATH']}"
    assert bubble("python", "install", version).status == 0
    python = bubble("python", "find", version).out.strip()
    done = subprocess.run(
        [tools(name), *command[1:]],
        cwd=root,
        env={
            **env,
            "PIPENV_PYTHON": python,
            "PIPENV_IGNORE_VIRTUALENVS": "1",
            "UV_PYTHON": python,
            "PDM_CHECK_UPDATE": "0",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(f"{root}/.venv", ignore_errors=True)  # PDM's, which isn't replaced
    pinned = theirs(f"{root}/{lock}")
    taken = bubble("import", lock, "--lock", "--json", cwd=root, timeout=600)
    assert taken.status == 0, taken.err
    locks = [
        str(path) for path in root.iterdir() if re.fullmatch(r"pylock(\..+)?\.toml", path.name)
    ]
    assert f"{root}/pylock.toml" in locks
    seen: set[tuple[str, str]] = set()
    for path in locks:
        for pin, hashes in ours(path).items():
            if name == "pipenv" and pin[0] == "colorama":
                continue  # which it pins nowhere but on Windows
            assert pin in pinned, (path, pin)
            assert hashes, pin
            assert hashes <= pinned[pin], pin
            seen.add(pin)
    assert {"requests", "pysocks", "jinja2", "pytest"} <= {pin[0] for pin in seen}
    assert bubble("lock", "--all", "--check", cwd=root).status == 0
    synced = bubble("sync", "--all", "--locked", cwd=root, timeout=600)
    assert synced.status == 0, synced.err
    assert bubble("status", cwd=root).status == 0
    runs = [f"{root}/.venv/bin/python", "-c", "import jinja2, requests, socks"]
    assert subprocess.run(runs, check=False).returncode == 0

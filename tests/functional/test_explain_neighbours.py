"""What `bubble explain` says that uv and mise read, held against uv and mise themselves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.selection.neighbours import neighbours
from support.needs import not_here, which
from support.shimworld import write

if TYPE_CHECKING:
    from pathlib import Path

# (files, working directory): `@` stands for the tree's root
TREES: dict[str, tuple[dict[str, str], str]] = {
    "one version": ({".python-version": "3.12\n"}, "a/b"),
    "several lines": ({".python-version": "# c\n\n3.12\n3.11\n"}, "a/b"),
    "several in a line": ({".python-version": "3.12:3.11\n"}, "a"),  # an error in mise
    "an inline comment": ({".python-version": "3.11 # c\n3.12\n"}, "a/b"),
    "a specifier": ({".python-version": ">=3.11\n"}, "a"),
    "nearest wins": ({".python-version": "3.11\n", "a/.python-version": "3.12\n"}, "a/b"),
    "versions": ({".python-version": "3.11\n", "a/.python-versions": "3.12\n"}, "a/b"),
    "both": ({"a/.python-version": "3.11\n", "a/.python-versions": "3.12\n"}, "a/b"),
    "system": ({".python-version": "system\n"}, "a"),
    "pyenv's pypy": ({".python-version": "pypy3.10-7.3.16\n"}, "a"),
    "a name": ({".python-version": "myenv\n"}, "a"),
    "empty": ({".python-version": "", "a/x": ""}, "a"),
    "a project below": (
        {
            ".python-version": "3.12\n",
            "a/pyproject.toml": '[project]\nname="x"\nversion="1"\nrequires-python=">=3.9"\n',
        },
        "a/b",
    ),
    "a project's own file": (
        {
            "a/.python-version": "3.12\n",
            "a/pyproject.toml": '[project]\nname="x"\nversion="1"\nrequires-python=">=3.9"\n',
        },
        "a/b",
    ),
    "a pyproject without a project": (
        {".python-version": "3.12\n", "a/pyproject.toml": "[tool.x]\na=1\n"},
        "a/b",
    ),
    "tool-versions": ({".tool-versions": "nodejs 20\npython 3.11 3.12\n"}, "a/b"),
    "tool-versions without python": (
        {".tool-versions": "python 3.11\n", "a/.tool-versions": "nodejs 20\n"},
        "a/b",
    ),
    "mise.toml": (
        {"a/mise.toml": '[tools]\npython = "3.10"\n', "a/.tool-versions": "python 3.11\n"},
        "a/b",
    ),
    "mise.toml without python": (
        {"a/mise.toml": '[tools]\nnode = "20"\n', ".tool-versions": "python 3.11\n"},
        "a/b",
    ),
    "several in mise.toml": ({"mise.toml": '[tools]\npython = ["3.12", "3.11"]\n'}, "a"),
}


def plant(root: Path, name: str) -> Path:
    files, cwd = TREES[name]
    (root / cwd).mkdir(parents=True)
    for path, text in files.items():
        write(f"{root}/{path}", text)
    return root / cwd


def told(tool: str, cwd: Path, env: dict[str, str]) -> tuple[str, str]:
    """Return (source, request) of what `explain` says that a tool reads."""
    (found,) = (n for n in neighbours(str(cwd), env) if n.tool == tool)
    return found.source, found.request


@pytest.fixture(scope="session")
def uv(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("uv")
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    pip: list[str | Path] = [
        directory / "bin/pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "uv",
    ]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip("needs uv (pip install uv)")
    return str(directory / "bin/uv")


@pytest.mark.parametrize("name", TREES)
def test_uv_reads_what_explain_says(name: str, uv: str, tmp_path: Path) -> None:
    cwd = plant(tmp_path / "tree", name)
    command = [uv, "python", "find", "-v", "--offline", "--no-python-downloads", "--color=never"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    source, request = told("uv", cwd, env)
    used = re.search(r"Using Python request `(.*)` from version file at `(.*)`", done.stderr)
    if used:
        assert (request, source) == used.groups()
    elif "from `requires-python` metadata" in done.stderr:
        assert os.path.basename(source) == "pyproject.toml"
        assert request == ">=3.9"
    else:
        assert request == ""
        read = re.search(r"Reading Python requests from version file at `(.*)`", done.stderr)
        assert source == (read.group(1) if read else "")


def test_uv_takes_its_variable_first(uv: str, tmp_path: Path) -> None:
    cwd = plant(tmp_path / "tree", "one version")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "UV_PYTHON": "3.11"}
    command = [uv, "venv", "-v", "--offline", "--no-python-downloads", "--color=never"]
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Searching for Python 3.11" in done.stderr
    assert told("uv", cwd, env) == ("UV_PYTHON", "3.11")


@pytest.mark.parametrize("idiomatic", ["", "python"])
@pytest.mark.parametrize("name", TREES)
def test_mise_reads_what_explain_says(name: str, idiomatic: str, tmp_path: Path) -> None:
    program = os.environ.get("BUBBLE_TEST_MISE") or which("mise")
    if not program:
        not_here("no mise to compare with (BUBBLE_TEST_MISE)")
    cwd = plant(tmp_path / "tree", name)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "MISE_OFFLINE": "1",
        "MISE_TRUSTED_CONFIG_PATHS": str(tmp_path),
        "MISE_IDIOMATIC_VERSION_FILE_ENABLE_TOOLS": idiomatic,
    }
    done = subprocess.run(
        [program, "ls", "--current", "--json", "python"],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if idiomatic and "invalid tool version request" in done.stderr:
        return  # mise stops at what only pyenv and bubble read: nothing to compare
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    source, request = told("mise", cwd, env)
    assert {row["source"]["path"] for row in rows} == ({source} if request else set())
    assert {row["requested_version"] for row in rows} == set(request.split())


VARIABLE = {"pyenv": "PYENV_VERSION", "uv": "UV_PYTHON", "mise": "MISE_PYTHON_VERSION"}


@pytest.mark.parametrize("tool", VARIABLE)
def test_a_tools_own_variable_comes_before_its_files(tool: str, tmp_path: Path) -> None:
    cwd = plant(tmp_path / "tree", "tool-versions")
    write(f"{cwd}/.python-version", "3.12\n")
    assert told(tool, cwd, {VARIABLE[tool]: "3.9"}) == (VARIABLE[tool], "3.9")
    assert told(tool, cwd, {VARIABLE[tool]: ""})[0].startswith(f"{tmp_path}/tree/")


@pytest.mark.parametrize(
    ("toml", "request_"),
    [
        ('[tools]\npython = {version = "3.10", virtualenv = ".venv"}\n', "3.10"),
        ('[tools]\npython = {path = "/usr"}\n', ""),
        ('tools = "python"\n', ""),
        ("[tools\n", ""),
        ('[tools]\npython = "3.10"\n' + "#" * (1 << 20), ""),  # larger than any such file
    ],
    ids=["a table", "a table without a version", "no tables", "no TOML", "too large"],
)
def test_of_a_mise_toml_a_version_counts_and_anything_else_says_nothing(
    toml: str, request_: str, tmp_path: Path
) -> None:
    write(f"{tmp_path}/mise.toml", toml)
    assert told("mise", tmp_path, {}) == (f"{tmp_path}/mise.toml" * bool(request_), request_)


def test_files_that_no_tool_could_read_are_told_as_saying_nothing(tmp_path: Path) -> None:
    for name in (".python-version", ".tool-versions"):
        write(f"{tmp_path}/{name}", "python 3.12\n" * 10_000)
    pin = f"{tmp_path}/.python-version"
    assert told("pyenv", tmp_path, {}) == (pin, "system")
    assert told("uv", tmp_path, {}) == (pin, "")
    assert told("mise", tmp_path, {}) == ("", "")

"""pyenv's rules, ours beside them: each row of the table is run against both programs.

The interpreters are doubles, in a PYENV_ROOT and a store of the test's own; the programs are real.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bubble.pythons.installed.store import Receipt, write_receipt
from support.builds import _home as home_of_this_user
from support.needs import not_here
from support.pyenv_table import BUILDS, DIFFERENT, INSTALLED, ROWS, SAME, Row, markdown
from support.shimworld import PLATFORM, ShimWorld, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Result

DOCS = Path(__file__).parents[2] / "docs" / "version-files.md"


def identifier(row: Row) -> str:
    return ascii(row.shown)[1:-1]


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    """A store with INSTALLED at BUBBLE_HOME; `black` is in the oldest one."""
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    for ours in INSTALLED.values():
        prefix = made.install(ours, *(["black"] if ours == "cpython-3.9.18" else []))
        if ours in BUILDS:
            write_receipt(prefix, receipt(prefix, BUILDS[ours]))
    return made


def receipt(prefix: str, build: str) -> Receipt:
    """Return what the receipt of a double tells: where it lies, and its release upstream."""
    return Receipt(
        key="",
        origin="",
        sha256="",
        build=build,
        flavour="",
        manifest_sha256="",
        installed_at=0,
        bubble="",
        prefix=prefix,
        executable="",
    )


class Pyenv:
    """The real pyenv with a root of doubles."""

    def __init__(self, program: str, root: str) -> None:
        self.program, self.root = program, root
        for name in (*INSTALLED, "3.11.9/envs/x"):
            for command in ("python", "python3", *(["black"] if name == "3.9.18" else [])):
                write(f"{root}/versions/{name}/bin/{command}", "#!/bin/sh\n", 0o755)

    def run(self, cwd: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self.program, *words],
            cwd=cwd,
            env={"PATH": "/usr/bin:/bin", "PYENV_ROOT": self.root, "HOME": self.root, **env},
            capture_output=True,
            timeout=60,
            check=False,
        )
        out, err = (b.decode("utf-8", "replace") for b in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(words, done.returncode, out, err)

    def selects(self, cwd: str) -> str:
        done = self.run(cwd, "version-name")
        name = done.stdout.strip("\n")
        if done.returncode == 0:
            return name
        assert "is not installed" in done.stderr
        return f"{name} + missing" if name else "missing"


@pytest.fixture
def pyenv(tmp_path: Path) -> Pyenv:
    program = f"{home_of_this_user()}/.pyenv/bin/pyenv"
    if not os.access(program, os.X_OK):
        program = shutil.which("pyenv") or not_here("no pyenv to compare with")
    return Pyenv(program, str(tmp_path / "pyenv"))


def bubble_selects(result: Result) -> str:
    """Return what `bubble current --json` says, in the table's words."""
    told = result.json
    if not (told.get("data") or {}).get("answers"):
        assert (
            result.status
            == {"not_installed": 1, "version_file": 1, "request": 2}[told["error"]["kind"]]
        )
        return "missing" if told["error"]["kind"] == "not_installed" else "refused"
    names = {ours: theirs for theirs, ours in INSTALLED.items()} | {"system": "system"}
    return ":".join(names[answer["name"]] for answer in told["data"]["answers"])


def put(tmp_path: Path, content: bytes) -> str:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / ".python-version").write_bytes(content)
    return str(directory)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("row", ROWS, ids=identifier)
def test_bubble_selects_what_the_table_says(
    row: Row, tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    directory = put(tmp_path, row.content)
    assert bubble_selects(bubble("current", "--json", cwd=directory)) == row.bubble


@pytest.mark.parametrize(
    "directory",
    ["pypy3.10-7.3.16", "pypy3.10-v7.3.16-linux64", "graalpy-24.1.0", "graalpy3.11-24.1.0"],
)
def test_an_adopted_interpreter_goes_by_the_release_in_its_directorys_name(
    directory: str, world: ShimWorld, tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    ours = "pypy-3.10.16" if directory.startswith("pypy") else "graalpy-3.11.0"
    prefix = world.layout.python(f"{ours}-{PLATFORM}")
    write_receipt(prefix, receipt(f"/home/somebody/versions/{directory}", ""))
    text = "pypy3.10-7.3.16" if directory.startswith("pypy") else "graalpy-24.1.0"
    cwd = put(tmp_path, f"{text}\n".encode())
    assert bubble_selects(bubble("current", "--json", cwd=cwd)) == text
    other = f"{text}1"
    assert f"“{other}”" in bubble("current", cwd=put_again(cwd, other)).err


def put_again(directory: str, text: str) -> str:
    write(f"{directory}/.python-version", f"{text}\n")
    return directory


@pytest.mark.parametrize("row", ROWS, ids=identifier)
def test_pyenv_selects_what_the_table_says(row: Row, tmp_path: Path, pyenv: Pyenv) -> None:
    assert pyenv.selects(put(tmp_path, row.content)) == row.pyenv


def test_each_difference_in_the_table_is_one_and_has_its_reason() -> None:
    assert [row for row in SAME if row.pyenv != row.bubble or row.why] == []
    assert [row for row in DIFFERENT if row.pyenv == row.bubble or not row.why] == []


def test_the_documentation_shows_the_table() -> None:
    assert markdown() in DOCS.read_text(), "run: python tests/support/pyenv_table.py"


# the order: variable, nearest file, global pin, system


def tree(tmp_path: Path) -> str:
    """Make /a (3.12, a home, a repository) and /a/b (a directory named .python-version)."""
    (tmp_path / "a/b/.python-version").mkdir(parents=True)
    (tmp_path / "a/.git").mkdir()
    (tmp_path / "a/.python-version").write_text("3.12\n")
    return str(tmp_path / "a/b")


@pytest.mark.usefixtures("world")
def test_a_directory_is_no_version_file_and_neither_home_nor_a_repository_ends_the_search(
    tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    below = tree(tmp_path)
    env = {"HOME": below}
    assert bubble_selects(bubble("current", "--json", cwd=below, env=env)) == "3.12.1"


def test_a_directory_is_no_version_file_for_pyenv_either(tmp_path: Path, pyenv: Pyenv) -> None:
    assert pyenv.selects(tree(tmp_path)) == "3.12.1"


@pytest.mark.usefixtures("world")
def test_an_empty_file_stops_the_search(tmp_path: Path, bubble: Callable[..., Result]) -> None:
    below = Path(tree(tmp_path))
    (below / ".python-version").rmdir()
    (below / ".python-version").touch()
    assert bubble_selects(bubble("current", "--json", cwd=below)) == "system"


@pytest.mark.usefixtures("pyenv")
def test_an_empty_file_stops_the_search_of_pyenv(tmp_path: Path, pyenv: Pyenv) -> None:
    below = Path(tree(tmp_path))
    (below / ".python-version").rmdir()
    (below / ".python-version").touch()
    assert pyenv.selects(str(below)) == "system"


def test_the_variable_beats_the_file_and_the_file_the_global_pin(
    world: ShimWorld, tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    write(world.layout.global_pin, "3.9\n")
    below = tree(tmp_path)

    def selects(cwd: str | Path, **env: str) -> str:
        return bubble_selects(bubble("current", "--json", cwd=cwd, env=env))

    assert selects(tmp_path) == "3.9.18"
    assert selects(below) == "3.12.1"
    assert selects(below, BUBBLE_PYTHON="3.11") == "3.11.10"
    assert selects(below, BUBBLE_PYTHON="3.11:3.9") == "3.11.10:3.9.18"
    assert selects(below, BUBBLE_PYTHON="") == "3.12.1"


def test_pyenv_has_the_same_order(tmp_path: Path, pyenv: Pyenv) -> None:
    write(f"{pyenv.root}/version", "3.9\n")
    below = tree(tmp_path)
    assert pyenv.selects(str(tmp_path)) == "3.9.18"
    assert pyenv.selects(below) == "3.12.1"
    assert pyenv.run(below, "version-name", PYENV_VERSION="3.11").stdout == "3.11.10\n"


# commands


def test_a_missing_one_of_several_leaves_the_rest(
    tmp_path: Path, pyenv: Pyenv, world: ShimWorld, bubble: Callable[..., Result]
) -> None:
    directory = put(tmp_path, b"3.99\n3.12\n3.11\n")
    theirs = pyenv.run(directory, "which", "python")
    assert theirs.stdout == f"{pyenv.root}/versions/3.12.1/bin/python\n"
    ours = bubble("which", "python", cwd=directory)
    assert ours.out == f"{world.layout.pythons}/3.12/bin/python\n"
    told = bubble("current", cwd=directory)
    assert (pyenv.run(directory, "version").returncode, told.status) == (1, 1)
    assert "“3.99”, which isn't installed" in told.err
    assert len(told.out.splitlines()) == 2


def test_the_first_of_several_that_has_the_command_runs_it(
    tmp_path: Path, pyenv: Pyenv, world: ShimWorld, bubble: Callable[..., Result]
) -> None:
    directory = put(tmp_path, b"3.12\n3.9\n")
    theirs = pyenv.run(directory, "which", "black")
    assert theirs.stdout == f"{pyenv.root}/versions/3.9.18/bin/black\n"
    ours = bubble("which", "black", cwd=directory)
    assert ours.out == f"{world.layout.pythons}/3.9/bin/black\n"


@pytest.mark.usefixtures("world")
def test_a_command_that_is_not_found_is_127_and_names_the_versions_that_have_it(
    tmp_path: Path, pyenv: Pyenv, bubble: Callable[..., Result]
) -> None:
    directory = put(tmp_path, b"3.12\n")
    theirs = pyenv.run(directory, "which", "black")
    assert theirs.returncode == 127
    assert "command not found" in theirs.stderr
    assert "  3.9.18\n" in theirs.stderr
    for ours in (bubble("which", "black", cwd=directory), bubble("exec", "black", cwd=directory)):
        assert ours.status == 127
        assert "black: not found in cpython-3.12.1" in ours.err
        assert "bubble exec -p cpython-3.9.18 black" in ours.err


def test_where_pyenv_answers_with_another_python_bubble_fails(
    tmp_path: Path, pyenv: Pyenv, world: ShimWorld, bubble: Callable[..., Result]
) -> None:
    """The hazard: 3.99 isn't installed, and pyenv runs the system's python3, without a word."""
    directory = put(tmp_path, b"3.99\n")
    other = tmp_path / "system"
    write(f"{other}/python3", "#!/bin/sh\necho the wrong one\n", 0o755)
    path = f"{other}:/usr/bin:/bin"
    theirs = pyenv.run(directory, "which", "python3", PATH=path)
    assert (theirs.returncode, theirs.stdout, theirs.stderr) == (0, f"{other}/python3\n", "")
    ours = bubble("which", "python3", cwd=directory, env={"PATH": path})
    assert (ours.status, ours.out) == (1, "")
    assert "asks for Python “3.99”, and nothing installed satisfies that" in ours.err
    assert "hint: bubble python install 3.99" in ours.err
    ran = bubble("exec", "python3", cwd=directory, env={"PATH": path})
    assert (ran.status, ran.out) == (127, "")
    env = {"PATH": f"{world.layout.shims}:{path}", "HOME": str(tmp_path)}
    shim = world.run("python3", directory, env)
    assert (shim.returncode, shim.stdout) == (127, "")
    assert "asks for Python “3.99”" in shim.stderr

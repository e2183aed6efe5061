"""Hostile manifests: an error with file and line, nothing run, fetched, written or lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubble.cli.main import main
from bubble.model.errors import BubbleError
from bubble.projects.inputs import inputs_of
from bubble.projects.reading import read_project
from support.hostile_manifests import BOM, CASES, MANIFEST
from support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any, NoReturn

    from bubble.projects.inputs import Inputs
    from bubble.projects.manifest import Project
    from support.hostile_manifests import Case

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*arguments: Any, **_: Any) -> NoReturn:
        raise AssertionError(f"something was started or connected: {arguments}")

    for owner, name in (
        (subprocess, "Popen"),
        (os, "system"),
        (os, "execve"),
        (os, "fork"),
        (os, "posix_spawn"),
        (socket.socket, "connect"),
    ):
        monkeypatch.setattr(owner, name, refuse)
    signal.alarm(int(PATIENCE))  # nothing hangs
    yield
    signal.alarm(0)


def lay(root: Path, files: Mapping[str, bytes]) -> str:
    root.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (root / name).write_bytes(data)
    return os.path.realpath(root)


def there(root: str) -> dict[str, tuple[int, int, int]]:
    """Return what is below a directory: path → inode, size, time of the last change."""
    found = {}
    for directory, names, files in os.walk(root):
        for name in [*names, *files]:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            found[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def test_there_are_a_hundred_of_them() -> None:
    assert len({tuple(case.files.items()) for case in CASES}) == len(CASES) >= 100


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: case.name[:60].encode("unicode_escape").decode()
)
def test_a_hostile_manifest_is_an_error_that_says_where_and_what(
    case: Case, tmp_path: Path
) -> None:
    root = lay(tmp_path / "project", case.files)
    before = there(root)
    with pytest.raises(BubbleError) as caught:
        read_project(root)
    error = caught.value
    assert error.kind == "manifest"
    place = f"{root}/{case.file}" + (f", line {case.line}:" if case.line else "")
    assert error.message.startswith(place.rstrip(":")), error.message
    if case.line:
        assert error.details["line"] == case.line
    assert case.words in error.message, error.message
    assert error.message.isprintable()
    assert error.hint.isprintable()
    assert len(error.message) < 1500
    assert SECRET not in f"{error.message}{error.hint}"
    assert error.hint
    assert there(root) == before


@pytest.mark.parametrize("command", ["lock", "sync", "lock --all --check", "sync --all --locked"])
def test_no_command_does_anything_with_a_hostile_manifest(
    command: str, tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for number, case in enumerate(CASES[::5]):
        root = lay(tmp_path / f"p{number}", {**case.files, "pylock.toml": b"x", "keep": b"y"})
        before = there(root)
        monkeypatch.chdir(root)
        assert main(command.split(), {**env, "PWD": root}) == 1, case.name
        said = capsys.readouterr()
        assert said.err.startswith("error: "), said.err
        assert "Traceback" not in said.err
        assert there(root) == before


@pytest.mark.parametrize("name", [MANIFEST, "pyproject.toml"])
@pytest.mark.parametrize("what", ["fifo", "socket", "directory", "dangling", "loop", "device"])
def test_what_is_no_file_is_no_manifest(
    name: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    match what:
        case "fifo":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as bound:
                monkeypatch.chdir(tmp_path)  # its name would be too long
                bound.bind(name)
        case "directory":
            path.mkdir()
        case "dangling":
            path.symlink_to("nowhere")
        case "loop":
            path.symlink_to(name)
        case "device":
            path.symlink_to("/dev/zero")
    with pytest.raises(BubbleError) as caught:
        read_project(str(tmp_path))
    assert caught.value.kind == "manifest"
    assert str(path) in caught.value.message


def test_a_link_to_a_manifest_is_one(tmp_path: Path) -> None:
    (tmp_path / "shared.toml").write_bytes(BOM + b'python = "3.12"\r\n')
    root = lay(tmp_path / "p", {})
    os.symlink("../shared.toml", f"{root}/{MANIFEST}")
    project = read_project(root)
    assert (project.root, project.bubbles[0].python) == (root, "3.12")


def test_a_directory_that_leads_out_by_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    root = lay(tmp_path / "p", {MANIFEST: b'[bubbles.a]\ndirectories = [\n"in/out"]\n'})
    os.mkdir(f"{root}/in")
    os.symlink("../../out", f"{root}/in/out")
    with pytest.raises(BubbleError, match=r"line 3.*leads out"):
        read_project(root)


def test_two_spellings_of_one_directory_collide(tmp_path: Path) -> None:
    text = b'[bubbles.a]\ndirectories=["x"]\n[bubbles.b]\ndirectories=["y"]\n'
    root = lay(tmp_path / "p", {MANIFEST: text})
    os.mkdir(f"{root}/x")
    os.symlink("x", f"{root}/y")
    with pytest.raises(BubbleError, match=r"line 4.*a's already"):
        read_project(root)


# anything of TOML's types, below keys that mean something or nothing
WORDS = st.sampled_from(
    ["default", "a", "A", "con", "python", "bubbles", "extends", "requirements", "dependencies",
     "groups", "directories", "project", "extras", "constraints", "kernel", "platforms", "dev",
     "six>=1", "../x", "editable", "3.12", "linux-x86_64", ".", "", "é\n", "\x1b[0m", "-e ."],
)  # fmt: skip
VALUES = st.recursive(
    WORDS | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
BUBBLE = st.fixed_dictionaries(
    {},
    optional={
        "python": st.just("3.12") | VALUES,
        "extends": WORDS,
        "dependencies": st.lists(WORDS, max_size=2) | VALUES,
        "groups": st.just(["dev"]) | VALUES,
        "directories": st.lists(WORDS, max_size=2),
        "project": st.just("editable") | VALUES,
        "requirements": st.lists(WORDS, max_size=2),
        "kernel": st.booleans() | VALUES,
    },
)
TREES = VALUES | st.fixed_dictionaries(
    {"bubbles": st.dictionaries(WORDS, BUBBLE | VALUES, max_size=4)},
    optional={"python": VALUES, "platforms": VALUES},
)


def dumped(value: object) -> str:
    """Return a value as TOML, all inline."""
    import json

    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(k)} = {dumped(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(dumped, value)) + "]"
        case str():
            return json.dumps(value)
        case bool():
            return str(value).lower()
    return repr(value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES, wrap=st.booleans(), noise=st.binary(max_size=4), cut=st.integers(0, 400))
def test_whatever_a_manifest_says_it_is_a_project_or_an_error_with_a_line(
    tree: object, wrap: bool, noise: bytes, cut: int, tmp_path: Path
) -> None:
    tree = tree if isinstance(tree, dict) else {"python": tree}
    text = "".join(f"{dumped(key)} = {dumped(value)}\n" for key, value in tree.items())
    if wrap:
        text = f"tool.bubble = {dumped(tree)}\n"
    data = text.encode() if cut > 200 else text.encode()[:cut] + noise
    name = "pyproject.toml" if wrap else MANIFEST
    root = lay(tmp_path / "p", {name: data})
    found = understood(root)
    os.unlink(f"{root}/{name}")
    if isinstance(found, BubbleError):
        assert found.kind == "manifest"
        assert found.message.isprintable()
        assert root in found.message
        return
    project, inputs = found
    for bubble in project.bubbles:
        assert os.path.dirname(project.path(bubble)) in {root, f"{root}/.venvs"}
        assert os.path.dirname(project.lock(bubble)) == root
        assert all(path.startswith(f"{root}/") for path in bubble.directories)
    assert all("\n" not in line for one in inputs for line in one.lines)


def understood(root: str) -> BubbleError | tuple[Project, list[Inputs]]:
    """Return the project in a directory with what its bubbles are locked from, or the error."""
    try:
        project = read_project(root)
        return project, [inputs_of(project, bubble, "3.12") for bubble in project.bubbles]
    except BubbleError as error:
        return error

"""`bubble import` of other tools' locks: the same pins and hashes, in locks for pip and uv."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.markers import Marker
from packaging.pylock import Pylock

from bubble.projects.reading import read_project
from support import foreign_locks
from support.environments import adopt_python
from support.foreign_locks import DEFAULT, EVERYTHING, PIPFILE, POETRY, PYPROJECT, Index
from support.needs import real_uv
from support.told import json_data, one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from conftest import Result
    from support.fault_server import FaultServer

    Bubble = Callable[..., Result]

# whose lock it is → the file beside it, and what an import leaves for `default`
BESIDE = {
    "uv.lock": ("pyproject.toml", PYPROJECT),
    "pdm.lock": ("pyproject.toml", PYPROJECT),
    "poetry.lock": ("pyproject.toml", POETRY),
    "Pipfile.lock": ("Pipfile", PIPFILE),
    "requirements.txt": ("", ""),
}
HELD = {"requirements.txt": DEFAULT, "Pipfile.lock": DEFAULT}


@pytest.fixture
def index(server: FaultServer) -> Index:
    return Index(server.directory, server.url)


def written(kind: str, index: Index, *, static: bool = False, old: bool = False) -> str:
    match kind:
        case "uv.lock":
            return foreign_locks.uv_lock(index)
        case "pdm.lock":
            return foreign_locks.pdm_lock(index, static=static)
        case "poetry.lock":
            return foreign_locks.poetry_lock(index, version="2.0" if old else "2.1")
        case "Pipfile.lock":
            return foreign_locks.pipfile_lock(index)
    return foreign_locks.hashed_requirements(index)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


def lay(project: Path, kind: str, text: str) -> None:
    (project / kind).write_text(text)
    name, beside = BESIDE[kind]
    if name:
        (project / name).write_text(beside)


def packages(path: Path) -> list[dict[str, Any]]:
    """Return the packages of a lock, which is validated."""
    read = tomllib.loads(path.read_text())
    Pylock.from_dict(read)
    found: list[dict[str, Any]] = read["packages"]
    return found


def here(found: list[dict[str, Any]]) -> dict[str, str]:
    """Return name → version of what a lock selects on this machine."""
    return {
        p["name"]: p["version"]
        for p in found
        if "marker" not in p or Marker(p["marker"]).evaluate()
    }


def hashes(found: list[dict[str, Any]]) -> dict[str, set[str]]:
    return {
        p["name"]: {h for wheel in p["wheels"] for h in wheel["hashes"].values()} for p in found
    }


@pytest.mark.parametrize(
    ("kind", "held"), [("uv.lock", EVERYTHING), ("pdm.lock", EVERYTHING)], ids=["uv", "pdm"]
)
def test_a_lock_that_says_where_files_lie_becomes_a_lock_without_a_network(
    kind: str,
    held: dict[str, str],
    project: Path,
    index: Index,
    bubble: Bubble,
    server: FaultServer,
) -> None:
    lay(project, kind, written(kind, index, static=True))
    done = bubble("import", kind, "--json", cwd=project)
    assert done.status == 0, done.err + done.out
    data = json_data(done.out)
    assert data["locked"] is True
    assert data["pinned"] == len(foreign_locks.PACKAGES)
    found = packages(project / "pylock.toml")
    assert here(found) == held
    # on Windows there is one more, which is locked as well
    assert {p["name"] for p in found} == set(foreign_locks.PACKAGES)
    assert hashes(found) == {name: {digest} for name, digest in index.hashes().items()}
    assert server.log == []
    # the manifest says what the project was, and the lock is that of the manifest
    text = (project / "pyproject.toml").read_text()
    assert text.startswith(PYPROJECT), "the file's own text is as it was"
    default = read_project(os.path.realpath(project)).bubbles[0]
    assert default.dependencies == ("requests>=2.31",)
    assert text.count("requests>=2.31") == 1, "they stay where they are"
    assert default.groups == ("dev",)


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("kind", ["uv.lock", "pdm.lock"])
def test_pip_and_uv_install_an_imported_lock_to_the_same_set(
    kind: str, installer: str, project: Path, index: Index, bubble: Bubble
) -> None:
    env = {"PATH": f"{os.path.dirname(real_uv())}:{os.environ['PATH']}", **index.env}
    adopt_python(bubble, "3.11")
    lay(project, kind, written(kind, index, static=True))
    assert bubble("import", kind, cwd=project).status == 0
    lock = str(project / "pylock.toml")
    made = bubble("create", "t", "-p", "3.11", "-r", lock, "--installer", installer, env=env)
    assert made.status == 0, made.err
    listed = {d["name"]: d["version"] for d in bubble("export", "t", "--json").json["data"]}
    assert listed == EVERYTHING


@pytest.mark.parametrize(
    ("kind", "old"),
    [
        ("pdm.lock", False),
        ("poetry.lock", False),
        ("poetry.lock", True),
        ("Pipfile.lock", False),
        ("requirements.txt", False),
    ],
)
def test_pins_without_addresses_are_kept_and_become_a_lock_when_an_index_is_asked(
    kind: str,
    old: bool,
    project: Path,
    index: Index,
    bubble: Bubble,
    server: FaultServer,
) -> None:
    env = {"PATH": f"{os.path.dirname(real_uv())}:{os.environ['PATH']}", **index.env}
    lay(project, kind, written(kind, index, old=old))
    offline = bubble("import", kind, "--json", cwd=project, env=env)
    assert offline.status == 0, offline.err + offline.out
    assert server.log == [], "nothing was said of a network"
    assert json_data_of(offline)["locked"] is False
    root = os.path.realpath(project)
    pinned = read_project(root).bubbles[0]
    if kind != "requirements.txt":
        (constraints,) = pinned.constraints
        with open(constraints, encoding="utf-8") as file:
            text = file.read()
        for name in HELD.get(kind, EVERYTHING):
            assert f"{name}=={foreign_locks.PACKAGES[name][0]}" in text
            assert index.hashes()[name] in text
    done = bubble("import", kind, "--lock", "--json", cwd=project, env=env)
    assert done.status == 0, done.err + done.out
    found = packages(project / "pylock.toml")
    held = HELD.get(kind, EVERYTHING)
    assert here(found) == held, "newer ones are there, and weren't pinned"
    for name, digests in hashes(found).items():
        assert digests == {index.hashes()[name]}
    assert read_project(root).bubbles[0].constraints == ()
    assert not list(project.glob("constraints.*")), "the locks hold the pins now"


def json_data_of(done: Result) -> Any:
    return done.json["data"]


def test_an_index_with_other_bytes_than_were_pinned_is_refused(
    project: Path, index: Index, bubble: Bubble
) -> None:
    env = {"PATH": f"{os.path.dirname(real_uv())}:{os.environ['PATH']}", **index.env}
    text = written("poetry.lock", index)
    lay(project, "poetry.lock", text.replace(index.hashes()["idna"], "0" * 64))
    done = bubble("import", "poetry.lock", "--lock", cwd=project, env=env)
    assert done.status == 1
    said, hint = one_error(done.err)
    assert "idna" in said
    assert "the manifest is written" in hint
    assert not (project / "pylock.toml").exists()


def test_a_locks_own_bubbles_are_groups_that_are_only_installed_when_asked_for(
    project: Path, index: Index, bubble: Bubble
) -> None:
    lay(project, "Pipfile.lock", written("Pipfile.lock", index))
    done = bubble("import", "Pipfile.lock", cwd=project)
    assert done.status == 0, done.err
    read = read_project(os.path.realpath(project))
    assert [b.name for b in read.bubbles] == ["default", "dev"]
    assert read.bubbles[0].python == "3.11"
    assert read.bubbles[1].dependencies == ("requests~=2.31", "pytest>=8")
    for path in project.iterdir():
        if path.name not in {"Pipfile", "Pipfile.lock"}:
            assert "s3cret" not in path.read_text()
    assert "s3cret" not in done.err + done.out
    assert "index.example" in done.err


def test_the_lock_of_an_import_is_that_of_its_manifest(
    project: Path, index: Index, bubble: Bubble
) -> None:
    from bubble.projects.inputs import inputs_of
    from bubble.projects.lockfile import read_lock

    lay(project, "uv.lock", written("uv.lock", index))
    (project / ".python-version").write_text("3.11\n")
    assert bubble("import", "uv.lock", cwd=project).status == 0
    read = read_project(os.path.realpath(project))
    lock = read_lock(str(project / "pylock.toml"))
    assert lock is not None
    assert lock.request == "3.11"
    assert lock.version.startswith("3.11.")
    assert len(lock.builds) > 1, "a build for each platform"
    assert lock.inputs == inputs_of(read, read.bubbles[0], "3.11").sha256

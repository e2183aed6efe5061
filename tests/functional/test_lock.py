"""`bubble lock`: what it writes, what it keeps, what it moves, and what it says of that."""

from __future__ import annotations

import json
import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

from support.locking import (
    doubles,
    everywhere,
    make_wheels,
    manifest,
    platforms,
    read,
    use_uv,
    versions,
)
from support.needs import real_uv
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, env: dict[str, str]) -> Path:
    """Return the directory of a project: a manifest, wheels, a catalogue with two patches."""
    use_uv(env, real_uv(), make_wheels(str(tmp_path / "wheels")), str(tmp_path / "tools"))
    builds = [*everywhere("3.12.4"), *everywhere("3.12.5"), *everywhere("3.11.9")]
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "mirror"), *builds)
    directory = tmp_path / "project"
    directory.mkdir()
    manifest(directory, 'dependencies = ["alpha<2"]')
    return directory


def locked(bubble: Bubble, project: Path, *arguments: str, **more: object) -> Result:
    done = bubble("lock", *arguments, cwd=project, **more)
    assert done.status == 0, done.err
    return done


def python_of(project: Path) -> str:
    return str(read(f"{project}/pylock.toml")["tool"]["bubble"]["python"]["version"])


def test_a_lock_is_the_standards_and_holds_the_interpreter_for_every_platform(
    bubble: Bubble, project: Path
) -> None:
    done = locked(bubble, project)
    path = project / "pylock.toml"
    assert done.out == f"{path}\n"
    data = read(str(path))
    checked = Pylock.from_dict(data)
    assert {str(p.name): str(p.version) for p in checked.packages} == {
        "alpha": "1.0",
        "beta": "1.1",
        "winonly": "3.0",
    }
    (only,) = [p for p in checked.packages if p.name == "winonly"]
    assert str(only.marker) == 'sys_platform == "win32"'
    for package in checked.packages:
        for file in package.wheels or ():
            assert len(file.hashes["sha256"]) == 64
    own = data["tool"]["bubble"]
    assert own["format"] == 1
    assert own["inputs"].startswith("sha256:")
    assert (own["python"]["request"], own["python"]["version"]) == ("3.12", "3.12.5")
    keys = {build["key"] for build in own["python"]["builds"]}
    assert keys == {f"cpython-3.12.5-{platform}" for platform in platforms()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert b"\r" not in path.read_bytes()


def test_a_lock_is_the_same_bytes_for_a_colleague(
    bubble: Bubble, project: Path, tmp_path: Path
) -> None:
    """Another root with spaces and letters, HOME, umask, locale, time zone, hash seed; twice."""
    vendored = project / "vendor"
    shutil.copytree(tmp_path / "wheels", vendored)
    manifest(project, 'dependencies = ["alpha<2"]', 'project = "editable"')
    (project / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\ndependencies = ["gamma"]\n'
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    )
    env = {"UV_FIND_LINKS": "vendor"}
    locked(bubble, project, env=env)
    first = (project / "pylock.toml").read_bytes()
    assert b'directory = { path = ".", editable = true }' in first
    assert b'path = "vendor/alpha-1.0-py3-none-any.whl"' in first
    other = tmp_path / "a colleague's ünïcode root" / "in it"
    shutil.copytree(project, other)
    (other / "pylock.toml").unlink()
    home = tmp_path / "elsewhere"
    home.mkdir()
    different = {
        **env,
        "HOME": str(home),
        "BUBBLE_HOME": str(home / "store"),
        "LC_ALL": "C",
        "TZ": "Asia/Kathmandu",
        "PYTHONHASHSEED": "7",
        "UV_CACHE_DIR": str(home / "uv"),
    }
    before = os.umask(0o077)
    try:
        locked(bubble, other, env=different)
    finally:
        os.umask(before)
    assert (other / "pylock.toml").read_bytes() == first
    assert stat.S_IMODE((other / "pylock.toml").stat().st_mode) == 0o644
    assert locked(bubble, other, env=different).err.startswith("unchanged ")
    assert (other / "pylock.toml").read_bytes() == first


def test_versions_stay_until_they_may_move_and_a_change_is_shown_like_a_diff(
    bubble: Bubble, project: Path, tmp_path: Path
) -> None:
    locked(bubble, project)
    wheel(str(tmp_path / "wheels"), "beta", "1.2")
    manifest(project, 'dependencies = ["alpha", "gamma"]')
    done = locked(bubble, project)
    assert "+ gamma 0.1" in done.err
    assert versions(f"{project}/pylock.toml")["alpha"] == "1.0", "a pin that still fits moved"
    shown = locked(bubble, project, "--upgrade", "--dry-run")
    assert "alpha 1.0 → 2.0" in shown.err
    assert "beta 1.1 → 1.2" in shown.err
    assert shown.err.startswith("would change ")
    assert versions(f"{project}/pylock.toml")["alpha"] == "1.0", "--dry-run wrote"
    one = locked(bubble, project, "--upgrade", "Beta", "--json")
    assert one.json["data"][0]["changes"] == [
        {"name": "beta", "before": "1.1", "after": "1.2", "what": ""}
    ]
    locked(bubble, project, "--upgrade")
    assert versions(f"{project}/pylock.toml")["alpha"] == "2.0"
    manifest(project, 'dependencies = ["gamma"]')
    assert "- alpha 2.0" in locked(bubble, project).err


def test_what_is_to_move_and_is_not_there_is_named_with_what_is_near(
    bubble: Bubble, project: Path
) -> None:
    locked(bubble, project)
    before = (project / "pylock.toml").read_bytes()
    done = bubble("lock", "--upgrade", "alpah", cwd=project)
    assert done.status == 2
    assert "no package “alpah”" in done.err
    assert "bubble lock --upgrade alpha" in done.err
    assert (project / "pylock.toml").read_bytes() == before


def test_python_alone_moves_and_the_packages_stay_byte_for_byte(
    bubble: Bubble, project: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "old"), *everywhere("3.12.4"))
    locked(bubble, project)
    assert python_of(project) == "3.12.4"
    packages = (project / "pylock.toml").read_text().partition("[tool.bubble]")[0]
    builds = [*everywhere("3.12.4"), *everywhere("3.12.5")]
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "new"), *builds)
    wheel(str(tmp_path / "wheels"), "beta", "1.2")
    assert locked(bubble, project).err.startswith("unchanged "), "a newer patch isn't asked for"
    done = locked(bubble, project, "--python")
    assert "cpython 3.12.4 → 3.12.5" in done.err
    assert (project / "pylock.toml").read_text().partition("[tool.bubble]")[0] == packages
    manifest(project, 'dependencies = ["alpha<2"]', python="3.11")
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "newer"), *everywhere("3.11.9"))
    done = locked(bubble, project)
    assert "cpython 3.12.5 → 3.11.9" in done.err
    assert read(f"{project}/pylock.toml")["requires-python"] == ">=3.11.9,<3.12"


def test_a_build_that_is_locked_stays_when_the_catalogue_has_a_newer_one_of_its_version(
    bubble: Bubble, project: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "old"), *everywhere("3.12.4", tag="20240101"))
    locked(bubble, project)
    before = (project / "pylock.toml").read_bytes()
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "new"), *everywhere("3.12.4", tag="20250101"))
    locked(bubble, project)
    assert (project / "pylock.toml").read_bytes() == before
    moved = locked(bubble, project, "--python")
    assert f"cpython 3.12.4: build 20240101 → 20250101 for {platforms()[0]}" in moved.err


def test_only_a_version_with_builds_for_all_named_platforms_is_locked(
    bubble: Bubble, project: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    here, *others = platforms()
    builds = [*everywhere("3.12.4"), *everywhere("3.12.5")[:1]]
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "some"), *builds)
    both = json.dumps([others[0], here])
    manifest(project, top=f"platforms = {both}")
    locked(bubble, project)
    own = read(f"{project}/pylock.toml")["tool"]["bubble"]["python"]
    assert own["version"] == "3.12.4"
    assert [b["key"] for b in own["builds"]] == [
        f"cpython-3.12.4-{others[0]}",
        f"cpython-3.12.4-{here}",
    ], "in the manifest's order, on every machine"
    manifest(project, python="3.12.5", top=f"platforms = {both}")
    done = bubble("lock", cwd=project)
    assert done.status == 1
    assert f"cpython-3.12.5 has none for {others[0]}" in done.err
    manifest(project, python="3.12.5")  # nothing named: those that have it
    locked(bubble, project)
    own = read(f"{project}/pylock.toml")["tool"]["bubble"]["python"]
    assert [b["key"] for b in own["builds"]] == [f"cpython-3.12.5-{here}"]


def test_free_threaded_builds_are_locked_as_what_they_are(
    bubble: Bubble, project: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    builds = [{"version": "3.13.1", "variant": variant} for variant in ("", "freethreaded")]
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "free"), *builds)
    manifest(project, python="3.13")
    locked(bubble, project)
    manifest(project, python="3.13t")
    done = locked(bubble, project)
    assert "- cpython 3.13.1" in done.err
    assert "+ cpython+freethreaded 3.13.1" in done.err


def test_check_tells_without_a_network_or_a_resolver_what_differs(
    bubble: Bubble, project: Path
) -> None:
    none = {"UV_FIND_LINKS": "/nonexistent", "PATH": "/nonexistent", "BUBBLE_CATALOG": "/none"}
    done = bubble("lock", "--check", cwd=project, env=none)
    assert (done.status, done.out) == (1, "")
    assert "there is none" in done.err
    locked(bubble, project)
    done = bubble("lock", "--check", cwd=project, env=none)
    assert (done.status, done.err) == (0, "")
    before = (project / "pylock.toml").read_bytes()
    manifest(project, 'dependencies = ["alpha>=2", "gamma"]', python="3.11")
    done = bubble("lock", "--check", "--json", cwd=project, env=none)
    assert done.status == 1
    (found,) = done.json["data"]
    assert found["status"] == "stale"
    assert found["differences"] == [
        "it is for Python “3.12”, and “3.11” is asked for",
        "it has alpha 1.0, and >=2 is asked for",
        "it has no gamma",
    ]
    assert (project / "pylock.toml").read_bytes() == before


def test_another_tools_lock_is_taken_for_its_pins_and_told_apart(
    bubble: Bubble, project: Path
) -> None:
    manifest(project, 'dependencies = ["alpha"]')
    (project / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "somebody"\n[[packages]]\nname = "alpha"\n'
        f'version = "1.0"\nwheels = [{{ url = "https://h.example/alpha-1.0-py3-none-any.whl", '
        f'hashes = {{ sha256 = "{"0" * 64}" }} }}]\n'
    )
    assert "another tool made it" in bubble("lock", "--check", cwd=project).err
    done = locked(bubble, project)
    assert versions(f"{project}/pylock.toml")["alpha"] == "1.0"
    assert "h.example" not in (project / "pylock.toml").read_text()
    assert "alpha 1.0: 1 new and 1 gone files of the same version" in done.err


def test_a_project_that_refuses_its_bubbles_python_is_told_before_anything_is_asked(
    bubble: Bubble, project: Path
) -> None:
    (project / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.13"\n'
    )
    manifest(project, 'project = "editable"')
    done = bubble("lock", cwd=project)
    assert done.status == 1
    assert "the bubble default has Python 3.12.5" in done.err
    assert "needs >=3.13 (pyproject.toml, line 4)" in done.err
    assert not (project / "pylock.toml").exists()


def test_groups_constraints_and_requirement_files_are_all_in_it(
    bubble: Bubble, project: Path
) -> None:
    (project / "pyproject.toml").write_text('[dependency-groups]\ndev = ["gamma"]\n[tool.uv]\n')
    (project / "r.txt").write_text("-r more.txt\n")
    (project / "more.txt").write_text("alpha\n")
    (project / "c.txt").write_text("alpha<2\nbeta==1.0\n")
    manifest(project, 'requirements = ["r.txt"]', 'groups = ["dev"]', 'constraints = ["c.txt"]')
    locked(bubble, project)
    assert versions(f"{project}/pylock.toml") == {
        "alpha": "1.0", "beta": "1.0", "gamma": "0.1", "winonly": "3.0",
    }  # fmt: skip


@pytest.mark.parametrize("what", ["link", "dangling", "directory", "fifo", "read-only"])
def test_what_is_no_file_that_may_change_is_never_written_to(
    bubble: Bubble, project: Path, tmp_path: Path, what: str
) -> None:
    path, other = project / "pylock.toml", tmp_path / "other"
    match what:
        case "link":
            other.write_text("precious\n")
            path.symlink_to(other)
        case "dangling":
            path.symlink_to(other)
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "read-only":
            path.write_text("precious\n")
            path.chmod(0o444)
    before = path.lstat()
    done = bubble("lock", cwd=project)
    assert done.status == 1
    assert str(path) in done.err
    after = path.lstat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
        before.st_ino, before.st_mode, before.st_mtime_ns,
    )  # fmt: skip
    assert not other.exists() or other.read_text() == "precious\n"
    assert sorted(os.listdir(project)) == ["bubble.toml", "pylock.toml"]


def test_of_several_bubbles_one_that_cannot_be_locked_keeps_no_other_back(
    bubble: Bubble, project: Path
) -> None:
    more = '[bubbles.wrong]\ndependencies = ["nowhere"]\n[bubbles.train]\ndependencies = ["gamma"]'
    manifest(project, 'dependencies = ["alpha"]', more)
    done = bubble("lock", "--all", "--json", cwd=project)
    assert done.status == 1
    assert [one["bubble"] for one in done.json["data"]] == ["default", "train"]
    assert done.json["error"]["message"].startswith("wrong: ")
    assert sorted(os.listdir(project)) == ["bubble.toml", "pylock.toml", "pylock.train.toml"]
    only = bubble("lock", "wrong", cwd=project)
    assert (only.status, only.out) == (1, "")
    assert bubble("lock", "nowhere", cwd=project).status == 1
    assert bubble("lock", "--check", "--python", cwd=project).status == 2
    assert bubble("lock", "--all", "--from", ".venv", cwd=project).status == 2

"""`bubble lock --installer pip`: pip's answer, for this platform alone, and said so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from packaging.pylock import Pylock

from support.builds import packed_mirror
from support.locking import make_wheels, own_pip, read, versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, env: dict[str, str]) -> Path:
    wheels = make_wheels(str(tmp_path / "wheels"))
    own_pip(wheels)
    env["BUBBLE_CATALOG"] = f"{packed_mirror(['3.12'])}/catalogue.json"
    env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, "PIP_CONFIG_FILE": os.devnull}
    directory = tmp_path / "project"
    directory.mkdir()
    want(directory, "alpha<2")
    return directory


def want(directory: Path, wanted: str) -> None:
    (directory / "bubble.toml").write_text(
        f'python = "3.12"\n[bubbles.default]\ndependencies = ["{wanted}"]\n'
    )


def test_pip_locks_for_this_platform_and_the_lock_and_bubble_say_so(
    bubble: Bubble, project: Path
) -> None:
    done = bubble("lock", "--installer", "pip", cwd=project)
    assert done.status == 1
    assert "pip resolves by the interpreter itself" in done.err
    assert bubble("python", "install", "3.12").status == 0
    done = bubble("lock", "--installer", "pip", cwd=project)
    assert done.status == 0, done.err
    assert "pip resolved it" in done.err
    path = project / "pylock.toml"
    data = read(str(path))
    lock = Pylock.from_dict(data)
    assert lock.environments is not None
    (marker,) = lock.environments
    assert not marker.evaluate({"python_version": "3.11", "sys_platform": "linux"})
    assert versions(str(path)) == {"alpha": "1.0", "beta": "1.1"}, "Windows' alone isn't in it"
    for package in lock.packages:
        assert package.wheels is not None
        assert len(package.wheels[0].hashes["sha256"]) == 64
    before = path.read_bytes()
    again = bubble("lock", "--installer", "pip", cwd=project)
    assert again.err.startswith("warning: default: the lock is for")
    assert path.read_bytes() == before
    want(project, "alpha")
    bubble("lock", "--installer", "pip", cwd=project)
    assert versions(str(path))["alpha"] == "1.0", "a pin that still fits moved"
    want(project, "alpha>=2")
    moved = bubble("lock", "--installer", "pip", cwd=project)
    assert "alpha 1.0 → 2.0" in moved.err, "a pin that doesn't fit any more held it back"
    made = bubble("create", "train", "-p", "3.12", "-r", str(path), "--installer", "pip")
    assert made.status == 0, made.err
    assert bubble("export", "train").out.split() == ["alpha==2.0", "beta==1.1"]


def test_what_pip_cannot_find_is_an_error_with_its_words(bubble: Bubble, project: Path) -> None:
    assert bubble("python", "install", "3.12").status == 0
    want(project, "nowhere")
    done = bubble("lock", "--installer", "pip", cwd=project)
    assert done.status == 1
    assert "No matching distribution found for nowhere" in done.err
    assert not (project / "pylock.toml").exists()

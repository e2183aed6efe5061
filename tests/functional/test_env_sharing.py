"""Environments that share their packages, and a real pip in one of them: no other one changes.

Hard links are asked for, so that it is the same for root.
"""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.environments import adopt_python, says
from support.trees import snapshot
from support.wheels import wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.environments import Bubble

LINKS = {"BUBBLE_SHARED_PACKAGES": "links"}


class Shelf:
    """A store and a directory of wheels: `tool` 1.0 and 2.0, whose module `same` is the same."""

    def __init__(self, bubble: Bubble, env: dict[str, str], directory: str) -> None:
        self.bubble = bubble
        self.home = env["BUBBLE_HOME"]
        for version in ("1.0", "2.0"):
            wheel(directory, "tool", version, "tool", modules=["same"], hashed=True)
        env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": directory, "PIP_CONFIG_FILE": os.devnull}
        adopt_python(bubble)

    def create(self, name: str, env: dict[str, str] | None = None, version: str = "1.0") -> str:
        done = self.bubble(
            *("create", name, "--installer", "pip", "--with", f"tool=={version}"),
            env={**LINKS, **(env or {})},
        )
        assert done.status == 0, done.err
        return f"{self.home}/envs/{name}"

    def pip(self, name: str, *arguments: str) -> None:
        done = self.bubble("run", name, "pip", *arguments)
        assert done.status == 0, done.err + done.out

    def gc(self, *arguments: str) -> int:
        done = self.bubble("gc", "--only", "packages", "--json", *arguments)
        assert done.status == 0, done.err
        freed = done.json["data"]["bytes"]
        assert isinstance(freed, int)
        return freed


@pytest.fixture
def shelf(bubble: Bubble, env: dict[str, str], tmp_path: Path) -> Shelf:
    (tmp_path / "wheels").mkdir()
    return Shelf(bubble, env, str(tmp_path / "wheels"))


def files(root: str) -> dict[str, os.stat_result]:
    """Return what a package has in an environment, bytecode as well."""
    [packages] = [f"{root}/lib/{name}/site-packages" for name in os.listdir(f"{root}/lib")]
    found = {}
    for above, _, names in os.walk(packages):
        for name in names:
            path = os.path.relpath(f"{above}/{name}", packages)
            if path.startswith(("tool", "same", "__pycache__/same")):
                found[path] = os.lstat(f"{above}/{name}")
    return found


def shared(one: str, other: str) -> set[str]:
    first, second = files(one), files(other)
    return {
        path for path in first.keys() & second.keys() if os.path.samestat(first[path], second[path])
    }


def test_what_pip_does_in_one_shows_in_no_other(shelf: Shelf) -> None:
    one, other, third = (shelf.create(name) for name in ("one", "other", "third"))
    both = shared(one, other)
    assert {"same.py", "tool/__init__.py", "tool-1.0.dist-info/METADATA"} <= both
    assert sum(path.endswith(".pyc") for path in both) == 2
    assert shared(one, third) == both
    before = {root: snapshot(root) for root in (other, third)}

    shelf.pip("one", "install", "-q", "tool==2.0")
    assert says(one, "tool") == "tool 2.0"
    assert not shared(one, other)
    shelf.pip("one", "uninstall", "-q", "-y", "tool")
    assert files(one) == {}
    # the way to files of one's own
    shelf.pip("one", "install", "-q", "tool==1.0")
    assert not shared(one, other)
    for path, info in files(one).items():
        assert info.st_mode & 0o200, path
    assert shelf.bubble("remove", "--yes", "one").status == 0
    assert {root: snapshot(root) for root in (other, third)} == before
    assert says(other, "tool") == "tool 1.0"
    assert shelf.bubble("doctor").status == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="not here: root is let")
def test_nobody_writes_to_what_others_have_by_mistake(shelf: Shelf) -> None:
    one, other = shelf.create("one"), shelf.create("other")
    [path] = [f"{other}/lib/{name}/site-packages/same.py" for name in os.listdir(f"{other}/lib")]
    assert "same.py" in shared(one, other)
    done = subprocess.run(["sh", "-c", f"echo x >> {path}"], check=False, capture_output=True)
    assert done.returncode != 0
    subprocess.run(["sed", "-i", "$ a x = 1", path], check=True)
    assert "same.py" not in shared(one, other)


def test_nothing_is_shared_where_that_is_said_and_by_root(shelf: Shelf) -> None:
    """Whom a mode doesn't stop, and who gives an environment away."""
    said = "none" if os.geteuid() else ""
    one = shelf.create("one", {"BUBBLE_SHARED_PACKAGES": said})
    assert {info.st_nlink for info in files(one).values()} == {1}
    done = shelf.bubble(
        *("create", "other", "--with", "tool"), env={"BUBBLE_SHARED_PACKAGES": "all"}
    )
    assert (done.status, "auto, links or none" in done.err) == (2, True)
    assert not os.path.lexists(f"{shelf.home}/envs/other")


def test_a_clone_and_a_renamed_one_share_and_gc_takes_what_nobody_has(shelf: Shelf) -> None:
    one = shelf.create("one")
    assert shelf.bubble("clone", "one", "clone", env=LINKS).status == 0
    clone, both = f"{shelf.home}/envs/clone", set(files(one))
    own = {path for path in both if path.endswith(("INSTALLER", "RECORD", "REQUESTED"))}
    assert shared(one, clone) == both - own
    assert shelf.bubble("rename", "one", "first", env=LINKS).status == 0
    first = f"{shelf.home}/envs/first"
    assert shared(first, clone) == both - own
    assert says(first, "tool") == says(clone, "tool") == "tool 1.0"

    assert shelf.gc() == 0
    for name in ("first", "clone"):
        assert shelf.bubble("remove", "--yes", name).status == 0
    pool = f"{shelf.home}/packages"
    used = sum(entry.stat().st_blocks * 512 for entry in os.scandir(pool))
    assert shelf.gc("--dry-run") == used > 0

    # what somebody planted there meanwhile gets into no environment
    for number, name in enumerate(sorted(os.listdir(pool))):
        PLANTS[number % len(PLANTS)](f"{pool}/{name}")
    root = shelf.create("other")
    assert says(root, "tool") == "tool 1.0"
    for path, info in files(root).items():
        [place] = [f"{root}/lib/{name}/site-packages/{path}" for name in os.listdir(f"{root}/lib")]
        assert stat.S_ISREG(info.st_mode)
        with open(place, "rb") as file:
            assert b"planted = True" not in file.read()
    assert shelf.bubble("remove", "--yes", "other").status == 0
    assert shelf.gc() > 0
    assert os.listdir(pool) == []
    assert shelf.gc() == 0


def _written(path: str) -> None:
    os.chmod(path, 0o644)
    with open(path, "a") as file:
        file.write("planted = True\n")


def _linked(path: str) -> None:
    os.unlink(path)
    os.symlink("/etc/passwd", path)


def _piped(path: str) -> None:
    os.unlink(path)
    os.mkfifo(path)


PLANTS = (_written, _linked, _piped)

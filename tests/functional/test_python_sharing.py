"""Patch releases of one minor share what is the same, and nothing that one could change in another.

The doubles of two patch releases differ in `bin` alone.
"""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from bubble.envs.discarding.gc.plan import plan
from bubble.pythons.installed import store
from bubble.pythons.installed.upkeep import remove, repair, verify
from bubble.pythons.installing.install import install
from bubble.pythons.installing.progress import Progress
from bubble.system.archive import twin
from bubble.system.host import host_platform
from bubble.system.machine import Machine
from bubble.system.trees import freed_by, size_of
from support.builds import small_archive
from support.figures import caught
from support.needs import ROOT_ONLY

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.pythons.installed.store import Installation
    from bubble.pythons.installed.upkeep import Verified
    from bubble.system.layout import Layout

OLD, NEW = "3.11.8", "3.11.9"
LIBRARY = "lib/python3.11"
OS = f"{LIBRARY}/os.py"
SHARED = {OS, "include/python3.11/Python.h", f"{LIBRARY}/extra0/module_0.py"}
OWN = {
    "bin/python3.11",
    f"{LIBRARY}/site-packages/README.txt",
    f"{LIBRARY}/EXTERNALLY-MANAGED",
    f"{LIBRARY}/config-3.11-x86_64-linux-gnu/Makefile",
    ".bubble/manifest",
}


class Shelf:
    """A store, into which builds are installed without a command."""

    def __init__(self, layout: Layout, env: dict[str, str], archives: str) -> None:
        self.machine = Machine(layout=layout, env=env, platform=host_platform(os.environ))
        self._archives = archives

    def add(self, version: str, *, files: int = 5) -> Installation:
        download = small_archive(f"{self._archives}/{files}", version, extra_files=files)
        return install(download, self.machine).installation

    def verified(self, installation: Installation) -> Verified:
        found = verify(installation, self.machine)
        assert found
        return found


@pytest.fixture
def shelf(layout: Layout, env: dict[str, str], tmp_path: Path) -> Shelf:
    return Shelf(layout, env, f"{tmp_path}/archives")


def numbers(installation: Installation) -> dict[int, str]:
    """Return the paths of an installation's regular files, by their inode's number."""
    prefix, found = installation.prefix, {}
    for directory, _, names in os.walk(prefix):
        for name in names:
            status = os.lstat(f"{directory}/{name}")
            if stat.S_ISREG(status.st_mode):
                found[status.st_ino] = os.path.relpath(f"{directory}/{name}", prefix)
    return found


def shared(one: Installation, other: Installation) -> set[str]:
    ones, others = numbers(one), numbers(other)
    return {path for number, path in ones.items() if number in others}


def replace(path: str, data: bytes, mode: int = 0o444) -> None:
    os.unlink(path)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def test_the_same_files_of_two_patch_releases_are_one_that_nobody_may_write(shelf: Shelf) -> None:
    old, new = shelf.add(OLD), shelf.add(NEW)
    found = shared(old, new)
    assert found >= SHARED
    assert not found & OWN
    for path in found:
        assert not os.lstat(f"{new.prefix}/{path}").st_mode & 0o222, path
    assert shelf.verified(old).is_whole
    assert shelf.verified(new).is_whole


def test_a_file_that_was_damaged_since_is_not_shared(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = shelf.add(OLD)
    replace(f"{old.prefix}/{OS}", b"!" * os.path.getsize(f"{old.prefix}/{OS}"))
    new = shelf.add(NEW)
    assert OS not in shared(old, new)
    assert shelf.verified(new).is_whole
    remove(new, shelf.machine)
    monkeypatch.setattr(twin, "same_content", lambda *_: True)
    new = shelf.add(NEW)
    assert [(p.path, p.what) for p in shelf.verified(new).problems] == [(OS, "content")]
    caught("a file that is shared by what a manifest says of it", by="a damaged twin")


def test_it_is_the_nearest_patch_release_of_the_same_minor_that_is_shared_with(
    shelf: Shelf,
) -> None:
    shelf.add("3.12.8")
    first, near = shelf.add("3.11.1", files=2), shelf.add(OLD)
    os.chmod(f"{near.prefix}/{OS}", 0o644)
    new = shelf.add(NEW)
    assert f"{LIBRARY}/extra0/module_3.py" in shared(near, new)
    assert OS not in shared(first, new)


@ROOT_ONLY
def test_a_file_of_another_owner_is_not_shared_and_told(shelf: Shelf) -> None:
    old, new = shelf.add(OLD), shelf.add(NEW)
    for directory, _, names in os.walk(old.prefix):
        for name in names:
            os.lchown(f"{directory}/{name}", 65534, 65534)
    os.chown(old.prefix, 65534, 65534)
    found = shelf.verified(new).problems
    assert {p.what for p in found} == {"owner"}
    assert {p.path for p in found} >= SHARED
    done = repair([shelf.verified(new)], shelf.machine, Progress())
    assert not done.errors
    assert shelf.verified(new).is_whole
    assert not shared(old, new)


def test_a_store_that_is_everybodys_has_no_links(shelf: Shelf) -> None:
    shelf.machine = shelf.machine.replace(env={**shelf.machine.env, "BUBBLE_SYSTEM": "1"})
    old, new = shelf.add(OLD), shelf.add(NEW)
    assert not shared(old, new)
    assert shelf.verified(new).is_whole


def test_repairing_or_removing_one_leaves_the_other_alone(shelf: Shelf) -> None:
    old, new = shelf.add(OLD), shelf.add(NEW)
    with open(f"{new.prefix}/{OS}", "rb") as file:
        content = file.read()
    replace(f"{old.prefix}/{OS}", b"!" * len(content))
    assert shelf.verified(new).is_whole
    repair([shelf.verified(old)], shelf.machine, Progress())
    assert shelf.verified(old).is_whole
    assert OS in shared(old, new)
    remove(old, shelf.machine)
    assert shelf.verified(new).is_whole
    with open(f"{new.prefix}/{OS}", "rb") as file:
        assert file.read() == content
    assert os.lstat(f"{new.prefix}/{OS}").st_nlink == 1


def test_a_copy_of_the_store_is_whole_whether_it_keeps_links_or_not(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.add(OLD)
    shelf.add(NEW)
    home = shelf.machine.layout.home
    shutil.move(home, f"{tmp_path}/away")
    shutil.copytree(f"{tmp_path}/away", home, symlinks=True)
    there = store.installations(shelf.machine.layout)
    assert len(there) == 2
    assert all(shelf.verified(installation).is_whole for installation in there)


def test_what_gc_says_is_freed_is_freed(shelf: Shelf) -> None:
    installed = [shelf.add(version) for version in ("3.11.7", OLD, NEW)]
    items = plan(shelf.machine, "/", ["pythons"])
    assert [item.path for item in items] == [installed[1].prefix, installed[0].prefix]
    pythons = shelf.machine.layout.pythons
    before = size_of(pythons)
    for item in items:
        shutil.rmtree(item.path)
        assert before - size_of(pythons) == item.size
        before -= item.size
    assert freed_by(pythons) == before

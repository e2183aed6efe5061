"""What a sweep believes and what stops it: the journal's word alone, and nothing."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from bubble.system import journal
from bubble.system.removal import set_aside
from bubble.system.staging import Staging
from bubble.system.sweep import sweep
from support.trees import fill, snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout


def publish(layout: Layout, target: str) -> None:
    with Staging(layout, target) as staging:
        fill(staging.path)
        staging.publish()


def test_nothing_of_a_project_is_swept_but_what_the_store_knows(
    layout: Layout, tmp_path: Path, canary: str
) -> None:
    root = str(tmp_path / "project")
    for name in (".bubble-staging/x", ".bubble-trash/replaced.x|y.0", ".bubble-0123456789abcdef"):
        fill(f"{root}/{name}")
    os.symlink(canary, f"{root}/x")
    with open(f"{root}/.bubble-removed.0123456789abcdef", "w"):
        pass
    before = snapshot(root)
    publish(layout, f"{root}/.venv")
    sweep(layout)
    set_aside(layout, f"{root}/.venv").delete()
    assert snapshot(root) == before


@pytest.mark.parametrize("lost", ["target", "scratch"])
def test_an_entry_whose_directory_is_another_by_now_touches_nothing(
    layout: Layout, tmp_path: Path, canary: str, lost: str
) -> None:
    root = str(tmp_path / "project")
    fill(f"{root}/.venv")
    entry = journal.begin(
        layout,
        beside=root if lost == "scratch" else "",
        target=f"{root}/.venv" if lost == "target" else "",
    )
    os.symlink(canary, entry.begun.scratch or f"{root}/link")
    entry.leave()
    before = snapshot(root)
    assert sweep(layout) == ()
    assert snapshot(root) == before
    assert os.listdir(layout.journal) == []


def test_what_lies_on_a_disk_that_is_away_is_remembered_for_a_season(
    layout: Layout, tmp_path: Path
) -> None:
    entry = journal.begin(layout, beside=str(tmp_path / "away"))
    entry.leave()
    assert sweep(layout) == ()
    assert journal.left(layout) == []
    assert os.listdir(layout.journal) == [entry.begun.token]
    os.utime(entry.path, (1, 1))
    sweep(layout)
    assert os.listdir(layout.journal) == []


@pytest.mark.parametrize("begun", [True, False])
def test_what_is_to_go_is_told_when_it_has_begun_to(
    layout: Layout, tmp_path: Path, begun: bool
) -> None:
    path = str(tmp_path / "project/.venv")
    fill(path)
    entry = journal.begin(layout, target=path)
    with open(f"{path}/{entry.begun.tombstone if begun else '.bubble-removed.0'}", "w"):
        pass
    assert journal.left(layout) == []  # its owner lives
    entry.leave()
    assert journal.left(layout) == ([path] if begun else [])
    assert sweep(layout) == ()
    assert os.path.lexists(path) != begun
    assert os.listdir(layout.journal) == []


def test_an_entry_that_says_nothing_is_dropped(layout: Layout) -> None:
    os.makedirs(layout.journal)
    for name, text in (("a", ""), ("b", "bubble journal 1\0/x"), ("c", "other\0/x\0/y\0")):
        with open(f"{layout.journal}/{name}", "w") as file:
            file.write(text)
    sweep(layout)
    assert os.listdir(layout.journal) == []


# what can't be deleted


def test_what_cannot_be_deleted_is_returned_and_keeps_nothing_else(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for files of another user: they can't be unlinked."""
    fill(f"{layout.trash}/a.0")
    fill(f"{layout.trash}/b.0")
    fill(f"{layout.staging}/c.0")
    with open(f"{layout.trash}/a.0/deep/er/stuck", "w"):
        pass
    unlink = os.unlink

    def refuse(name: str, **options: int) -> None:
        if name == "stuck":
            raise PermissionError(errno.EACCES, "Permission denied", name)
        unlink(name, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refuse)
        (stuck,) = sweep(layout)
        publish(layout, layout.python("key"))
    assert stuck.path == f"{layout.trash}/a.0"
    assert isinstance(stuck.error, OSError)
    assert stuck.error.filename == f"{layout.trash}/a.0/deep/er/stuck"
    assert os.listdir(layout.trash) == ["a.0"]
    assert os.listdir(layout.staging) == []
    assert sweep(layout) == ()
    assert os.listdir(layout.trash) == []

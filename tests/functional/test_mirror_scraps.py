"""A mirror's scratch: what writers have in it, what killed ones left, and what isn't bubble's."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.installing.mirror import Mirror
from support.builds import TAG, archive_path, small_archive, small_mirror

if TYPE_CHECKING:
    from pathlib import Path


def test_what_killed_writers_left_goes_and_what_others_put_there_stays(tmp_path: Path) -> None:
    small_mirror(str(tmp_path), ["3.11.9"])
    theirs = (f"{TAG}/notes", "index.html", ".partial/directory/file")
    killed = (".SHA256SUMS.7.0a1b2c3d.tmp", f"{TAG}/.SHA256SUMS.7.0a1b2c3d.tmp", ".partial/a.0a1b")
    for name in (*theirs, *killed):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    with Mirror(str(tmp_path)).partial("of a live writer") as live:
        small_mirror(str(tmp_path), ["3.11.9"])
        assert os.path.exists(live.path)
    assert [name for name in theirs if (tmp_path / name).exists()] == list(theirs)
    assert [name for name in killed if (tmp_path / name).exists()] == []
    assert os.listdir(tmp_path / ".partial") == ["directory"]


def test_a_file_that_a_sweeper_takes_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock
    swept: list[str] = []

    def flock(descriptor: int, operation: int) -> None:
        if not swept:
            (name,) = os.listdir(tmp_path / ".partial")
            swept.append(f"{tmp_path}/.partial/{name}")
            os.unlink(swept[0])
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    descriptors = len(os.listdir("/dev/fd"))
    with Mirror(str(tmp_path)).partial("archive") as partial:
        assert os.path.exists(partial.path)
        assert partial.path != swept[0]
    assert os.listdir(tmp_path / ".partial") == []
    assert len(os.listdir("/dev/fd")) == descriptors


def test_an_archive_that_changes_while_it_is_copied_is_refused(tmp_path: Path) -> None:
    found = small_archive(str(tmp_path / "cache"), "3.11.9")
    place = Mirror(str(tmp_path / "mirror"))
    with (
        place.partial(found.file_name) as partial,
        pytest.raises(BubbleError, match="changed while it was copied") as caught,
    ):
        partial.take(archive_path(found), "0" * 64)
    assert caught.value.kind == "checksum"
    assert os.listdir(tmp_path / "mirror") == [".partial"]
    assert os.listdir(tmp_path / "mirror/.partial") == []

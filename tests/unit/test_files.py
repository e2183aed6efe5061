"""Small files: the old one or the new one, nothing beside it; what killed writers left behind."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from typing import TYPE_CHECKING

import pytest

from bubble.system.files import (
    fast_sha256,
    link_atomic,
    read_text,
    replace_file,
    temporaries,
    unlink_unlocked,
    write_atomic,
)
from support.needs import ROOT_ONLY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("data", [b"", b"bubble", bytes(range(256)) * 300])
def test_the_sha256_without_openssl_is_the_same(data: bytes) -> None:
    assert fast_sha256(data) == hashlib.sha256(data).hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "place"
    place.mkdir()
    return place


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_written_whole_and_nothing_lies_beside_it(place: Path, durable: bool) -> None:
    path = place / "file"
    path.write_bytes(b"old")
    write_atomic(str(path), b"new" * 100_000, 0o600, durable=durable)
    assert path.read_bytes() == b"new" * 100_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(place) == ["file"]


@pytest.mark.parametrize("writer", [write_atomic, replace_file])
def test_what_can_not_be_written_leaves_everything_as_it_was(place: Path, writer: object) -> None:
    assert callable(writer)
    (place / "file").mkdir()
    files = len(os.listdir("/dev/fd"))
    with pytest.raises(IsADirectoryError):
        writer(str(place / "file"), b"new")
    assert os.listdir(place) == ["file"]
    assert (place / "file").is_dir()
    assert len(os.listdir("/dev/fd")) == files


def test_a_link_replaces_a_file_or_a_link_but_no_directory(place: Path) -> None:
    path = place / "link"
    path.write_text("old")
    for target in ("one", "two"):
        link_atomic(target, str(path))
        assert os.readlink(path) == target
    (place / "directory").mkdir()
    with pytest.raises(IsADirectoryError):
        link_atomic("three", str(place / "directory"))
    assert sorted(os.listdir(place)) == ["directory", "link"]


def test_a_users_file_keeps_its_mode_whatever_the_umask(place: Path) -> None:
    path = place / "file"
    old = os.umask(0o027)
    try:
        replace_file(str(path), b"new", 0o666)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        replace_file(str(path), b"newer")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    finally:
        os.umask(old)
    assert path.read_bytes() == b"newer"


@ROOT_ONLY
def test_a_users_file_keeps_its_owner_where_root_replaces_it(place: Path) -> None:
    path = place / "file"
    replace_file(str(path), b"new", 0o600, (12345, 54321))
    info = path.stat()
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (12345, 54321, 0o600)


def test_an_owner_that_can_not_be_given_is_no_reason_to_fail(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def fchown(_: int, *owner: int) -> None:
        asked.append((owner[0], owner[1]))
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", fchown)
    replace_file(str(place / "file"), b"new", 0o644, (os.geteuid(), os.getegid() + 1))
    assert asked == [(os.geteuid(), os.getegid() + 1)]
    assert (place / "file").read_bytes() == b"new"


def test_what_killed_writers_left_goes_and_what_a_live_one_writes_stays(place: Path) -> None:
    dead, live = place / ".file.1.0a1b2c3d.tmp", place / ".file.2.0a1b2c3d.tmp"
    others = [".file.tmp", "file.1.0a1b2c3d.tmp", ".other.1.0a1b.tmp"]
    others += [".file.b.1.0a1b2c3d.tmp", ".file.1.b.2.0a1b2c3d.tmp"]  # of `file.b`, `file.1.b`
    for name in (dead, live, *(place / other for other in others)):
        name.write_text("half")
    with open(live) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        replace_file(str(place / "file"), b"new")
        assert sorted(os.listdir(place)) == sorted([live.name, "file", *others])
    replace_file(str(place / "file"), b"newer")
    assert sorted(os.listdir(place)) == sorted(["file", *others])
    assert temporaries(str(place), "file") == []


def test_a_writer_whose_file_is_taken_away_before_it_is_locked_begins_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock
    taken: list[str] = []

    def flock(descriptor: int, kind: int) -> None:
        if not taken:  # a double for another writer, which comes just then
            taken.extend(temporaries(str(place), "file"))
            os.unlink(taken[0])
        real(descriptor, kind)

    files = len(os.listdir("/dev/fd"))
    monkeypatch.setattr(fcntl, "flock", flock)
    replace_file(str(place / "file"), b"new")
    assert len(taken) == 1
    assert (place / "file").read_bytes() == b"new"
    assert os.listdir(place) == ["file"]
    assert len(os.listdir("/dev/fd")) == files


def test_a_file_is_deleted_unless_it_is_locked(place: Path) -> None:
    path = place / "file"
    path.write_text("half")
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert not unlink_unlocked(str(path))
        assert path.exists()
    assert unlink_unlocked(str(path))
    assert not path.exists()
    assert unlink_unlocked(str(path)), "what isn't there is gone"


def test_a_file_that_another_process_deletes_first_is_gone(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place / "file"
    path.write_text("half")
    # a double for the other process, which comes between the two calls
    monkeypatch.setattr(fcntl, "flock", lambda *_: os.unlink(path))
    assert unlink_unlocked(str(path))


def test_the_text_of_a_file_is_read_and_nothing_else_is_one(place: Path) -> None:
    path = place / "file"
    path.write_bytes(b"a\xff" + b"b" * 20_000)
    assert read_text(str(path)) == "a\udcff" + "b" * 20_000
    assert read_text(str(path), 10_000) == "a\udcff" + "b" * 9_998
    assert read_text(str(place)) is None
    assert read_text(str(place / "nothing")) is None
    assert read_text(str(path / "below")) is None

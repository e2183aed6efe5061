"""Files that are shared with a tree beside: the very same ones, or none."""

from __future__ import annotations

import errno
import fcntl
import os
import random
from typing import TYPE_CHECKING

import pytest

from bubble.system.archive import extract, twin
from bubble.system.archive.twin import Twin
from support import tarbuild as t
from support.archive_arena import Arena
from support.needs import ROOT_ONLY
from support.swaps import a_directory, a_link, a_pipe, another, gone, setuid, writable
from support.trees import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LARGE = random.Random(13).randbytes(5 << 19)  # doesn't come in one piece
CONTENTS = {
    "lib/a": b"all of it",
    "lib/deep/b": b"another",
    "lib/large": LARGE,
    "bin/own": b"written by many",
    "lib/empty": b"",
}
MEMBERS = b"".join(t.file(f"python/{path}".encode(), data) for path, data in CONTENTS.items())
FIXED = {"lib/a", "lib/deep/b", "lib/large", "lib/empty"}


class Pair:
    """A tree that was unpacked, and one that is unpacked beside it."""

    def __init__(self, root: str) -> None:
        self.arena = Arena(root)
        self.arena.write(t.gz(MEMBERS + t.END))
        self.first = f"{root}/first"
        os.mkdir(self.first)
        done = extract(self.arena.archive, self.first, fixed=FIXED.__contains__)
        self.known = {e.path: (e.mode, e.size, e.crc32) for e in done.entries if e.kind == "file"}
        self.second = self.arena.staging

    def share(self, *, links: bool = True) -> set[str]:
        """Unpack again; return the paths of what is shared. All must be as without a twin."""
        self.arena.clear()
        extract(self.arena.archive, self.second, fixed=FIXED.__contains__)
        alone = snapshot(self.second)
        self.arena.clear()
        canary = snapshot(self.arena.canary)
        descriptors = len(os.listdir("/dev/fd"))
        beside = Twin(self.first, self.known, links=links)
        extract(self.arena.archive, self.second, fixed=FIXED.__contains__, twin=beside)
        assert len(os.listdir("/dev/fd")) == descriptors
        assert snapshot(self.second) == alone
        assert snapshot(self.arena.canary) == canary
        found = set()
        for path in CONTENTS:
            if os.path.isfile(f"{self.first}/{path}"):
                one, other = (os.lstat(f"{root}/{path}") for root in (self.first, self.second))
                if one.st_ino == other.st_ino:
                    found.add(path)
        return found


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(str(tmp_path))


def test_what_is_fixed_is_one_file_and_nothing_else_is(pair: Pair) -> None:
    assert pair.share() == FIXED
    assert os.lstat(f"{pair.second}/lib/large").st_mode & 0o7777 == 0o444
    assert os.lstat(f"{pair.second}/bin/own").st_mode & 0o7777 == 0o644


def test_without_links_nothing_is(pair: Pair) -> None:
    assert not pair.share(links=False)


def longer(path: str) -> None:
    with open(path, "ab") as file:
        file.write(b"!")


def behind_a_link(path: str) -> None:
    directory = os.path.dirname(path)
    os.rename(directory, f"{directory}.there")
    os.symlink(f"{directory}.there", directory)


KINDS = (another, writable, setuid, a_link, behind_a_link, a_pipe, a_directory, gone)


@pytest.mark.parametrize("change", [*KINDS, pytest.param(longer, marks=ROOT_ONLY)])
@pytest.mark.parametrize("path", ["lib/deep/b", "lib/large"])
def test_what_is_not_as_it_was_unpacked_is_not_shared(
    pair: Pair, change: Callable[[str], None], path: str
) -> None:
    change(f"{pair.first}/{path}")
    assert path not in pair.share()


@ROOT_ONLY
@pytest.mark.parametrize("path", ["lib/deep/b", "lib/large"])
def test_what_belongs_to_another_user_is_not_shared(pair: Pair, path: str) -> None:
    os.chown(f"{pair.first}/{path}", 65534, -1)
    assert pair.share() == FIXED - {path}


@pytest.mark.parametrize(
    "number",
    [errno.EMLINK, errno.EXDEV, errno.EPERM, errno.ENOSPC, errno.EOPNOTSUPP, errno.ENOENT],
    ids=errno.errorcode.get,
)
def test_where_a_link_is_refused_the_file_is_written(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    asked = []

    def refuse(*where: object, **_: object) -> None:
        asked.append(where)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    assert not pair.share()
    # what is true of one file is asked again, what is true of the file system isn't
    assert len(asked) == (len(FIXED) if number in {errno.EMLINK, errno.ENOENT} else 1)


@pytest.mark.parametrize("path", ["lib/deep/b", "lib/large"])
def test_what_takes_the_place_of_a_file_that_was_compared_is_not_kept(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    link = os.link

    def exchanged(source: str, target: str, *, src_dir_fd: int, **options: object) -> None:
        if path.endswith(f"/{source}"):
            another(f"/proc/self/fd/{src_dir_fd}/{source}")
        link(source, target, src_dir_fd=src_dir_fd, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", exchanged)
    assert path not in pair.share()


def test_where_files_can_be_cloned_none_is_linked(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloned: list[int] = []

    def clone(file: int, request: int, source: int) -> int:
        assert request == 0x40049409  # FICLONE
        data = os.pread(source, 1 << 24, 0)
        os.write(file, data if cloned else b"!" * len(data))  # one was changed meanwhile
        cloned.append(file)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", clone)
    assert not pair.share(links=False)
    assert len(cloned) == len(FIXED)


def test_a_planted_bug_that_compares_nothing_is_seen(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    another(f"{pair.first}/lib/a")
    monkeypatch.setattr(twin, "same_content", lambda *_: True)
    with pytest.raises(AssertionError):
        pair.share()

"""An archive is expanded while it comes, and nobody looks before its sha256 was found right."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import os
import random
import threading

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.installing.ahead import Ahead
from bubble.system.archive import extract, headers
from bubble.system.archive.stream import AHEAD, CHUNK, EARLY
from bubble.system.http.download import download
from bubble.system.http.part import Part
from support import tarbuild as t
from support.archive_arena import Arena
from support.fault_handlers import Resource, sequence
from support.fault_server import serve
from support.figures import caught
from support.patience import PATIENCE
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

NOISE = random.Random(13).randbytes(3 << 20)
MEMBERS = t.file(b"python/a", NOISE) + t.file(b"python/b/c", b"", mode=0o755) + t.END


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(str(tmp_path))


def outcome(arena: Arena, ahead: Ahead | None = None) -> object:
    """Return what an extraction wrote, or what it said."""
    arena.clear()
    try:
        done = extract(
            arena.archive, arena.staging, begun=ahead.take(arena.archive) if ahead else None
        )
    except BubbleError as error:
        return error.message
    return done.entries, snapshot(arena.staging)


ARCHIVES = {
    "gzip": t.gz(MEMBERS),
    "zstd": t.zst(MEMBERS),
    "cut": t.gz(MEMBERS)[:-9],
    "damaged": t.gz(MEMBERS)[:-5] + b"12345",
    "with bytes behind it": t.gz(MEMBERS) + b"x",
    "two members": t.gz(MEMBERS) + t.gz(MEMBERS),
    "no end marker": t.gz(t.file(b"python/a", NOISE)),
    "hostile name": t.gz(t.file(b"python/../a", NOISE) + t.END),
    "zip": b"PK\x03\x04" + NOISE,
    "five bytes": b"\x1f\x8b\x08\x00\x00",
    "nothing": b"",
    "a bomb": t.gz_of_zeros(t.file(b"python/a"), 200 << 20),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_what_comes_in_pieces_is_unpacked_or_refused_as_the_whole_is(
    arena: Arena, name: str
) -> None:
    data = ARCHIVES[name]
    arena.write(data)
    expected = outcome(arena)
    for seed in range(6):
        chance = random.Random(seed)
        steps = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(5)))
        os.unlink(arena.archive)
        with Ahead() as ahead, open(arena.archive, "wb", buffering=0) as file:
            for start, end in itertools.pairwise([0, *steps]):
                file.write(data[start:end])
                ahead.grow(arena.archive, end)
            file.write(data[file.tell() :])
            assert outcome(arena, ahead) == expected, (seed, steps)
    assert not left()


def left() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "unpack"]


class Place:
    """A file to be downloaded, and the server that has it."""

    def __init__(self, arena: Arena, data: bytes, *answers: Resource) -> None:
        self.arena = arena
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._answers = answers or (Resource(data),)

    def bring(self, ahead: Ahead) -> None:
        with serve(self.arena.root) as server:
            server.put("/archive", sequence(*self._answers))
            download(
                [f"{server.url}/archive"],
                f"{self.arena.root}/cache/archive",
                sha256=self.sha256,
                env={},
                follower=ahead,
            )


def hasty(monkeypatch: pytest.MonkeyPatch, arena: Arena, total: int) -> None:
    """Plant the bug: unpack as soon as everything has come."""
    grow = Ahead.grow

    def early(ahead: Ahead, path: str, hashed: int) -> None:
        grow(ahead, path, hashed)
        if hashed == total and (begun := ahead.take(path)):
            extract(path, arena.staging, begun=begun)

    monkeypatch.setattr(Ahead, "grow", early)


@pytest.mark.parametrize("bug", [False, True], ids=["as it is", "planted: unpacks at once"])
def test_nothing_is_looked_at_before_the_hash_was_right(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, bug: bool
) -> None:
    """An archive that is right in itself, but another one than was asked for."""
    parsed: list[bytes] = []
    parse = headers.parse

    def noted(block: bytes) -> Any:
        parsed.append(block)
        return parse(block)

    monkeypatch.setattr(headers, "parse", noted)
    data = ARCHIVES["gzip"]
    other = data[:4] + bytes([data[4] ^ 1]) + data[5:]  # the time in gzip's header
    os.mkdir(f"{arena.root}/cache")
    if bug:
        hasty(monkeypatch, arena, len(other))
    place = Place(arena, data, Resource(other))
    with Ahead() as ahead, pytest.raises(BubbleError) as refused:
        place.bring(ahead)
    assert refused.value.kind == "checksum"
    seen = bool(parsed or os.listdir(arena.staging))
    assert seen is bug
    assert not left()
    if bug:
        caught("an archive that is unpacked before its sha256 is known", by="another archive")


def test_a_download_that_starts_over_is_expanded_anew(arena: Arena) -> None:
    data, other = ARCHIVES["gzip"], bytes(len(ARCHIVES["gzip"]))
    os.mkdir(f"{arena.root}/cache")
    begun = Resource(other, etag='"old"', cut=1 << 20, cut_times=1)
    with Ahead() as ahead:
        Place(arena, data, begun, Resource(data, etag='"new"')).bring(ahead)
        os.rename(f"{arena.root}/cache/archive", arena.archive)
        assert ahead.take(arena.archive) is None
        entries = outcome(arena)
    assert isinstance(entries, tuple)


def test_what_was_hashed_is_expanded_at_once_and_taken_over(arena: Arena) -> None:
    os.mkdir(f"{arena.root}/cache")
    with Ahead() as ahead:
        Place(arena, ARCHIVES["gzip"]).bring(ahead)
        os.rename(f"{arena.root}/cache/archive", arena.archive)
        stream = ahead.take(arena.archive)
        assert stream is not None
        done = extract(arena.archive, arena.staging, begun=stream)
    assert [entry.path for entry in done.entries] == ["a", "b", "b/c"]


def test_another_file_in_its_place_is_not_what_was_expanded(arena: Arena) -> None:
    arena.write(ARCHIVES["gzip"])
    with Ahead() as ahead:
        ahead.grow(arena.archive, 100)
        os.rename(arena.archive, f"{arena.archive}.old")
        arena.write(t.gz(t.file(b"python/other") + t.END))
        assert ahead.take(arena.archive) is None
    assert not left()


ZEROS = (EARLY + 100) << 20
BOMBS = {
    "gzip": (t.gz_of_zeros(t.file(b"python/a"), ZEROS), EARLY),
    # what hardly shrinks comes in small pieces, of which as many bytes may wait
    "noise": (gzip.compress(random.Random(1).randbytes((EARLY + 8) << 20), 0), EARLY),
    # nothing of it is expanded before the file is whole, and its window takes memory as well
    "zstd": (t.zst_of_zeros(t.file(b"python/a"), ZEROS), AHEAD),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_what_waits_for_the_reader_is_bounded(arena: Arena, kind: str) -> None:
    data, most = BOMBS[kind]
    arena.write(data)
    with Ahead() as ahead:
        ahead.grow(arena.archive, len(data))
        stream = ahead._stream
        growth = ahead._growth
        assert stream is not None
        assert growth is not None
        if kind == "zstd":
            growth.end()
        waiting = 0
        while waiting < most * CHUNK:  # so far the thread may work, and does
            item = stream._ready.get(timeout=PATIENCE)
            assert isinstance(item, tuple)
            waiting += len(item[0])
        assert waiting < (most + 1) * CHUNK
        assert stream._permits.empty()
        assert stream._ready.empty()
    assert not left()


def test_an_end_before_its_time_leaves_no_thread_and_no_descriptor(arena: Arena) -> None:
    arena.write(ARCHIVES["gzip"])
    files = len(os.listdir("/dev/fd"))
    for hashed in (0, 3, 1000, len(ARCHIVES["gzip"])):
        with Ahead() as ahead:
            ahead.grow(arena.archive, hashed)
        assert not left()
        assert len(os.listdir("/dev/fd")) == files


def test_a_part_that_starts_over_tells_its_follower_once_it_had_told_of_bytes(
    tmp_path: Path,
) -> None:
    told: list[object] = []

    class Follower:
        def grow(self, path: str, hashed: int) -> None:
            told.append((os.path.basename(path), hashed))

        def give_up(self) -> None:
            told.append("given up")

    part = Part(f"{tmp_path}/file", "0" * 64, deadline=1e9, follower=Follower())
    try:
        part.start_over()
        part.write(0, b"abc")
        while part.hash_some():
            pass
        part.start_over()
    finally:
        part.close()
    assert told == [("file.part", 3), "given up"]

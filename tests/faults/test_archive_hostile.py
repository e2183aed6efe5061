"""Hostile and damaged archives are refused, and nothing outside of the staging directory moves."""

from __future__ import annotations

import io
import os
import sys
import tarfile
import threading
import zlib

import pytest
import zstandard

from bubble.model.errors import BubbleError
from bubble.system.archive import Limits, extract
from support import tarbuild as t
from support.archive_arena import Arena
from support.figures import caught, record
from support.hostile_archives import CASES, TOP
from support.needs import FULL
from support.valid_archives import CONTROLS, control_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Literal

ALL = [(family, case) for family, cases in CASES.items() for case in cases]
FORMATS = tuple(t.COMPRESS)
SMALL = (
    TOP + t.file(b"python/a", b"one") + t.symlink(b"python/l", b"a") + t.file(b"python/b") + t.END
)


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(str(tmp_path))


@pytest.fixture(params=["isal", "zlib"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test with each of the two that expand gzip."""
    name = str(request.param)
    if name == "isal":
        pytest.importorskip("isal", reason="not here: isal has no wheel for this platform")
    else:
        monkeypatch.setitem(sys.modules, "isal", None)
    return name


def refused(arena: Arena, archive: bytes, limits: Limits | None = None) -> str:
    """Prove that `archive` is refused as it should be; return the message."""
    before, files = arena.outside(), len(os.listdir("/dev/fd"))
    with pytest.raises(BubbleError) as caught:
        extract(arena.write(archive), arena.staging, limits=limits or Limits())
    message = caught.value.message
    assert caught.value.kind == "archive"
    assert caught.value.hint
    assert message.isprintable(), message
    assert len(message) < 600
    assert arena.outside() == before, "something outside of the staging directory changed"
    assert len(os.listdir("/dev/fd")) == files, "a descriptor is left open"
    assert not [x for x in threading.enumerate() if x.name == "unpack"], "the thread still runs"
    return message


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(("family", "case"), ALL)
def test_a_hostile_archive_is_refused_and_touches_nothing(
    arena: Arena, family: str, case: str, suffix: str
) -> None:
    refused(arena, t.COMPRESS[suffix](CASES[family][case](arena.root) + t.END))
    record("archives made to do harm: refused", tried=1, held=1)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("family", CONTROLS)
def test_each_family_has_a_valid_archive_that_comes_out_whole(
    arena: Arena, family: str, suffix: str
) -> None:
    body, paths = control_of(family, arena.root)
    before = arena.outside()
    done = extract(arena.write(t.COMPRESS[suffix](body + t.END)), arena.staging)
    assert {entry.path for entry in done.entries} == paths
    assert all(os.path.lexists(f"{arena.staging}/{path}") for path in paths)
    assert arena.outside() == before


def test_every_family_has_a_control() -> None:
    assert CASES.keys() == CONTROLS.keys()


def test_absolute_names_do_not_reach_the_root_directory(arena: Arena) -> None:
    name = f"/bubble-{os.getpid()}"
    refused(arena, t.gz(TOP + t.file(name.encode()) + t.END))
    refused(arena, t.gz(t.file(f"/{name}".encode()) + t.END))
    assert not os.path.lexists(name)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_cut_at_any_block_of_the_tar_is_noticed(arena: Arena, suffix: str) -> None:
    for end in range(0, len(SMALL), t.BLOCK):
        refused(arena, t.COMPRESS[suffix](SMALL[:end]))
        arena.clear()
    for end in range(1, len(SMALL), t.BLOCK):
        refused(arena, t.COMPRESS[suffix](SMALL[:end]))
        arena.clear()
    extract(arena.write(t.COMPRESS[suffix](SMALL)), arena.staging)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_cut_of_the_compressed_file_is_noticed(arena: Arena, suffix: str) -> None:
    whole = t.COMPRESS[suffix](TOP + t.file(b"python/a", os.urandom(5000)) + t.END)
    for end in [*range(0, len(whole), 512), *range(len(whole) - 9, len(whole)), *range(20)]:
        refused(arena, whole[:end])
        arena.clear()
    extract(arena.write(whole), arena.staging)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_bit_of_the_checksum_at_the_end_counts(arena: Arena, suffix: str) -> None:
    whole = t.COMPRESS[suffix](SMALL)
    length = 8 if suffix == "tar.gz" else 4
    for bit in range(length * 8):
        damaged = bytearray(whole)
        damaged[len(whole) - length + bit // 8] ^= 1 << bit % 8
        refused(arena, bytes(damaged))
        arena.clear()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kind", ["member", "empty member", "zeros", "byte", "tar", "skippable"])
def test_nothing_may_follow_the_compressed_stream(arena: Arena, suffix: str, kind: str) -> None:
    pack = t.COMPRESS[suffix]
    behind = {
        "member": pack(t.file(b"python/x") + t.END),
        "empty member": pack(b""),
        "zeros": bytes(1024),
        "byte": b"\n",
        "tar": SMALL,
        "skippable": b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip",
    }[kind]
    assert "after the end" in refused(arena, pack(SMALL) + behind)


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_archive_split_over_two_streams_is_refused(arena: Arena, suffix: str) -> None:
    pack = t.COMPRESS[suffix]
    refused(arena, pack(SMALL[:1024]) + pack(SMALL[1024:]))


@pytest.mark.parametrize("suffix", FORMATS)
def test_only_zeros_may_follow_the_end_marker(arena: Arena, suffix: str) -> None:
    pack = t.COMPRESS[suffix]
    for behind in (b"x", bytes(511) + b"x", bytes(100), bytes(5120) + SMALL, bytes(2 << 20)):
        refused(arena, pack(SMALL + behind))
        arena.clear()
    extract(arena.write(pack(SMALL + bytes(9 * 1024))), arena.staging)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_bomb_of_1000_to_1_is_refused_early(arena: Arena, suffix: str) -> None:
    size = 256 << 20
    head = TOP + t.header(b"python/zeros", size=size)
    bomb = t.BOMBS[suffix](head, size + 1024)
    assert len(bomb) * 900 < size
    assert "times its size" in refused(arena, bomb)
    assert os.path.getsize(f"{arena.staging}/zeros") < 64 << 20
    arena.clear()
    small = t.BOMBS[suffix](TOP + t.header(b"python/zeros", size=1 << 20), (1 << 20) + 1024)
    extract(arena.write(small), arena.staging)


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_limit_on_the_expanded_size_holds_whatever_the_headers_say(
    arena: Arena, suffix: str
) -> None:
    body = TOP + b"".join(t.file(b"python/%d" % n, bytes(100_000)) for n in range(20)) + t.END
    archive = t.COMPRESS[suffix](body)
    refused(arena, archive, Limits(expanded_size=1_000_000))
    arena.clear()
    extract(arena.write(archive), arena.staging, limits=Limits(expanded_size=len(body)))


@pytest.mark.parametrize("window_log", [28, 31, 41])
def test_a_zstd_window_beyond_the_limit_is_refused(arena: Arena, window_log: int) -> None:
    message = refused(arena, t.zst_of_zeros(SMALL, 1024, window_log))
    assert "its zstd window is larger than 128.0 MiB" in message or window_log > 31
    assert "zstd" in message
    arena.clear()
    extract(arena.write(t.zst_of_zeros(SMALL, 1024, 27)), arena.staging)


def test_a_zstd_frame_of_millions_of_empty_blocks_is_refused(arena: Arena) -> None:
    frame = b"\x28\xb5\x2f\xfd\x00\x50" + bytes(3 * 1_100_000) + b"\x01\0\0"
    assert "too many blocks" in refused(arena, frame)


def test_a_zstd_block_of_the_reserved_kind_is_refused(arena: Arena) -> None:
    frame = b"\x28\xb5\x2f\xfd\x00\x50"  # RFC 8878: kind 3, here last and without content
    assert "zstd frame is damaged" in refused(arena, frame + b"\x07\0\0")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_million_members_are_refused(arena: Arena, suffix: str) -> None:
    # below python/build nothing is written: the test costs no inodes
    count = 1_000_000 if FULL else 20_000
    limits = Limits() if FULL else Limits(members=5_000)
    packer = (
        zlib.compressobj(1, wbits=31)
        if suffix == "tar.gz"
        else zstandard.ZstdCompressor(1).compressobj()
    )
    parts = [packer.compress(t.file(b"python/PYTHON.json", b"{}"))]
    parts += [packer.compress(t.header(b"python/build/%d" % n)) for n in range(count)]
    archive = b"".join([*parts, packer.compress(t.END), packer.flush()])
    assert f"more than {limits.members} members" in refused(arena, archive, limits)


@pytest.mark.parametrize(
    ("start", "name"),
    [(b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"BZh9", "bzip2"), (b"\xfd7zXZ\0", "xz")],
)
def test_a_format_that_is_not_supported_is_named(arena: Arena, start: bytes, name: str) -> None:
    assert refused(arena, start + bytes(1000)).startswith(f"{name} archives aren't supported")


@pytest.mark.parametrize("data", [b"", b"\x1f", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"<html>", SMALL])
def test_what_is_no_archive_is_refused(arena: Arena, data: bytes) -> None:
    refused(arena, data)


def test_names_that_differ_in_case_follow_the_file_system(arena: Arena) -> None:
    """Real builds have `terminfo/A` and `terminfo/a`: only a file system can make it a fault."""
    body = (
        TOP
        + t.file(b"python/A/x")
        + t.file(b"python/a/x")
        + t.file(b"python/b")
        + t.file(b"python/B")
    )
    with open(f"{arena.canary}/CASE", "w"):
        insensitive = os.path.exists(f"{arena.canary}/case")
    archive = t.gz(body + t.END)
    if insensitive:
        assert "file system" in refused(arena, archive)
    else:
        done = extract(arena.write(archive), arena.staging)
        assert {e.path for e in done.entries} == {"A", "A/x", "a", "a/x", "b", "B"}


def test_names_that_the_file_system_takes_for_one_are_refused(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double: a case-insensitive file system, by folding the names that reach it."""
    for call in ("open", "mkdir", "stat", "link", "symlink"):
        monkeypatch.setattr(f"bubble.system.archive.tree.os.{call}", _folding(getattr(os, call)))
    for pair in (
        t.file(b"python/A") + t.file(b"python/a"),
        t.directory(b"python/A/") + t.directory(b"python/a/"),
        t.file(b"python/A/x") + t.file(b"python/a/x"),
        t.file(b"python/A") + t.symlink(b"python/a", b"A"),
        t.file(b"python/A") + t.file(b"python/b") + t.hard_link(b"python/B", b"python/A"),
    ):
        assert "file system" in refused(arena, t.gz(TOP + pair + t.END))
        arena.clear()


def _folding(call: Callable[..., object]) -> Callable[..., object]:
    def folded(*arguments: object, **options: object) -> object:
        if options.get("dir_fd") is None and options.get("dst_dir_fd") is None:
            return call(*arguments, **options)
        return call(*(a.lower() if isinstance(a, str) else a for a in arguments), **options)

    return folded


# --- the harness itself: extractors with the known faults must not pass it

NEEDS_FILTERS = pytest.mark.skipif(
    not hasattr(tarfile, "data_filter"),
    reason="not here: this Python is older than tarfile's filters (3.11.4)",
)


def _extractall(filter_name: Literal["fully_trusted", "data"]) -> Callable[[str, str], None]:
    def unpack(archive: str, destination: str) -> None:
        with tarfile.open(archive) as tar:
            tar.extraction_filter = getattr(tarfile, f"{filter_name}_filter", None)
            tar.extractall(destination)

    return unpack


def verdicts(tmp_path: Path, unpack: Callable[[str, str], object]) -> dict[str, str]:
    """Run every hostile case through another extractor: `refused`, `accepted` or `escaped`."""
    found = {}
    for number, (family, case) in enumerate(ALL):
        if family == "limits":  # trees that Python 3.11's rmtree can't remove again
            continue
        (tmp_path / str(number)).mkdir()
        arena = Arena(str(tmp_path / str(number)))
        before = arena.outside()
        arena.write(t.gz(CASES[family][case](arena.root) + t.END))
        try:
            unpack(arena.archive, arena.staging)
            verdict = "accepted"
        except Exception:  # noqa: BLE001 - whatever it raises, it refused
            verdict = "refused"
        found[f"{family}: {case}"] = verdict if arena.outside() == before else "escaped"
    return found


@pytest.mark.filterwarnings("ignore")  # what tarfile has to say about these archives
def test_the_harness_catches_a_naive_extractor(tmp_path: Path) -> None:
    found = verdicts(tmp_path, _extractall("fully_trusted"))
    for case in (
        "names: dot-dot first",
        "names: dot-dot below the top",
        "names: absolute",
        "links: written through",
        "links: replaced by a directory",
        "links: long aliases (CVE-2025-4517)",
    ):
        assert found[case] == "escaped", case
    assert list(found.values()).count("accepted") > 50
    caught("an extractor that believes every name", by="archives made to do harm")


@NEEDS_FILTERS
@pytest.mark.filterwarnings("ignore")
def test_the_harness_catches_the_standard_librarys_data_filter(tmp_path: Path) -> None:
    found = verdicts(tmp_path, _extractall("data"))
    assert found["names twice: file twice"] == "accepted"
    assert list(found.values()).count("accepted") > 30
    caught("the standard library's filter for data", by="archives made to do harm")


def test_the_harness_passes_the_extractor(tmp_path: Path) -> None:
    assert set(verdicts(tmp_path, extract).values()) == {"refused"}


def test_tarfile_reads_what_the_builder_writes() -> None:
    """Prove that the hand-made archives are archives: a control for all of the above."""
    with tarfile.open(fileobj=io.BytesIO(SMALL)) as tar:
        assert tar.getnames() == ["python", "python/a", "python/l", "python/b"]

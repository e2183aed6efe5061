"""What the extractor writes and says: layouts, entries, modes, progress, and how much it takes."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
import zlib

import pytest

from bubble.model.errors import BubbleError
from bubble.system.archive import Entry, extract
from support import tarbuild as t
from support.archive_arena import Arena
from support.needs import FULL
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

JSON = t.file(b"python/PYTHON.json", b'{"version": "8"}')
FULL_PARTS = (
    t.file(b"python/build/core.o", b"object" * 1000)
    + t.hard_link(b"python/build/again.o", b"python/build/core.o")
    + t.symlink(b"python/build/lib.a", b"../install/lib/lib.a")
    + t.file(b"python/install/bin/python3.12", b"#!", mode=0o775)
    + t.symlink(b"python/install/bin/python3", b"python3.12")
    + t.file(b"python/install/lib/lib.a", b"", mode=0o664)
    + t.file(b"python/licenses/LICENSE.txt")
)
INSTALLED = {"bin", "bin/python3.12", "bin/python3", "lib", "lib/lib.a"}


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(str(tmp_path))


@pytest.mark.parametrize("body", [JSON + FULL_PARTS, t.directory(b"python/") + FULL_PARTS + JSON])
@pytest.mark.parametrize("suffix", tuple(t.COMPRESS))
def test_only_the_install_part_of_a_full_build_is_written(
    arena: Arena, body: bytes, suffix: str
) -> None:
    done = extract(arena.write(t.COMPRESS[suffix](body + t.END)), arena.staging)
    assert done.layout == "full"
    assert done.python_json == '{"version": "8"}'
    assert snapshot(arena.staging).keys() == INSTALLED == {entry.path for entry in done.entries}


@pytest.mark.parametrize(
    "body",
    [
        FULL_PARTS,
        JSON + t.file(b"python/install"),
        JSON + t.symlink(b"python/install", b"build"),
        JSON + t.file(b"python/build/x") + t.hard_link(b"python/install/x", b"python/build/x"),
        JSON + t.symlink(b"python/install/l", b"../build/x"),
        JSON + t.symlink(b"python/build/l", b"../../x"),
        JSON + FULL_PARTS + t.file(b"python/build/core.o"),
        JSON + t.header(b"python/build/fifo", t.FIFO),
        t.file(b"python/PYTHON.json", b"\xff"),
    ],
)
def test_the_rules_hold_for_all_of_a_full_build(arena: Arena, body: bytes) -> None:
    with pytest.raises(BubbleError, match="refused"):
        extract(arena.write(t.zst(body + t.END)), arena.staging)


def test_a_python_json_that_no_build_has_is_not_held_in_memory(arena: Arena) -> None:
    body = t.header(b"python/PYTHON.json", size=17 << 20)
    archive = arena.write(t.gz_of_zeros(body, (17 << 20) + len(t.END)))
    with pytest.raises(BubbleError, match=r"larger than 16\.0 MiB"):
        extract(archive, arena.staging)


def test_the_top_directory_of_other_builds_is_stripped(arena: Arena) -> None:
    body = t.directory(b"pypy3.11-v7.3.23-linux64/") + t.file(
        b"pypy3.11-v7.3.23-linux64/bin/pypy", mode=0o755
    )
    done = extract(arena.write(t.gz(body + t.END)), arena.staging)
    assert done.layout == "other"
    assert snapshot(arena.staging).keys() == {"bin", "bin/pypy"}


def test_entries_tell_what_was_written_in_the_archives_order(arena: Arena) -> None:
    body = (
        t.symlink(b"python/z", b"a/file")
        + t.file(b"python/a/file", b"content", mode=0o755)
        + t.hard_link(b"python/b", b"python/a/file")
        + t.file(b"python/empty", b"")
    )
    done = extract(arena.write(t.gz(body + t.END)), arena.staging)
    crc = zlib.crc32(b"content")
    assert done.entries == (
        Entry(("z", "link", 0o777, 0, 0, "a/file")),
        Entry(("a", "dir", 0o755, 0, 0, "")),
        Entry(("a/file", "file", 0o755, 7, crc, "")),
        Entry(("b", "file", 0o755, 7, crc, "")),
        Entry(("empty", "file", 0o644, 0, 0, "")),
    )
    last = done.entries[2]
    assert (last.path, last.kind, last.mode) == ("a/file", "file", 0o755)
    assert (last.size, last.crc32, last.target) == (7, crc, "")


def test_a_hard_link_is_a_copy_where_the_file_system_has_none(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "what FAT says")

    monkeypatch.setattr(os, "link", link)
    body = (
        t.file(b"python/a/file", b"content", mode=0o755)
        + t.hard_link(b"python/d/b", b"python/a/file")
        + t.hard_link(b"python/c", b"python/d/b")
    )
    done = extract(arena.write(t.gz(body + t.END)), arena.staging)
    assert [entry.path for entry in done.entries] == ["a", "a/file", "d", "d/b", "c"]
    for name in ("a/file", "d/b", "c"):
        path = f"{arena.staging}/{name}"
        assert (os.stat(path).st_nlink, stat.S_IMODE(os.stat(path).st_mode)) == (1, 0o755)
        with open(path, "rb") as file:
            assert file.read() == b"content"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_modes_do_not_depend_on_the_umask(arena: Arena, umask: int) -> None:
    modes = {0o644: 0o644, 0o664: 0o644, 0o600: 0o644, 0o755: 0o755, 0o777: 0o755, 0o700: 0o755}
    body = b"".join(t.file(b"python/d/%o" % mode, mode=mode) for mode in modes)
    archive = arena.write(t.gz(body + t.directory(b"python/e/") + t.END))
    old = os.umask(umask)
    try:
        extract(archive, arena.staging)
    finally:
        os.umask(old)
    found = {f"{mode:o}": normal for mode, normal in modes.items()}
    for name, mode in found.items():
        assert stat.S_IMODE(os.stat(f"{arena.staging}/d/{name}").st_mode) == mode, name
    for directory in ("d", "e"):
        assert stat.S_IMODE(os.stat(f"{arena.staging}/{directory}").st_mode) == 0o755


def test_no_more_than_64_files_are_open(arena: Arena) -> None:
    parts = [t.file(b"python/d%d/e/f%d" % (n % 150, n)) for n in range(600)]
    archive = arena.write(t.gz(b"".join(parts) + t.END))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    numbers = [int(name) for name in os.listdir("/dev/fd")]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(numbers) + 64, hard))
    try:
        done = extract(archive, arena.staging)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len([e for e in done.entries if e.kind == "file"]) == 600


@pytest.mark.parametrize("suffix", tuple(t.COMPRESS))
def test_memory_stays_small_whatever_the_archive_expands_to(arena: Arena, suffix: str) -> None:
    size = (1 << 30) if FULL else (256 << 20)
    head = JSON + t.header(b"python/build/zeros", size=size)
    arena.write(t.BOMBS[suffix](head, size + 1024))
    script = (
        "import resource, sys\n"
        "from bubble.system.archive import Limits, extract\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "limits = Limits(ratio=10**9)\n"
        "assert extract(sys.argv[1], sys.argv[2], limits=limits).layout == 'full'\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    command = [sys.executable, "-c", script, arena.archive, arena.staging]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert int(done.stdout) < 64 << 10, "KiB"


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, (1 << 20) - 512, 1 << 20, 5_000_001])
@pytest.mark.parametrize("suffix", tuple(t.COMPRESS))
def test_content_of_any_size_comes_out_whole(arena: Arena, suffix: str, size: int) -> None:
    data = os.urandom(size)
    body = t.file(b"python/a", data) + t.file(b"python/b", b"behind")
    done = extract(arena.write(t.COMPRESS[suffix](body + t.END)), arena.staging)
    with open(f"{arena.staging}/a", "rb") as file:
        assert file.read() == data
    assert done.entries[0].crc32 == zlib.crc32(data)
    assert done.entries[1].size == 6


@pytest.mark.parametrize("chunk", [3, 511, 512, 513])
@pytest.mark.parametrize("suffix", tuple(t.COMPRESS))
def test_it_comes_out_the_same_wherever_the_expanded_bytes_are_cut(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, suffix: str, chunk: int
) -> None:
    sizes = {f"f{size}": os.urandom(size) for size in (0, 1, 2, 510, 511, 512, 513, 1023, 2000)}
    long = "n" * 150
    body = t.pax(t.record(b"comment", b"c" * 600)) + b"".join(
        t.file(f"python/{name}".encode(), data) for name, data in sizes.items()
    )
    body += t.gnu_long(f"python/{long}".encode()) + t.file(b"python/x", magic=t.GNU)
    monkeypatch.setattr("bubble.system.archive.stream.CHUNK", chunk)
    done = extract(arena.write(t.COMPRESS[suffix](body + t.END)), arena.staging)
    told = {entry.path: (entry.size, entry.crc32) for entry in done.entries}
    sizes[long] = b"data\n"
    assert told == {name: (len(data), zlib.crc32(data)) for name, data in sizes.items()}
    for name, data in sizes.items():
        with open(f"{arena.staging}/{name}", "rb") as file:
            assert file.read() == data, name


def test_what_is_written_in_part_is_written_on(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for the kernel, which may take less than it is given."""
    real = os.write
    monkeypatch.setattr(
        "bubble.system.archive.unpack.os.write", lambda file, data: real(file, data[:1000])
    )
    data = os.urandom(10_500)
    extract(arena.write(t.gz(t.file(b"python/a", data) + t.END)), arena.staging)
    with open(f"{arena.staging}/a", "rb") as file:
        assert file.read() == data


def test_without_isal_it_comes_out_the_same(arena: Arena) -> None:
    data = os.urandom(3000)
    archive = arena.write(t.gz(t.file(b"python/a", data) + t.END))
    script = (
        "import sys\n"
        "sys.modules['isal'] = None\n"  # as where it has no wheel
        "from bubble.system.archive import extract\n"
        "print(*extract(sys.argv[1], sys.argv[2]).entries[0])\n"
    )
    command = [sys.executable, "-c", script, archive, arena.staging]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["a", "file", "420", "3000", str(zlib.crc32(data))]


@pytest.mark.parametrize("suffix", tuple(t.COMPRESS))
def test_progress_goes_up_to_the_archives_size(arena: Arena, suffix: str) -> None:
    archive = arena.write(t.COMPRESS[suffix](t.file(b"python/a", os.urandom(8 << 20)) + t.END))
    steps: list[tuple[int, int]] = []
    extract(archive, arena.staging, progress=lambda done, total: steps.append((done, total)))
    total = os.path.getsize(archive)
    assert {step[1] for step in steps} == {total}
    assert len(steps) > 4
    assert steps == sorted(steps)
    assert steps[-1] == (total, total)

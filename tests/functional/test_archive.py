"""What the extractor writes and says: layouts, entries, modes, progress, and what it holds open."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import threading
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


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("a bug")]
)
@pytest.mark.parametrize("suffix", tuple(t.COMPRESS))
def test_a_failure_leaves_no_thread_and_no_descriptor(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, suffix: str, error: BaseException
) -> None:
    archive = arena.write(t.COMPRESS[suffix](t.file(b"python/a", os.urandom(20 << 20)) + t.END))
    files = len(os.listdir("/dev/fd"))

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("bubble.system.archive.unpack.os.write", fail)
    with pytest.raises(type(error)):
        extract(archive, arena.staging)
    monkeypatch.undo()
    assert len(os.listdir("/dev/fd")) == files
    assert not [x for x in threading.enumerate() if x.name == "unpack"]
    arena.clear()
    with pytest.raises(type(error)):
        extract(archive, arena.staging, progress=fail)
    assert len(os.listdir("/dev/fd")) == files
    arena.clear()
    assert [entry.path for entry in extract(archive, arena.staging).entries] == ["a"]


def test_a_full_disk_is_an_os_error(arena: Arena) -> None:
    """The real thing, by the limit on a file's size: EFBIG comes the way ENOSPC does."""
    archive = arena.write(t.gz(t.file(b"python/a", bytes(1 << 20)) + t.END))
    script = (
        "import resource, signal, sys\n"
        "from bubble.system.archive import extract\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "limits = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))\n"
        "try:\n    extract(sys.argv[1], sys.argv[2])\n"
        "except OSError as error:\n    print(error.errno)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, limits)\n"  # a coverage file is larger
    )
    command = [sys.executable, "-c", script, archive, arena.staging]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stdout == "27\n"


def test_a_destination_with_something_in_it_is_refused(arena: Arena) -> None:
    with open(f"{arena.staging}/here", "w"):
        pass
    archive = arena.write(t.gz(t.file(b"python/a") + t.END))
    with pytest.raises(BubbleError, match="non-empty"):
        extract(archive, arena.staging)
    assert os.listdir(arena.staging) == ["here"]


def test_a_missing_archive_or_destination_is_an_os_error(arena: Arena) -> None:
    with pytest.raises(FileNotFoundError):
        extract(f"{arena.root}/nothing", arena.staging)
    archive = arena.write(t.gz(t.file(b"python/a") + t.END))
    with pytest.raises(FileNotFoundError):
        extract(archive, f"{arena.root}/nothing")
    os.symlink(arena.canary, f"{arena.root}/link")
    with pytest.raises(OSError, match="link"):
        extract(archive, f"{arena.root}/link")

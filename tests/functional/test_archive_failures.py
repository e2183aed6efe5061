"""What an extraction that fails leaves behind: an error as it came, no thread, no descriptor."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from bubble.model.errors import BubbleError
from bubble.system.archive import Limits, extract
from bubble.system.archive.stream import Stream
from support import tarbuild as t
from support.archive_arena import Arena

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(str(tmp_path))


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


def test_a_mode_that_can_not_be_set_is_an_os_error_and_leaves_nothing_open(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    archive = arena.write(t.gz(t.file(b"python/a") + t.END))
    files = len(os.listdir("/dev/fd"))
    monkeypatch.setattr("bubble.system.archive.tree.os.fchmod", fail)
    old = os.umask(0o077)  # else the file has its mode from the start
    try:
        with pytest.raises(PermissionError):
            extract(archive, arena.staging)
    finally:
        os.umask(old)
    assert len(os.listdir("/dev/fd")) == files


def test_a_thread_that_can_not_be_started_leaves_nothing_open(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    archive = arena.write(t.gz(t.file(b"python/a") + t.END))
    files = len(os.listdir("/dev/fd"))
    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(RuntimeError, match="new thread"):
        extract(archive, arena.staging)
    assert len(os.listdir("/dev/fd")) == files


def test_an_interrupt_while_the_thread_ends_leaves_it_its_file(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed, its number would soon be another file's, which the thread would read."""
    reading, go_on, real = threading.Event(), threading.Event(), os.pread

    def pread(file: int, count: int, offset: int) -> bytes:
        if threading.current_thread().name == "unpack":
            reading.set()
            assert go_on.wait(60)
        return real(file, count, offset)

    def interrupted() -> None:
        raise KeyboardInterrupt

    stream = Stream(arena.write(t.gz(t.file(b"python/a") + t.END)), Limits())
    join = stream._thread.join
    monkeypatch.setattr(os, "pread", pread)

    def interrupted_twice() -> None:
        with stream:
            assert reading.wait(60)
            monkeypatch.setattr(stream._thread, "join", interrupted)

    with pytest.raises(KeyboardInterrupt):
        interrupted_twice()
    try:
        assert os.path.samestat(os.fstat(stream._file), os.stat(arena.archive))
    finally:
        go_on.set()
        join()
    os.close(stream._file)


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

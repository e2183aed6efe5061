"""Locks between processes."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.system.lock import TIMEOUT, Lock, holder, is_held, lock_timeout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import signal, sys
from bubble.system.lock import Lock
with Lock(sys.argv[1]):
    print("held", flush=True)
    signal.pause()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "locks" / "key")


@pytest.fixture
def other_process(path: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_creates_its_directory_and_is_free_again_afterwards(path: str) -> None:
    with Lock(path, timeout=0):
        assert holder(path) == os.getpid()
    with Lock(path, timeout=0):
        pass


def test_the_lock_file_stays_so_that_two_waiters_never_hold_different_inodes(path: str) -> None:
    with Lock(path):
        inode = os.stat(path).st_ino
    with Lock(path):
        assert os.stat(path).st_ino == inode


def test_a_second_holder_in_the_same_process_waits_too(path: str) -> None:
    with Lock(path), pytest.raises(BubbleError, match="waited 0 s"), Lock(path, timeout=0):
        raise AssertionError


def test_a_timeout_names_the_process_that_holds_the_lock(
    path: str, other_process: subprocess.Popen[str]
) -> None:
    with pytest.raises(BubbleError) as caught, Lock(path, timeout=0.05):
        raise AssertionError
    assert caught.value.kind == "locked"
    assert str(other_process.pid) in caught.value.message
    assert caught.value.hint == f"wait for it, or end it: kill {other_process.pid}"


def test_a_waiter_is_told_once_who_holds_the_lock(
    path: str, other_process: subprocess.Popen[str]
) -> None:
    told: list[int] = []
    with pytest.raises(BubbleError), Lock(path, timeout=0.1, on_wait=told.append):
        raise AssertionError
    assert told == [other_process.pid]


def test_a_lock_dies_with_its_holder(path: str, other_process: subprocess.Popen[str]) -> None:
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    with Lock(path, timeout=5):
        pass


def test_shared_holders_get_in_together_and_keep_an_exclusive_one_out(path: str) -> None:
    with (
        Lock(path, shared=True),
        Lock(path, shared=True, timeout=0),
        pytest.raises(BubbleError),
        Lock(path, timeout=0),
    ):
        raise AssertionError
    with Lock(path, timeout=0):
        pass


def test_a_lock_file_that_somebody_deleted_and_made_again_is_noticed(path: str) -> None:
    with Lock(path):
        os.unlink(path)
        with Lock(path, timeout=0):  # another file: another lock
            inode = os.stat(path).st_ino
    with Lock(path):
        assert os.stat(path).st_ino == inode


def test_of_many_threads_one_at_a_time_holds_the_lock(path: str) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with Lock(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) == 1


def test_a_symlink_in_place_of_the_lock_file_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "target").write_text("mine")
    os.symlink(tmp_path / "target", path)
    with pytest.raises(OSError, match="symbolic links"), Lock(path):
        raise AssertionError
    assert (tmp_path / "target").read_text() == "mine"


def test_a_file_system_without_locks_is_refused_with_a_way_out(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(BubbleError, match="has no file locks") as caught, Lock(path):
        raise AssertionError
    assert "BUBBLE_HOME" in caught.value.hint


def test_another_failure_to_lock_comes_as_it_is_and_leaves_nothing_open(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
    files = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match="Input/output") as caught, Lock(path):
        raise AssertionError
    assert caught.value.errno == errno.EIO
    assert len(os.listdir("/dev/fd")) == files


def test_a_lock_file_that_is_deleted_while_it_is_being_locked_is_made_again(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = fcntl.flock, []

    def flock(descriptor: int, kind: int) -> None:
        real(descriptor, kind)
        calls.append(kind)
        if len(calls) == 1:  # a double for whoever cleans up by hand just then
            os.unlink(path)

    monkeypatch.setattr(fcntl, "flock", flock)
    with Lock(path, timeout=60):
        assert holder(path) == os.getpid()
        assert is_held(path)


def test_who_can_not_name_the_holder_says_another_process(path: str) -> None:
    with Lock(path, shared=True), pytest.raises(BubbleError) as caught, Lock(path, timeout=0):
        raise AssertionError
    assert caught.value.message.startswith("another process holds")
    assert caught.value.hint == "try again later"


def test_a_lock_file_that_is_missing_or_has_other_text_names_no_holder(tmp_path: Path) -> None:
    assert holder(str(tmp_path / "nothing")) == 0
    (tmp_path / "text").write_text("-1\n")
    assert holder(str(tmp_path / "text")) == 0


def test_looking_whether_a_lock_is_held_makes_no_file(tmp_path: Path) -> None:
    assert not is_held(f"{tmp_path}/nothing")
    assert os.listdir(tmp_path) == ["home"]
    with Lock(f"{tmp_path}/lock"):
        assert is_held(f"{tmp_path}/lock")
    assert not is_held(f"{tmp_path}/lock")


@pytest.mark.parametrize(("text", "seconds"), [("", TIMEOUT), ("0", 0), ("2.5", 2.5)])
def test_the_variable_says_how_long_a_lock_is_waited_for(text: str, seconds: float) -> None:
    assert lock_timeout({"BUBBLE_LOCK_TIMEOUT": text}) == seconds
    assert lock_timeout({}) == TIMEOUT


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "86401", "5 s\n"])
def test_a_time_to_wait_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BubbleError, match="BUBBLE_LOCK_TIMEOUT must be a number") as caught:
        lock_timeout({"BUBBLE_LOCK_TIMEOUT": text})
    assert caught.value.kind == "usage"
    assert caught.value.message.isprintable()

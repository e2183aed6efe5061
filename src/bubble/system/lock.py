"""Locks between processes that die with their holder: flock on files that are never deleted."""

from __future__ import annotations

import errno
import fcntl
import os
import time

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

TIMEOUT = 900.0  # seconds; a slow network's download is waited for
_LONGEST = 86400.0
_UNSUPPORTED = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}
_BUSY = {errno.EAGAIN, errno.EACCES}


class Lock:
    """A lock on `path` (absolute), held inside `with`.

    Waits up to `timeout` seconds (0: not at all) and then raises BubbleError(locked), which names
    the holder's process. `shared` holders exclude only exclusive ones. `on_wait` is called once,
    with the holder's process id or 0, when the lock isn't free at once. The lock file is created
    with its directory and stays: unlinking it would let two holders in.
    """

    def __init__(
        self, path: str, *, timeout: float = TIMEOUT, shared: bool = False, on_wait: object = None
    ) -> None:
        self.path = path
        self.timeout = timeout
        self.shared = shared
        self.on_wait = on_wait
        self.descriptor = -1

    def __enter__(self) -> Self:
        deadline = time.monotonic() + self.timeout
        pause = 0.002
        waited = False
        while not self._try():
            if not waited and callable(self.on_wait):
                self.on_wait(holder(self.path))
            waited = True
            if time.monotonic() >= deadline:
                raise self._timed_out()
            time.sleep(pause)
            pause = min(pause * 2, 0.1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.descriptor)  # which frees the lock
        self.descriptor = -1

    def _try(self) -> bool:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(self.path, flags, 0o644)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            descriptor = os.open(self.path, flags, 0o644)
        try:
            if not (self._flock(descriptor) and _is_still(self.path, descriptor)):
                os.close(descriptor)
                return False
            os.ftruncate(descriptor, 0)  # the last holder's number must not be taken for ours
            if not self.shared:
                os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self.descriptor = descriptor
        return True

    def _flock(self, descriptor: int) -> bool:
        kind = fcntl.LOCK_SH if self.shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            if error.errno in _UNSUPPORTED:
                raise BubbleError(
                    "store",
                    f"the file system of {os.path.dirname(self.path)} has no file locks",
                    hint="put BUBBLE_HOME and BUBBLE_CACHE_DIR on a file system that has flock",
                ) from None
            raise
        return True

    def _timed_out(self) -> BubbleError:
        process = holder(self.path)
        who = f"process {process}" if process else "another process"
        return BubbleError(
            "locked",
            f"{who} holds {self.path}; waited {self.timeout:.0f} s",
            hint=f"wait for it, or end it: kill {process}" if process else "try again later",
        )


def lock_timeout(env: Mapping[str, str]) -> float:
    """Return how many seconds to wait for a lock: BUBBLE_LOCK_TIMEOUT, or a quarter of an hour.

    Raises BubbleError(usage) when the variable is no number of seconds.
    """
    text = env.get("BUBBLE_LOCK_TIMEOUT", "")
    if not text:
        return TIMEOUT
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST:  # catches NaN as well
        raise BubbleError(
            "usage",
            f"BUBBLE_LOCK_TIMEOUT must be a number of seconds, not “{printable(text)}”",
            hint="set it to a number from 0 to 86400, or unset it",
        )
    return seconds


def holder(path: str) -> int:
    """Return the process id that the last exclusive holder wrote into its lock file, or 0."""
    try:
        with open(path, "rb") as file:
            text = file.read(20).strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def is_held(path: str) -> bool:
    """Whether a process holds a lock on the file `path`; makes no file.

    What it asks for is shared and given back at once.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _BUSY
    finally:
        os.close(descriptor)
    return False


def _is_still(path: str, descriptor: int) -> bool:
    """Whether `path` still names the locked file (somebody may have cleaned up by hand)."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

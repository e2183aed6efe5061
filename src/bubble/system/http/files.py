"""Opening the partial file under a lock, and what the file system's errors mean."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system.trouble import kind_of


def io_error(error: OSError, path: str) -> BubbleError:
    """Return what an error of the file system means for the file at `path`."""
    shown = printable(path, 500)
    kind = kind_of(error)
    if kind == "no_space":
        return BubbleError(
            kind,
            f"no space left while writing {shown}",
            hint="free some space and retry: the download goes on where it stopped",
        )
    if kind == "permission":
        return BubbleError(
            kind,
            f"{shown}: {error.strerror or error}",
            hint="set BUBBLE_CACHE_DIR to a directory that you can write to",
        )
    return BubbleError(
        kind, f"{shown}: {error.strerror or error}", hint="check the disk, then retry"
    )


def open_locked(path: str, deadline: float) -> int:
    """Open the partial file and wait until no other process writes it; raise BubbleError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        while True:
            fd = os.open(path, flags, 0o644)
            try:
                if _try_lock(fd) and is_at(fd, path):
                    return fd
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)
            if time.monotonic() > deadline:
                raise BubbleError(
                    "locked",
                    f"another process is downloading to {printable(path, 500)}",
                    hint="wait for it to end, then retry",
                )
            time.sleep(0.05)
    except OSError as error:
        raise io_error(error, path) from None


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # a file system without locks: sha256 still decides
        return error.errno in {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}
    return True


def is_at(fd: int, path: str) -> bool:
    """Return whether `path` still names the open file: its former holder may have renamed it."""
    try:
        at = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    own = os.fstat(fd)
    return (at.st_dev, at.st_ino) == (own.st_dev, own.st_ino)


def unlink(path: str) -> None:
    """Remove a file that may not be there."""
    with contextlib.suppress(OSError):
        os.unlink(path)

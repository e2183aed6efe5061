"""What is in a pool of shared files that nobody has any more, and how it goes.

A file that leaves it takes nothing from those who have it, so it may come back at any moment.
"""

from __future__ import annotations

import fcntl
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FIEMAP = 0xC020660B  # linux/fs.h
_EXTENTS = 32
_EXTENT = 56  # bytes
_SHARED = 0x2000  # linux/fiemap.h


def contents(path: str) -> Iterator[tuple[str, int, os.stat_result]]:
    """Yield what is in the pool at `path` (absolute): its name, how many others have it, its facts.

    Where only blocks are shared, 1 for any number of others. What is no file, nobody has.
    """
    try:
        pool = os.open(path, _DIRECTORY)
    except OSError:
        return
    try:
        for name in os.listdir(pool):
            try:
                info = os.stat(name, dir_fd=pool, follow_symlinks=False)
                if not stat.S_ISREG(info.st_mode):
                    yield name, 0, info
                    continue
                others = info.st_nlink - 1
                yield name, others or int(_has_shared_blocks(name, pool)), info
            except OSError:
                continue
    finally:
        os.close(pool)


def drop(path: str, names: list[str]) -> None:
    """Take files out of the pool at `path` (absolute). Raises OSError."""
    pool = os.open(path, _DIRECTORY)
    try:
        for name in names:
            try:
                os.unlink(name, dir_fd=pool)
            except FileNotFoundError:
                pass
    finally:
        os.close(pool)


def _has_shared_blocks(name: str, pool: int) -> bool:
    """Whether a file was cloned, as the file system tells; False where it doesn't clone."""
    import struct

    file = os.open(name, _READ, dir_fd=pool)
    try:
        start = 0
        while True:
            head = struct.pack("=QQIIII", start, (1 << 64) - 1 - start, 0, 0, _EXTENTS, 0)
            answer = bytearray(head + bytes(_EXTENTS * _EXTENT))
            fcntl.ioctl(file, _FIEMAP, answer)
            found = struct.unpack_from("=I", answer, 20)[0]
            for number in range(found):
                logical, _, length, _, _, flags = struct.unpack_from(
                    "=QQQQQI", answer, 32 + number * _EXTENT
                )
                if flags & _SHARED:
                    return True
                start = logical + length
            if found < _EXTENTS:
                return False
    except OSError:
        return False
    finally:
        os.close(file)

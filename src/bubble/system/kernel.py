"""Two Linux system calls that Python has no name for: syncfs and renameat2's exchange."""

from __future__ import annotations

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NOT_HERE = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


def sync_file_system(path: str) -> None:
    """Write out everything dirty on the file system of the directory `path` (absolute).

    A rename alone doesn't survive a power cut: without this, the files of a renamed directory
    come back with length zero. Falls back to a sync of every file system. Raises OSError when
    the write-out fails, so that nothing unsafe is published.
    """
    library = _libc()
    if library is None or not hasattr(library, "syncfs"):
        os.sync()
        return
    import ctypes

    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if library.syncfs(descriptor) == 0:
            return
        number = ctypes.get_errno()
    finally:
        os.close(descriptor)
    if number in _NOT_HERE:
        os.sync()
        return
    raise OSError(number, os.strerror(number), path)


def exchange(first: str, second: str) -> bool:
    """Swap what two absolute paths name, in one step; False where the system can't.

    Raises OSError for real failures (a path that isn't there, no permission).
    """
    library = _libc()
    if library is None or not hasattr(library, "renameat2"):
        return False
    import ctypes

    status = library.renameat2(
        _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE
    )
    if status == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), first, None, second)


def _libc() -> CDLL | None:
    try:
        import ctypes

        return ctypes.CDLL(None, use_errno=True)
    except (ImportError, OSError):
        return None

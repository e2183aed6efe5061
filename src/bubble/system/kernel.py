"""Linux system calls that Python has no name for: syncfs, statfs, prctl, renameat2 with its flags.

They are called by way of `_ctypes`, the half of ctypes that is written in C: importing the other
half takes as long as making an environment.
"""

from __future__ import annotations

import errno
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer as Buffer

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_RENAME_EXCHANGE = 2
# statfs(2): overlayfs gives a file that changes a number of its own, its other names stay behind;
# what FUSE says of numbers is up to each of its servers
_UNTRUE = {0x794C7630, 0x65735546}
_PR_SET_PDEATHSIG = 1
_NOT_HERE = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


def sync_file_system(path: str) -> None:
    """Write out everything dirty on the file system of the directory `path` (absolute).

    A rename alone doesn't survive a power cut: without this, the files of a renamed directory
    come back with length zero. Falls back to a sync of every file system. Raises OSError when
    the write-out fails, so that nothing unsafe is published.
    """
    syncfs = _libc("syncfs")
    if syncfs is None:
        os.sync()
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        number = syncfs(descriptor)
    finally:
        os.close(descriptor)
    if number in _NOT_HERE:
        os.sync()
    elif number:
        raise OSError(number, os.strerror(number), path)


def exchange(
    first: str, second: str, first_in: int = _AT_FDCWD, second_in: int = _AT_FDCWD
) -> bool:
    """Swap what two names stand for, in one step; False where the system can't.

    They are absolute paths, or names in the directories of the two descriptors.

    Raises OSError for real failures (a path that isn't there, no permission).
    """
    return _renamed(first, second, _RENAME_EXCHANGE, first_in, second_in)


def rename_new(old: str, new: str) -> bool:
    """Give what has the absolute path `old` that of `new`; False where the system can't.

    In one step, and only where nothing has it: else FileExistsError. Raises OSError.
    """
    return _renamed(old, new, _RENAME_NOREPLACE, _AT_FDCWD, _AT_FDCWD)


def end_with_parent(signal: int) -> None:
    """Have this process get a signal when the thread that forked it ends; where that can be had."""
    prctl = _libc("prctl")
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0)


def has_true_links(path: str) -> bool:
    """Whether a hard link stays one, and is known by its number, on the file system of `path`."""
    kinds = file_system_kinds(path)
    return bool(kinds) and _UNTRUE.isdisjoint(kinds)


def file_system_kinds(path: str) -> set[int]:
    """Return the number of the kind of file system that `path` is on, as statfs(2) has it.

    Several where it may be read in several ways, none where nobody says.
    """
    statfs = _libc("statfs")
    if statfs is None:
        return set()
    said = _buffer(512)  # struct statfs is smaller; the type comes first, in four bytes or eight
    if statfs(os.fsencode(path), said):
        return set()
    return {int.from_bytes(bytes(said)[:n], sys.byteorder) for n in (4, 8)}


def _renamed(first: str, second: str, flag: int, first_in: int, second_in: int) -> bool:
    renameat2 = _libc("renameat2")
    if renameat2 is None:
        return False
    names = os.fsencode(first), os.fsencode(second)
    number = renameat2(first_in, names[0], second_in, names[1], flag)
    if number in _NOT_HERE:
        return False
    if number:
        raise OSError(number, os.strerror(number), first, None, second)
    return True


def _buffer(size: int) -> Buffer:
    """Return bytes for a function of the C library to fill."""
    import _ctypes

    class Byte(_ctypes._SimpleCData):  # type: ignore[type-arg] # noqa: SLF001 # it has no other
        _type_ = "B"

    return (Byte * size)()


def _libc(name: str) -> Callable[..., int] | None:
    """Return a function of the C library, as one that returns its error number; None if missing.

    What it takes are ints (C's int), bytes (a pointer to them, NUL-terminated) and buffers.
    """
    try:
        import _ctypes

        class Function(_ctypes.CFuncPtr):
            _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO

        program = _ctypes.dlopen(None, 0)  # type: ignore[arg-type] # typeshed forgot dlopen's NULL
        function = Function(_ctypes.dlsym(program, name))
    except (ImportError, AttributeError, OSError):
        return None

    def call(*arguments: object) -> int:
        return 0 if function(*arguments) == 0 else _ctypes.get_errno()

    return call

"""Whether something can be written where it is to be: asked before the work, not after it."""

from __future__ import annotations

import errno
import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system.files import unlink_quietly
from bubble.system.trouble import kind_of

# what a kernel or a file system without nameless files says of one (open(2))
_NO_NAMELESS = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL})


def require_file(path: str, hint: str) -> None:
    """Raise BubbleError where a file can't be put at `path` (absolute), in a file's place or none.

    usage: there is no such directory, or there is something else; permission, no_space, io: the
    system refuses a file there.
    """
    directory = os.path.dirname(path)
    shown = printable(path, 500)
    if not os.path.isdir(directory):
        message = f"there is no directory {printable(directory, 500)} for {os.path.basename(shown)}"
        raise BubbleError("usage", message, hint=hint)
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise _refused(shown, error, hint) from error
    if stat.S_ISLNK(mode) and os.path.exists(path):
        mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise BubbleError("usage", f"{shown} is a directory", hint=hint)
    if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
        raise BubbleError("usage", f"{shown} is no plain file", hint=hint)
    _try(directory, shown, hint)


def require_directory(path: str, hint: str) -> None:
    """Raise BubbleError, as `require_file`, where nothing can be put into the directory `path`.

    It is absolute, and may have to be made.
    """
    shown = printable(path, 500)
    there = path
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise BubbleError("usage", f"{printable(there, 500)} is no directory", hint=hint)
    _try(there, shown, hint)


def _try(directory: str, shown: str, hint: str) -> None:
    """Put a file into a directory, and take it away: modes don't say all, above all to root.

    It has no name where the system has such files, so that a kill leaves nothing.
    """
    try:
        os.close(os.open(directory, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600))
    except AttributeError:  # macOS
        pass
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise _refused(shown, error, hint) from error
    else:
        return
    trial = f"{directory}/.bubble.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        os.close(os.open(trial, flags, 0o600))
    except OSError as error:
        raise _refused(shown, error, hint) from error
    finally:
        unlink_quietly(trial)


def _refused(shown: str, error: OSError, hint: str) -> BubbleError:
    said = (error.strerror or str(error)).lower()
    return BubbleError(kind_of(error), f"{shown} can't be written: {said}", hint=hint)

"""What an error of the operating system means to a user: the one table from errno to a kind."""

from __future__ import annotations

import errno
import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable

_KINDS = {
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.EROFS: "permission",
}


def kind_of(error: OSError) -> str:
    """Return the kind of an error about any file: `no_space`, `permission`, or else `io`."""
    return _KINDS.get(error.errno or 0, "io")


def from_os_error(error: OSError) -> BubbleError:
    """Return what an error about one of bubble's own files means, with a next step."""
    named = isinstance(error.filename, (str, bytes))  # it may be a descriptor
    where = f"{printable(os.fsdecode(error.filename))}: " if named else ""
    message = f"{where}{(error.strerror or str(error)).lower()}"
    kind, hint = kind_of(error), "check the disk, then try again"
    if kind == "no_space":
        message = f"the disk is full ({message})"
        hint = "free some space, or set BUBBLE_HOME and BUBBLE_CACHE_DIR to another disk"
    elif kind == "permission":
        hint = "check who may write there; bubble's own files can lie elsewhere: BUBBLE_HOME"
    match error.errno:
        case errno.EMFILE | errno.ENFILE:
            hint = "raise the limit of open files: ulimit -n 1024"
        case errno.ENOENT:
            hint = "it went away, or can't be made there: check BUBBLE_HOME and BUBBLE_CACHE_DIR"
        case errno.ENAMETOOLONG:
            hint = "set BUBBLE_HOME to a shorter path"
        case errno.ENOTDIR | errno.EEXIST | errno.ELOOP:
            kind, hint = "store", "something else lies where bubble keeps its files: move it"
    return BubbleError(kind, message, hint=hint)

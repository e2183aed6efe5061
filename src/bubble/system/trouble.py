"""What an error of the operating system means to a user: the one table from errno to a kind."""

from __future__ import annotations

import errno
import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

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


def from_os_error(error: OSError, env: Mapping[str, str] | None = None) -> BubbleError:
    """Return what an error about one of bubble's own files means, with a next step.

    By `env`, that names the variable which says where such files lie.
    """
    named = isinstance(error.filename, (str, bytes))  # it may be a descriptor
    where = f"{printable(os.fsdecode(error.filename))}: " if named else ""
    message = f"{where}{(error.strerror or str(error)).lower()}"
    kind, hint = kind_of(error), "check the disk, then try again"
    if kind == "no_space":
        message = f"the disk is full ({message})"
        hint = "free some space, or set BUBBLE_HOME and BUBBLE_CACHE_DIR to another disk"
    elif kind == "permission":
        path = os.fsdecode(error.filename) if named else ""
        meant = _variables(path, env or {})
        hint = f"check who may write there; bubble's own files can lie elsewhere: {meant}"
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


def _variables(path: str, env: Mapping[str, str]) -> str:
    """Return the variables that say where what lies at a path would lie, "BUBBLE_HOME" for none."""
    from bubble.system.layout import layout_from

    try:
        layout = layout_from(env)
    except BubbleError:
        return "BUBBLE_HOME"
    found = [
        name
        for name, place in (("BUBBLE_HOME", layout.home), ("BUBBLE_CACHE_DIR", layout.cache))
        if os.path.isabs(path) and os.path.commonpath([path, place]) in {path, place}
    ]
    return " and ".join(found) or "BUBBLE_HOME"

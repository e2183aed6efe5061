"""Files of an import or export put where they belong: nothing that is there is lost."""

from __future__ import annotations

import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects.exchange.texts import LARGE, read_bytes
from bubble.projects.manifest import MANIFEST, PYPROJECT
from bubble.system.files import replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Written(Record):
    """A file of the result: its absolute path, its text, and its `role`.

    `role` is "manifest", "requirements", "constraints" or "lock". `kept` is where what was there
    before is kept (absolute), "" where nothing is lost.
    """

    path: str
    text: str
    role: str
    kept: str = ""


def require_free(files: Sequence[Written], *, force: bool) -> list[Written]:
    """Return the files, each with where what is there now will be kept.

    Raises BubbleError(usage) where something else is there and not `force`, and always for what
    is no regular file.
    """
    found = []
    for file in files:
        there = _there(file)
        kept = ""
        if there is not None and there != file.text.encode() and not _is_addition(file, there):
            if not (force or _says_the_same(file, there)):
                raise BubbleError(
                    "usage",
                    f"{_what(file)} is there already",
                    hint="look at what it would be: --dry-run; to replace it, and keep the old "
                    "one beside it: --force",
                )
            kept = _free_name(file.path)
        found.append(file.replace(kept=kept))
    return found


def put(files: Sequence[Written]) -> None:
    """Write the files, each in one step; what was there is copied first. Raises OSError."""
    for file in files:
        there = _there(file)
        if there == file.text.encode():
            continue
        mode = None
        if there is not None:
            mode = stat.S_IMODE(os.stat(file.path).st_mode)
            if file.kept:
                replace_file(file.kept, there, mode)
        replace_file(file.path, file.text.encode(), mode)


def _there(file: Written) -> bytes | None:
    """Return what is in the place of a file, None for nothing."""
    try:
        status = os.lstat(file.path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise BubbleError(
            "usage",
            f"{printable(file.path, 500)} is no regular file",
            hint="move it away, or go to the directory that it leads to",
        )
    return read_bytes(file.path, LARGE)


def _says_the_same(file: Written, there: bytes) -> bool:
    """Whether a manifest differs in nothing but its comments and layout."""
    import tomllib

    if file.role != "manifest" or os.path.basename(file.path) == PYPROJECT:
        return False
    try:
        return tomllib.loads(there.decode()) == tomllib.loads(file.text)
    except (ValueError, RecursionError):
        return False


def _is_addition(file: Written, there: bytes) -> bool:
    """Whether a pyproject.toml only gets what it hasn't got."""
    if os.path.basename(file.path) != PYPROJECT:
        return False
    import tomllib

    tool = tomllib.loads(there.decode()).get("tool", {})
    return "bubble" not in tool or _own(file.text) == tool["bubble"]


def _own(text: str) -> object:
    import tomllib

    return tomllib.loads(text)["tool"]["bubble"]


def _what(file: Written) -> str:
    shown = printable(file.path, 500)
    if file.role == "manifest" and os.path.basename(file.path) != MANIFEST:
        return f"[tool.bubble] in {shown}"
    return shown


def _free_name(path: str) -> str:
    """Return the first of `NAME.before-import`, `NAME.before-import-2`, … that is free."""
    for number in range(1, 1000):
        name = f"{path}.before-import" + (f"-{number}" if number > 1 else "")
        if not os.path.lexists(name):
            return name
    raise BubbleError(
        "usage",
        f"there are too many old copies of {printable(path, 500)}",
        hint="move NAME.before-import away",
    )


def write_output(path: str, text: str) -> None:
    """Write what was asked for to `path` (absolute), in one step, in the place of a file.

    Raises BubbleError(usage) for what is no regular file, and OSError.
    """
    target = os.path.realpath(path)
    _there(Written(path=target, text=text, role="export"))
    mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else None
    replace_file(target, text.encode(), mode)

"""`bubble` among the shims: the script, from its template `shims/front.sh`.

It answers what is remembered and becomes the program for all else. What it recognises of syncs and
scripts stands in `selection.shortcuts`.
"""

from __future__ import annotations

import os
import sys

import bubble
from bubble.pythons.probing.isolation import own_launcher
from bubble.selection import templates
from bubble.selection.path import DEFAULT_PATH, head
from bubble.selection.shortcuts import FORMAT, SIGNS, UNSAID
from bubble.system.files import read_text, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

_MARK = b"\n# bubble front "  # the script says so in its first lines


def is_right(layout: Layout, python: str) -> bool:
    """Whether `write` with the same arguments would change nothing."""
    return not _is_ours(layout) or read_text(layout.front) == _script(layout, python)


def write(layout: Layout, python: str) -> None:
    """Put the script among the shims, unless there is something of another hand's in its place.

    `python` is the absolute path of the interpreter that runs bubble. Raises OSError.
    """
    if not is_right(layout, python):
        data = _script(layout, python).encode("utf-8", "surrogateescape")
        write_atomic(layout.front, data, 0o755)


def _is_ours(layout: Layout) -> bool:
    # elsewhere, a store is in another place by default, which sh doesn't know
    there = os.path.lexists(layout.front)
    return sys.platform == "linux" and (not there or _MARK in head(layout.front, 512))


def _script(layout: Layout, python: str) -> str:
    package = os.path.dirname(os.path.abspath(bubble.__file__))
    return templates.script(
        "front.sh",
        {"home": layout.home, "python": python, "package": package, "launcher": own_launcher()},
        {
            "format": FORMAT,
            "path": DEFAULT_PATH,
            "signs": " ".join(SIGNS),
            "unsaid": ":".join(UNSAID),
        },
    )

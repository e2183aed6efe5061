"""What bubble knows of directories and shells because it was asked there: read from the memos.

The one place that turns memos back into what they are about. What was never asked isn't known, so
nobody may take "isn't among these" for "isn't there".
"""

from __future__ import annotations

import os
import time

from bubble.selection.memos import GLOBAL
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.system.layout import Layout

ALIAS_DAYS = 30  # a shell's request counts for so long after its last use


def known_directories(layout: Layout) -> Iterator[str]:
    """Yield each directory (absolute) in which a shim or a command of bubble has run."""
    for directory, _ in directory_memos(layout):
        yield directory


def directory_memos(layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield each directory that has a memo, and the memo's path, both absolute."""
    root = os.path.dirname(layout.memo("/"))
    for place, _, names in os.walk(root):
        if ".bubble" in names:
            yield place[len(root) :] or "/", f"{place}/.bubble"


def last_answer(memo: str) -> tuple[str, ...]:
    """Return the prefixes (absolute) that a memo, of any format, answered with."""
    first = (read_text(memo, 1 << 16) or "").partition("\n")[0]
    return tuple(prefix for prefix in first.split(":") if os.path.isabs(prefix))


def shell_requests(layout: Layout) -> Iterator[tuple[str, str, float]]:
    """Yield each request text that a shell has used, its memo's path, and its age in days."""
    try:
        names = os.listdir(layout.aliases)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name == GLOBAL or name.startswith("."):
            continue
        path = f"{layout.aliases}/{name}"
        try:
            yield name, path, (time.time() - os.stat(path).st_mtime) / 86400
        except FileNotFoundError:
            continue

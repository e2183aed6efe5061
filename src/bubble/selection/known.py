"""What bubble knows of directories and shells because it was asked there: read from the memos.

The one place that turns memos back into what they are about. What was never asked isn't known, so
nobody may take "isn't among these" for "isn't there".
"""

from __future__ import annotations

import os
import time

from bubble.pythons.installed import meanings
from bubble.selection.facts import head_of
from bubble.system.files import read_text
from bubble.system.trees import walk

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
    root = layout.answers
    for place, _, names in walk(root):
        # not BUBBLE_PYTHON's
        if "answer" in names and (place == root or place.startswith(f"{root}/@")):
            yield place[len(root) :].replace("/@", "/") or "/", f"{place}/answer"


def last_answer(memo: str, layout: Layout) -> tuple[str, ...]:
    """Return the prefixes (absolute) that a directory's memo answers with, as far as it says them.

    A request in it means what the store remembers of it.
    """
    lines = (read_text(memo, 1 << 16) or "").split("\n")
    words = lines[1].split(":") if lines[0] == head_of(layout) and lines[1:] else []
    means = (
        (meanings.meaning(layout, word[1:]) or "") if word[:1] == "@" else word for word in words
    )
    return tuple(prefix for prefix in means if os.path.isabs(prefix))


def shell_requests(layout: Layout) -> Iterator[tuple[str, str, float]]:
    """Yield each request text that a shell has used, its memo's path, and its age in days."""
    try:
        names = os.listdir(layout.variable_answers)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name.startswith("."):
            continue
        path = f"{layout.variable_answers}/{name}"
        try:
            yield name, path, (time.time() - os.stat(path).st_ctime) / 86400
        except FileNotFoundError:
            continue

"""The files by which git says where something is: one path each, relative to the file or absolute.

`.git` of a worktree or a submodule, `gitdir` and `commondir` in a repository
(gitrepository-layout(5)). Read as a version file is, since shims come by here; nothing is run.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.system.version_file import read_regular

_LARGEST = 8192  # bytes


def path_in(path: str, key: str = "") -> str:
    """Return the absolute path that the file at `path` (absolute) names behind `key`, or ""."""
    try:
        data = read_regular(path, _LARGEST)
    except BubbleError:
        return ""
    text = os.fsdecode(data or b"").removesuffix("\n")
    if not text.startswith(key) or "\n" in text or "\0" in text:
        return ""
    said = text.removeprefix(key).strip()
    return os.path.normpath(os.path.join(os.path.dirname(path), said)) if said else ""

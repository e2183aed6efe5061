"""Whether a project that is built into its environment has changed: a digest of its files.

By path, size and time, never by content: what is written again is built again. What no build
takes is left out: environments, caches, what begins with a dot, what builds leave,
and lock files.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects.state import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFT_OUT = frozenset({"__pycache__", "build", "dist", "node_modules"})
_MARKS = ("pyvenv.cfg", "CACHEDIR.TAG")  # in what can be made anew
_MOST = 100_000  # files


def sources_of(root: str) -> str:
    """Return the digest (hex) of the files of the project at `root` (absolute).

    Raises BubbleError(manifest) where there are more than anybody builds.
    """
    found: list[str] = []
    for path, info in _files(root):
        found.append(f"{os.path.relpath(path, root)} {info.st_size} {info.st_mtime_ns}")
        if len(found) > _MOST:
            raise BubbleError(
                "manifest",
                f"{printable(root, 500)} has more than {_MOST} files, and is to be built",
                hint='take project = "editable", which needs no building anew',
            )
    return digest("\n".join(sorted(found)).encode("utf-8", "surrogateescape"))


def _files(directory: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(directory) as entries:
            found = list(entries)
    except OSError:
        return
    if any(entry.name in _MARKS for entry in found):
        return
    for entry in found:
        name = entry.name
        if name[0] == "." or name in _LEFT_OUT or name.endswith((".egg-info", ".pyc")):
            continue
        if name.startswith("pylock.") and name.endswith(".toml"):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry.path, entry.stat(follow_symlinks=False)
        except OSError:
            continue

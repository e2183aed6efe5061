"""Whether the source trees of an environment have changed: digests of what was taken from them.

Of one that is built into it, by path, size and time, never by content: what is written again is
built again. What no build takes is left out: environments, caches, what begins with a dot, what
builds leave, and lock files. Of one that is used where it lies, by the content of what says how:
its code needs nothing, its commands, entry points and version do.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects.state import digest
from bubble.projects.tree import metadata_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bubble.projects.lockfile import Tree

_LEFT_OUT = frozenset({"__pycache__", "build", "dist", "node_modules"})
_MARKS = ("pyvenv.cfg", "CACHEDIR.TAG")  # in what can be made anew
_MOST = 100_000  # files


def sources_of(root: str, trees: Sequence[Tree]) -> tuple[str, str]:
    """Return the digests (hex) of the trees that are built, and of what the editable ones say.

    "" where there are none. `root` (absolute) is the directory of the lock that has the trees.
    Raises BubbleError(manifest) where there are more files than anybody builds, and for what can't
    be read.
    """
    if not trees:
        return "", ""
    import json

    built = [_files_of(os.path.join(root, t.path)) for t in trees if not t.editable]
    said = [metadata_of(os.path.join(root, t.path))[0] for t in trees if t.editable]
    text = json.dumps(said, sort_keys=True, default=str)
    sources = digest("\n".join(built).encode("utf-8", "surrogateescape")) if built else ""
    return sources, digest(text.encode()) if said else ""


def metadata_files(root: str, trees: Sequence[Tree]) -> list[str]:
    """Return the files (absolute) that decide about the editable trees, there or not."""
    found: list[str] = []
    for tree in trees:
        if tree.editable:
            path = os.path.normpath(os.path.join(root, tree.path))
            found += [f"{path}/{name}" for name in ("pyproject.toml", "setup.py", "setup.cfg")]
            found += metadata_of(path)[1]
    return found


def _files_of(root: str) -> str:
    found: list[str] = []
    for path, info in _files(root):
        found.append(f"{os.path.relpath(path, root)} {info.st_size} {info.st_mtime_ns}")
        if len(found) > _MOST:
            raise BubbleError(
                "manifest",
                f"{printable(root, 500)} has more than {_MOST} files, and is to be built",
                hint='take project = "editable", which needs no building anew',
            )
    return "\n".join(sorted(found))


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

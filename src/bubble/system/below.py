"""Directories below one, opened without following a link on the way.

For whoever has to do with many files of a tree, one after the other: a few stay open.
"""

from __future__ import annotations

import os

MOST = 32  # descriptors that are kept open
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Below:
    """The tree at `prefix` (absolute). Raises OSError where that is no directory, or a link."""

    def __init__(self, prefix: str) -> None:
        self._open: dict[str, int] = {"": os.open(prefix, _DIRECTORY)}

    def close(self) -> None:
        """Close every descriptor."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def directory(self, path: str) -> int:
        """Return a descriptor, which is ours, of the directory at `path`, relative to the tree.

        Raises OSError.
        """
        found = self._open.get(path)
        if found is None:
            above, _, name = path.rpartition("/")
            found = os.open(name, _DIRECTORY, dir_fd=self.directory(above))
            self._open[path] = found
            if len(self._open) > MOST:
                first = next(name for name in self._open if name not in ("", path))
                os.close(self._open.pop(first))
        return found

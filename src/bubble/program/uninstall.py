"""Taking bubble off the machine: what it put where, and nothing else."""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.program.origin import INSTALLER
from bubble.system.files import read_text, unlink_quietly
from bubble.system.trees import remove_tree, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.program.origin import Origin
    from bubble.system.layout import Layout


class Piece(Record):
    """One thing that goes: what it is, its absolute path, and its size in bytes."""

    what: str
    path: str
    size: int


def pieces(origin: Origin, layout: Layout, *, everything: bool) -> tuple[Piece, ...]:
    """Return what goes: the program; the shims; with `everything` the store and the cache too."""
    found = []
    if origin.kind == INSTALLER:
        found += [("the command", origin.launcher), ("bubble and its Python", origin.prefix)]
    if everything:
        found += [("the store: every Python and environment in it", layout.home)]
        found += [("the cache", layout.cache)]
    else:
        found += [("the shims", layout.shims), ("the shims' script", layout.shim)]
    return tuple(
        Piece(what=what, path=path, size=_size(path))
        for what, path in found
        if path and os.path.lexists(path)
    )


def remove(found: tuple[Piece, ...], origin: Origin) -> None:
    """Delete what was found; the program last, which runs from what it deletes.

    Directories that install.sh made, and that are empty then, go as well. Raises OSError.
    """
    made = (read_text(f"{origin.prefix}/made", 1 << 16) or "").splitlines() if origin.prefix else []
    own = {origin.prefix, origin.launcher}
    for piece in sorted(found, key=lambda p: p.path in own):
        if os.path.isdir(piece.path) and not os.path.islink(piece.path):
            remove_tree(piece.path)
        else:
            unlink_quietly(piece.path)
    for directory in sorted(made, key=len, reverse=True):
        try:
            os.rmdir(directory)
        except OSError:  # somebody else uses it
            continue


def _size(path: str) -> int:
    if os.path.isdir(path) and not os.path.islink(path):
        return size_of(path)
    return os.lstat(path).st_size

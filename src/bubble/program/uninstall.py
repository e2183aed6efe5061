"""Taking bubble off the machine: what it put where, and nothing else."""

from __future__ import annotations

import contextlib
import os
import re

from bubble.model.record import Record
from bubble.program.origin import INSTALLER
from bubble.system import made
from bubble.system.files import read_text, unlink_quietly
from bubble.system.trees import remove_tree, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.program.origin import Origin
    from bubble.system.layout import Layout

_OF_INSTALLER = re.compile(r"versions|command|lock|made(\.part)?|(process|scratch)(\..*)?")


class Piece(Record):
    """One thing that goes: what it is, its absolute path, and its size in bytes."""

    what: str
    path: str
    size: int


def pieces(
    origin: Origin, layout: Layout, *, everything: bool, configuration: str = ""
) -> tuple[Piece, ...]:
    """Return what goes: the program; the shims; with `everything` the store and the cache too.

    `configuration` is the absolute path of the user's, where bubble wrote it.
    """
    found = []
    if origin.kind == INSTALLER:
        found += [("the command", origin.launcher), ("bubble and its Python", origin.prefix)]
    if everything:
        found += [("the store: every Python and environment in it", layout.home)]
        found += [("the cache", layout.cache), ("the configuration", configuration)]
    else:
        found += [("the shims", layout.shims), ("the shims' script", layout.shim)]
    return tuple(
        Piece(what=what, path=path, size=_size(path))
        for what, path in found
        if path and os.path.lexists(path)
    )


def remove(found: tuple[Piece, ...], origin: Origin, made: tuple[str, ...]) -> None:
    """Delete what was found; the program last, which runs from what it deletes.

    `made` are directories that go as well if they are empty then. What somebody put into the
    installer's own one stays. Raises OSError.
    """
    own = {origin.prefix, origin.launcher}
    for piece in sorted(found, key=lambda p: p.path in own):
        if piece.path == origin.prefix:
            for name in filter(_OF_INSTALLER.fullmatch, os.listdir(piece.path)):
                _remove(f"{piece.path}/{name}")
        else:
            _remove(piece.path)
    prefix = [origin.prefix] if origin.prefix else []
    for directory in sorted({*made, *prefix}, key=len, reverse=True):
        with contextlib.suppress(OSError):  # somebody else uses it
            os.rmdir(directory)


def made_directories(origin: Origin, layout: Layout) -> tuple[str, ...]:
    """Return the absolute paths of what install.sh and bubble made outside of what is theirs."""
    told = made.noted(layout)
    if origin.prefix:
        told += (read_text(f"{origin.prefix}/made", 1 << 16) or "").splitlines()
    return tuple(path for path in told if os.path.isabs(path))


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        remove_tree(path)
    else:
        unlink_quietly(path)


def _size(path: str) -> int:
    if os.path.isdir(path) and not os.path.islink(path):
        return size_of(path)
    return os.lstat(path).st_size

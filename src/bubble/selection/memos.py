"""Memos: answers of the resolver, left where the shim recognises them.

The format is in `shims/shim.sh`. A memo is derived: whoever can't write one pays the slow path
and nothing else. Its time is set to just before the resolver looked, so that whatever changes
from then on is newer.
"""

from __future__ import annotations

import os

from bubble.selection.sources import READERS, in_directory, upwards
from bubble.system.files import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import Selection, World
    from bubble.selection.sources import Source

FORMAT = "1"
GLOBAL = ".global"
COMPARED = {".python-version", ".python-versions", "version"}
_MARGIN = 20_000_000  # nanoseconds; a file's time comes from a clock that ticks every 1 to 10 ms
ALIAS_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@<>=!~,*:-"
)


def leave(selection: Selection, world: World, looked_at: int) -> None:
    """Write the memos that let the shim answer as `selection` does; failures cost nothing.

    `looked_at` is the time (ns since the epoch) before the resolver read anything.
    """
    answer = ":".join(a.prefix for a in selection.answers)
    if any(":" in a.prefix or "\n" in a.prefix for a in selection.answers):
        return
    try:
        _leave(answer, selection.source, world, looked_at)
    except OSError:
        pass  # a read-only or full store: the slow path again next time


def _leave(answer: str, source: Source, world: World, looked_at: int) -> None:
    layout = world.layout
    match source.kind:
        case "variable":
            text = world.env["BUBBLE_PYTHON"]
            if ALIAS_CHARACTERS.issuperset(text) and not text.startswith("."):
                _write(f"{layout.aliases}/{text}", answer, "", "-", b"", looked_at)
            return
        case "global":
            content = _content(source.path)
            _write(f"{layout.aliases}/{GLOBAL}", answer, "version", "version", content, looked_at)
        case "file":
            name = source.file_name
            content = _content(source.path) if name in COMPARED else b""
            there = _there(source.directory)
            _write(layout.memo(source.directory), answer, there, name, content, looked_at)
    _leave_passes(source, world, looked_at)


def _leave_passes(source: Source, world: World, looked_at: int) -> None:
    """Say of each directory below the deciding one that its files say nothing."""
    for directory in upwards(world.cwd):
        if directory == source.directory:
            return
        there = _there(directory)
        memo = world.layout.memo(directory)
        if there and next(in_directory(directory), None) is None:
            _write(memo, "-", there, "-", b"", looked_at)
        elif not there and os.path.lexists(memo):
            os.unlink(memo)


def _there(directory: str) -> str:
    names = [name for name, _ in READERS if os.path.lexists(f"{directory.rstrip('/')}/{name}")]
    return " ".join(names)


def _content(path: str) -> bytes:
    from bubble.system.version_file import LIMIT, read_regular

    return read_regular(path, LIMIT) or b""


def _write(path: str, answer: str, there: str, asked: str, content: bytes, looked_at: int) -> None:
    head = f"{answer}\n{FORMAT}{' ' * bool(there)}{there}\n{asked}\n"
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    write_atomic(path, os.fsencode(head) + content)
    os.utime(path, ns=(looked_at - _MARGIN, looked_at - _MARGIN))

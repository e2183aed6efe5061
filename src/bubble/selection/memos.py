"""Memos: answers of the resolver, left where the shim recognises them.

The format is in `shims/shim.sh`. A memo is derived: whoever can't write one pays the slow path
and nothing else. Its time is set to just before the resolver looked, so that whatever changes
from then on is newer.
"""

from __future__ import annotations

import os
import time

from bubble.selection.registry import of_directory
from bubble.selection.sources import READERS, in_directory
from bubble.system.directory import upwards
from bubble.system.files import make_directory, unlink_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import Selection, World
    from bubble.selection.sources import Source

FORMAT = "1"
GLOBAL = ".global"
COMPARED = {".python-version", ".python-versions", "version"}
_MARGIN = 20_000_000  # nanoseconds; a file's time comes from a clock that ticks every 1 to 10 ms
_FORGOTTEN = 10.0  # seconds after which a writer's file has no writer any more
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
        case "environment":
            there = _there(source.directory)
            name = there.partition(" ")[0]
            content = b""
            if name in COMPARED and os.path.isfile(path := f"{source.directory}/{name}"):
                content = _content(path)
            else:
                name = "-"
            _write(layout.memo(source.directory), answer, there, name, content, looked_at)
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
        elif not there and os.path.lexists(memo) and not of_directory(world.layout, directory):
            os.unlink(memo)


def _there(directory: str) -> str:
    names = [name for name, _ in READERS if os.path.lexists(f"{directory.rstrip('/')}/{name}")]
    return " ".join(names)


def _content(path: str) -> bytes:
    from bubble.system.version_file import LIMIT, read_regular

    return read_regular(path, LIMIT) or b""


def _write(path: str, answer: str, there: str, asked: str, content: bytes, looked_at: int) -> None:
    head = f"{answer}\n{FORMAT}{' ' * bool(there)}{there}\n{asked}\n"
    directory, name = os.path.split(path)
    make_directory(directory)
    # one name, so that what a killed writer leaves is found by the next
    temporary = f"{directory}/.{name}.tmp"
    descriptor = _create(temporary)
    try:
        os.write(descriptor, os.fsencode(head) + content)
        # before the rename: a memo with the present's time would outlive changes since the look
        os.utime(descriptor, ns=(looked_at - _MARGIN, looked_at - _MARGIN))
        os.rename(temporary, path)
    except BaseException:
        unlink_quietly(temporary)
        raise
    finally:
        os.close(descriptor)


def _create(path: str) -> int:
    """Create a writer's file; raises FileExistsError while another one writes."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileExistsError:
        if time.time() - os.lstat(path).st_mtime < _FORGOTTEN:
            raise
    unlink_quietly(path)
    return os.open(path, flags, 0o644)

"""What the shim would do with the memos that are there: its walk, told instead of run.

Only for `explain`. The shim itself is `shims/shim.sh`; a test holds the two to each other.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.selection.memos import ALIAS_CHARACTERS, COMPARED, FORMAT, GLOBAL
from bubble.selection.sources import READERS, VARIABLE
from bubble.system.directory import upwards
from bubble.system.version_file import LIMIT, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import World


class Recall(Record):
    """The memo that the shim comes to: `state` is "present", "stale" or "none".

    `path` is the memo's (absolute), "" where there can be none; `prefixes` is its answer.
    """

    state: str
    path: str = ""
    prefixes: tuple[str, ...] = ()


_NOWHERE = Recall(state="none")


def recall(world: World) -> Recall:
    """Return the memo that decides in the working directory, as the shim sees it."""
    value = world.env.get(VARIABLE, "")
    if value:
        if value.startswith(".") or not ALIAS_CHARACTERS.issuperset(value):
            return _NOWHERE
        return _look(f"{world.layout.aliases}/{value}", (), "", world)
    for directory in upwards(world.cwd):
        base = directory.rstrip("/")
        files = tuple(name for name, _ in READERS if os.path.lexists(f"{base}/{name}"))
        memo = world.layout.memo(directory)
        if files or os.path.exists(memo):
            found = _look(memo, files, base, world)
            if found.prefixes != ("-",):
                return found
    if not world.cwd or not os.path.exists(world.layout.global_pin):
        return _NOWHERE
    return _look(f"{world.layout.aliases}/{GLOBAL}", ("version",), world.layout.home, world)


def _look(memo: str, files: tuple[str, ...], base: str, world: World) -> Recall:
    try:
        with open(memo, "rb") as file:
            made = os.fstat(file.fileno()).st_mtime_ns
            lines = os.fsdecode(file.read()).split("\n", 3)
    except (FileNotFoundError, NotADirectoryError):
        return Recall(state="none", path=memo)
    except OSError:
        return Recall(state="stale", path=memo)
    if len(lines) < 4 or not _holds(made, lines, files, base, world):
        return Recall(state="stale", path=memo)
    return Recall(state="present", path=memo, prefixes=tuple(lines[0].split(":")))


def _holds(made: int, lines: list[str], files: tuple[str, ...], base: str, world: World) -> bool:
    if not _is_newer(made, world.layout.generation) or lines[1] != " ".join((FORMAT, *files)):
        return False
    decided = False
    for name in files:
        path = f"{base}/{name}"
        if not (_is_newer(made, path) if os.path.exists(path) else decided):
            return False
        decided = decided or name == lines[2]
    return lines[2] not in COMPARED or _is_same(f"{base}/{lines[2]}", lines[3])


def _is_same(path: str, asked: str) -> bool:
    """Whether a version file still says what was asked, whatever its last line ends with."""
    try:
        data = read_regular(path, LIMIT)
    except BubbleError:
        return False
    return data is not None and os.fsdecode(data).rstrip("\n") == asked.rstrip("\n")


def _is_newer(made: int, other: str) -> bool:
    """Whether a time (ns) is after the last change of `other`, which must be there (dash's -nt)."""
    try:
        return made > os.stat(other).st_mtime_ns
    except OSError:
        return False

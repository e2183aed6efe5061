"""What the shim would do with the memos that are there: its walk, told instead of run.

Only for `explain` and `doctor`. The shim itself is `shims/shim.sh`, the format is in
`selection.facts`; a test holds the three to each other.
"""

from __future__ import annotations

import os
import stat

from bubble.model.record import Record
from bubble.pythons.installed import meanings
from bubble.selection.facts import NAMES, NOTHING, PIN_NAMES, head_of
from bubble.selection.memos import is_sayable
from bubble.selection.registry import project_file
from bubble.selection.sources import VARIABLE
from bubble.system.directory import upwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bubble.selection.resolve import World
    from bubble.system.layout import Layout

    Means = Callable[[Layout, str], str | None]

_LONGEST = 1 << 18  # bytes of a memo, which has a few files of at most 16 KiB in it
_PIECE = 8192


class Replay(Record):
    """The memo that the shim comes to: `state` is "present", "stale" or "none".

    `path` is the memo's (absolute), "" where there can be none; `prefixes` is its answer.
    """

    state: str
    path: str = ""
    prefixes: tuple[str, ...] = ()


_NOWHERE = Replay(state="none")


def replay(world: World, means: Means = meanings.meaning) -> Replay:
    """Return the memo that decides in the working directory, as the shim sees it.

    `means` looks up what a request means, for whoever asks the same of many directories.
    """
    layout = world.layout
    value = world.env.get(VARIABLE, "")
    if value:
        return _look(f"variable/{value}", "", world, means) if is_sayable(value) else _NOWHERE
    for directory in upwards(world.cwd):
        base = directory.rstrip("/")
        names = " ".join(name for name in NAMES if os.path.lexists(f"{base}/{name}"))
        if names:
            place = layout.answer(directory).removeprefix(f"{layout.answers}/")
            found = _look(place, names, world, means)
            if found.prefixes != (NOTHING,):
                return found
        elif os.path.lexists(f"{layout.registry}/{project_file(directory)}"):
            return _NOWHERE
    if not world.cwd or not os.path.exists(layout.global_pin):
        return _NOWHERE
    return _look("global", "version", world, means)


def _look(place: str, names: str, world: World, means: Means) -> Replay:
    """Look at a memo of the store, or at this user's own of it; `place` is below either."""
    found = _look_at(f"{world.layout.answers}/{place}", names, world, means)
    if found.state == "present" or not world.layout.cache:
        return found
    layout = world.layout.with_own_memos()
    path = f"{layout.answers}/{place}"
    if not (_is_own(layout.own_memos) and _is_own(path)):
        return found
    own = _look_at(path, names, world, means)
    return own if own.state == "present" else found


def _is_own(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False


def _look_at(path: str, names: str, world: World, means: Means) -> Replay:
    try:
        made = os.stat(path).st_mtime_ns
        lines = iter(os.fsdecode(_content(path)).split("\n"))
    except (FileNotFoundError, NotADirectoryError):
        return Replay(state="none", path=path)
    except OSError:
        return Replay(state="stale", path=path)
    try:
        head = (next(lines), next(lines), next(lines))
        if head[0] == head_of(world.layout) and head[2] == names and _hold(lines, made):
            prefixes = tuple(_meant(word, world, means) for word in head[1].split(":"))
            return Replay(state="present", path=path, prefixes=tuple(p for p in prefixes if p))
    except (OSError, StopIteration, ValueError):
        pass
    return Replay(state="stale", path=path)


def _meant(word: str, world: World, means: Means) -> str:
    """Return a word's prefix, "" for a request that nothing satisfies."""
    if word[:1] == "=":
        return world.layout.python(word[1:])
    if word[:1] != "@":
        return word
    found = means(world.layout, word[1:])
    if found is None:
        raise ValueError
    prefix = found.rstrip("\n")
    return "" if prefix == meanings.NOTHING else prefix


_OF_ONE_PATH: dict[str, Callable[[str], bool]] = {
    "-": lambda path: not os.path.lexists(path),
    "d": os.path.isdir,
    "l": lambda path: os.path.islink(path) and not os.path.exists(path),
    "f": lambda path: not os.path.islink(path),
}


def _hold(lines: Iterator[str], made: int) -> bool:
    """Whether all facts of a memo, whose time is `made`, are so now."""
    for kind in lines:
        if kind == ".":
            return True
        path = next(lines)
        match kind:
            case "-" | "d" | "l" | "f":
                holds = _OF_ONE_PATH[kind](path)
            case "n":
                holds = not any(os.path.lexists(f"{path.rstrip('/')}/{n}") for n in PIN_NAMES)
            case "=":
                holds = os.path.samefile(path, next(lines))
            case "t":
                stamp = next(lines)
                holds = os.path.isfile(path) and os.path.isfile(stamp) and os.access(path, os.R_OK)
                holds = holds and os.stat(path).st_mtime_ns == os.stat(stamp).st_mtime_ns
            case _:
                said = [next(lines) for _ in range(int(kind))]
                info = os.stat(path)
                holds = stat.S_ISREG(info.st_mode) and info.st_mtime_ns <= made
                holds = holds and _lines(path) == said
        if not holds:
            return False
    return False


def _lines(path: str) -> list[str]:
    lines = os.fsdecode(_content(path)).split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines


def _content(path: str) -> bytes:
    """Return what is in a file, up to more than a memo says of one: `open` takes far longer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = more = os.read(descriptor, _PIECE)
        while more and len(data) < _LONGEST:
            more = os.read(descriptor, _LONGEST - len(data))
            data += more
    finally:
        os.close(descriptor)
    return data

"""Why this Python: every source that could have decided, the one that did, and what the shim does.

What other tools would read is `selection.neighbours`' business.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.selection.belonging import environment_of, inside
from bubble.selection.commands import command_path
from bubble.selection.fallback import installs_commands
from bubble.selection.neighbours import neighbours
from bubble.selection.reached import is_of_another_manager, place_on_path
from bubble.selection.replay import replay
from bubble.selection.resolve import is_command, resolve
from bubble.selection.sources import PYPROJECT, READERS, VARIABLE, Source, choose
from bubble.system.directory import upwards
from bubble.system.version_file import Entry, read_python_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.selection.neighbours import Neighbour
    from bubble.selection.replay import Replay
    from bubble.selection.resolve import Selection, World


class Considered(Record):
    """One source: what it says, or `error`, why it can't be used.

    `verdict` is "wins", "overruled" or "says nothing". An empty file's entry is `system`.
    """

    source: Source
    entries: tuple[Entry, ...]
    verdict: str
    error: str = ""


class Shim(Record):
    """The shim of the command: whether there is one, and what it does here.

    `before` is the path of what a shell runs in its place, "" for none. `asks` says why it calls
    bubble first; "": it knows the answer, and adds a millisecond. `differs` is what it would run
    instead of what was resolved: a fault of bubble's, "" where there is none.
    """

    path: str
    exists: bool
    on_path: bool
    before: str
    asks: str
    differs: str


class Explanation(Record):
    """The sources, highest first; what was selected, or why nothing was; what others would read.

    `command` is the path that the command runs, or "".
    """

    name: str
    considered: tuple[Considered, ...]
    selection: Selection | None
    error: BubbleError | None
    command: str
    shim: Shim
    memo: Replay
    neighbours: tuple[Neighbour, ...]

    @property
    def is_missing(self) -> bool:
        """Whether nothing that the deciding source asks for is installed."""
        return self.error is not None and self.error.kind == "not_installed"


def explain(name: str, world: World) -> Explanation:
    """Explain what `name` runs in the working directory."""
    selection: Selection | None = None
    error: BubbleError | None = None
    command = ""
    try:
        choice = choose(world.cwd, world.env, world.layout)
        selection = resolve(choice, world)
        command = command_path(name, selection, world)
    except BubbleError as caught:
        error = caught
    memo = replay(world)
    return Explanation(
        name=name,
        considered=tuple(_considered(world)),
        selection=selection,
        error=error,
        command=command,
        shim=_shim(name, command, memo, world),
        memo=memo,
        neighbours=neighbours(world.cwd, world.env),
    )


def _considered(world: World) -> Iterator[Considered]:
    decided = False
    for source, entries, error in _everything(world):
        passed = source.file_name == PYPROJECT  # where it can't be understood
        says = entries is not None or (bool(error) and not passed)
        verdict = ("overruled" if decided else "wins") if says else "says nothing"
        decided = decided or says
        yield Considered(source=source, entries=entries or (), verdict=verdict, error=error)


def _everything(world: World) -> Iterator[tuple[Source, tuple[Entry, ...] | None, str]]:
    """Yield each source, what it says (None: nothing), and why it can't be read.

    The variable, the global pin and the default always, environments and files where they are.
    """
    value = world.env.get(VARIABLE, "").strip()
    yield Source(kind="variable"), (Entry(text=value, line=0),) if value else None, ""
    for directory in upwards(world.cwd):
        source = Source(kind="environment", path=directory)
        try:
            environment = environment_of(world.layout, directory)
        except BubbleError as error:
            yield source, (Entry(text=inside(directory), line=0),), error.message
        else:
            if environment is not None:
                yield source, (Entry(text=environment.path, line=0),), ""
        for name, read in READERS:
            path = f"{directory.rstrip('/')}/{name}"
            if os.path.lexists(path):
                yield _reading(Source(kind="file", path=path), read)
    yield _reading(Source(kind="global", path=world.layout.global_pin), read_python_version)
    yield Source(kind="default"), (_SYSTEM,), ""


_SYSTEM = Entry(text="system", line=0)


def _reading(source: Source, read: object) -> tuple[Source, tuple[Entry, ...] | None, str]:
    assert callable(read)
    try:
        entries = read(source.path)
    except BubbleError as error:
        return source, None, error.message.partition(" can't be used: ")[2] or error.message
    return source, None if entries is None else entries or (_SYSTEM,), ""


def _shim(name: str, command: str, memo: Replay, world: World) -> Shim:
    path = f"{world.layout.shims}/{name}"
    on_path, before = place_on_path(name, world)
    if before and is_of_another_manager(before):
        before += " (another manager's shim)"
    return Shim(
        path=path,
        exists=is_command(path),
        on_path=on_path,
        before=before,
        asks=_why_it_asks(name, memo),
        differs=_what_differs(name, command, memo),
    )


def _why_it_asks(name: str, memo: Replay) -> str:
    if installs_commands(name, ()):
        return "what it installs gets shims at once"
    if memo.state == "none":
        return "the first call here leaves a memo" if memo.path else "no memo can say it"
    if memo.state == "stale":
        return "something changed since the last call"
    known = _known(name, memo)
    if known.startswith("/"):
        return ""
    if known:
        return "the system's commands are looked up each time"
    return "no selected Python has this command"


def _what_differs(name: str, command: str, memo: Replay) -> str:
    known = _known(name, memo) if memo.state == "present" else ""
    return known if known.startswith("/") and known != command else ""


def _known(name: str, memo: Replay) -> str:
    """Return the path that a memo's answer gives a command, SYSTEM, or ""."""
    for prefix in memo.prefixes:
        path = f"{prefix}/bin/{name}"
        if not prefix.startswith("/") or is_command(path):
            return path if prefix.startswith("/") else prefix
    return ""

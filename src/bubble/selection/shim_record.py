"""What the shims were last made for, so that whoever only adds need not look at all the rest.

One derived file: without it, or where it doesn't fit what there is, everything is looked at once.
It says how the shim directory was then, and which installations and records had been looked at,
each by its name and file number: one that was replaced has another number.
"""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.pythons.installed.meanings import epoch
from bubble.pythons.installed.shared import has_system
from bubble.selection.registry import of_file
from bubble.system.files import read_text, write_atomic
from bubble.system.layout import RECEIPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

_FORMAT = "1"
_LARGEST = 1 << 26  # bytes
_PYTHON, _RECORD, _ABSENT = "p", "r", "a"


class ShimRecord(Record):
    """`state` is the shim directory's, `things` what was looked at, by number and name.

    `absent` are the absolute prefixes among them that had no `bin`: it may come later, since a
    clone is registered before it is in its place.
    """

    state: str
    things: frozenset[str]
    absent: frozenset[str]


def state_of(layout: Layout) -> str:
    """Return what changes with the script and with the names beside it; "" without shims.

    Also with what the system's store has: an administrator's command makes no shim of a user's.
    """
    try:
        shim, directory = os.stat(layout.shim), os.stat(layout.shims)
    except OSError:
        return ""
    state = f"{_FORMAT} {shim.st_ino} {directory.st_ino} {directory.st_mtime_ns}"
    return f"{state} {_shared_state(layout.beneath)}" if has_system(layout) else state


def _shared_state(layout: Layout) -> str:
    try:
        changed = os.stat(layout.registry).st_mtime_ns
    except OSError:
        changed = 0
    return f"{epoch(layout)} {changed}"


def things_of(layout: Layout) -> frozenset[str]:
    """Return what there is to look at now, without looking at any of it."""
    records = [f"{_RECORD}{number} {name}" for name, number in _entries(layout.registry, "np")]
    pythons = [
        f"{_PYTHON}{number} {name}"
        for name, number in _entries(layout.pythons)
        if name.count("-") >= 4 and os.path.exists(f"{layout.pythons}/{name}/{RECEIPT}")
    ]
    return frozenset(records + pythons)


def installed_key(thing: str) -> str:
    """Return the key of the installation that a thing is, or ""."""
    return thing.partition(" ")[2] if thing[:1] == _PYTHON else ""


def environment_prefix(layout: Layout, thing: str) -> str:
    """Return the absolute prefix of the environment that a thing registers, or ""."""
    found = of_file(layout, thing.partition(" ")[2]) if thing[:1] == _RECORD else None
    return found.path if found else ""


def read(layout: Layout) -> ShimRecord | None:
    """Return what was written last, None when that can't be told."""
    state, *lines = (read_text(layout.shims_seen, _LARGEST) or "").split("\0")
    if not lines or lines.pop():
        return None
    absent = [line for line in lines if line[:1] == _ABSENT]
    return ShimRecord(
        state=state,
        things=frozenset(lines).difference(absent),
        absent=frozenset(line[1:] for line in absent),
    )


def write(layout: Layout, seen: ShimRecord) -> None:
    """Write it down; a failure costs the next one a look at everything."""
    lines = [seen.state, *seen.things, *(f"{_ABSENT}{prefix}" for prefix in seen.absent), ""]
    try:
        write_atomic(layout.shims_seen, os.fsencode("\0".join(lines)))
    except OSError:
        pass


def _entries(directory: str, first: str = "") -> list[tuple[str, int]]:
    try:
        with os.scandir(directory) as entries:
            return [(e.name, e.inode()) for e in entries if not first or e.name[0] in first]
    except (FileNotFoundError, NotADirectoryError):
        return []

"""What `exec` chose, as a directory for PATH: its shims run that, unless something nearer is asked.

    choices/<name>/answer    two lines: the choice as BUBBLE_PYTHON would say it, and the prefixes
    choices/<name>/bin       a link to the shims

A shim that is started through such a directory runs what the second line has, as long as
BUBBLE_PYTHON says nothing or the first line; else it does what it always does. So the interpreters
of `exec` come first on PATH, and a `BUBBLE_PYTHON=3.9 python` below it is heard all the same. What
stands in one never changes, since processes use it. Derived: one that is gone is an error of the
shims that are started through it, never another Python.
"""

from __future__ import annotations

import os

from bubble.system.files import (
    link_atomic,
    make_directory,
    names_in,
    read_text,
    unlink_quietly,
    write_atomic,
)
from bubble.system.foreign import foreign_owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.system.layout import Layout

_LARGEST = 1 << 14  # bytes of an answer
_TRIES = 4  # names for one choice, should two have the same checksum


def leave(text: str, prefixes: Sequence[str], layout: Layout, env: Mapping[str, str]) -> str:
    """Return the directory (absolute) whose shims run what is in `prefixes`, made if need be.

    `text` is the choice as BUBBLE_PYTHON has it. "" where nothing may be written, neither in the
    store nor in this user's cache, or no shim could read it.
    """
    said = f"{text}\n{':'.join(prefixes)}\n"
    if said.count("\n") != 2 or said.count(":", len(text)) != len(prefixes) - 1:
        return ""
    if not text or len(said) > _LARGEST or not os.path.isdir(layout.shims):
        return ""
    from binascii import crc32  # the everyday paths only sweep here

    name = f"{crc32(os.fsencode(f'{layout.home} {said}')):08x}"
    for place in (layout.choices, layout.own_choices):
        if foreign_owner(place, env):
            continue
        for number in range(_TRIES):
            directory = f"{place}/{name}{number}"
            try:
                if _is_made(directory, said, layout) or _make(directory, said, layout):
                    return f"{directory}/bin"
            except OSError:
                break
    return ""


def read(entry: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the text and the prefixes of a choice, if that is what an entry of PATH is."""
    above, name = os.path.split(entry.rstrip("/"))
    if name != "bin" or os.path.basename(os.path.dirname(above)) != "choices":
        return None
    text, end, rest = (read_text(f"{above}/answer", _LARGEST) or "").partition("\n")
    return (text, tuple(rest.removesuffix("\n").split(":"))) if end else None


def _is_made(directory: str, said: str, layout: Layout) -> bool:
    """Whether a directory is this choice; only whoever owns the place can have made it."""
    try:
        own = os.stat(os.path.dirname(directory)).st_uid in {os.geteuid(), _owner(layout)}
        leads = os.readlink(f"{directory}/bin")
    except OSError:
        return False
    return own and leads == layout.shims and read_text(f"{directory}/answer", _LARGEST) == said


def _owner(layout: Layout) -> int:
    return os.stat(layout.home).st_uid


def _make(directory: str, said: str, layout: Layout) -> bool:
    """Make a choice, or end what was killed; not where another one has the name. Raises OSError."""
    if os.path.lexists(f"{directory}/answer"):
        return False
    place = os.path.dirname(directory)
    make_directory(place)
    if os.stat(place).st_uid != os.geteuid():
        raise PermissionError(place)
    _drop_old(place)
    make_directory(directory)
    link_atomic(layout.shims, f"{directory}/bin")
    write_atomic(f"{directory}/answer", os.fsencode(said))
    return True


def _drop_old(place: str) -> None:
    """Delete the choices of which nothing is there any more."""
    for name in names_in(place):
        made = read(f"{place}/{name}/bin")
        if made and not any(os.path.isdir(prefix) for prefix in made[1]):
            for file in names_in(f"{place}/{name}"):
                unlink_quietly(f"{place}/{name}/{file}")
            try:
                os.rmdir(f"{place}/{name}")
            except OSError:
                pass

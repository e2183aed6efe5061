"""The shim directory: one script, hard-linked under the name of every command there is."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.pythons.installed.store import installation_at, usable
from bubble.selection import front, shim_record, templates
from bubble.selection.path import identity, is_shim
from bubble.selection.registry import is_of_script, of_commands
from bubble.selection.shim_record import ShimRecord
from bubble.system.files import (
    NO_LINKS,
    is_temporary,
    read_text,
    temporaries,
    unlink_quietly,
    write_atomic,
)
from bubble.system.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.pythons.installed.store import Installation
    from bubble.system.layout import Layout

_PATIENCE = 10.0  # seconds; a rehash takes some milliseconds
# nor what every environment has and nobody can run: with a thousand, asking takes 10 ms
_NOT_SHIMMED = {
    "bubble", "activate", "deactivate", "activate.csh", "activate.fish", "activate.nu",
    "Activate.ps1", "activate.ps1", "activate.bat", "activate_this.py",
}  # fmt: skip

# what every Python has gets its shim whatever is installed: where a directory asks for a version
# and there is none, the system's would run in silence
_ALWAYS = ("python", "python3", "pip", "pip3")


class Rehashed(Record):
    """The commands that got a shim and those that lost theirs, by name, and how many there are."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    total: int


def rehash(layout: Layout, python: str) -> Rehashed:
    """Make the shims follow the commands of every installation.

    `python` is the absolute path of the interpreter that runs bubble: the shims call it for what
    they don't recognise. Each shim is replaced in one step, so that all work at every moment;
    files in the directory that bubble didn't make stay. Raises OSError and BubbleError(locked).
    """
    script = _script(layout.home, python)
    things, state = shim_record.things_of(layout), shim_record.state_of(layout)
    wanted, absent = _wanted(layout)
    if _is_right(layout, wanted, script) and front.is_right(layout, python):
        _remember(layout, things, absent, state, shim_record.read(layout))
        return Rehashed(added=(), removed=(), total=len(wanted))
    os.makedirs(layout.shims, exist_ok=True)
    with Lock(f"{layout.locks}/shims", timeout=_PATIENCE):
        # once more: with what was there before the lock, a shim that was made since would go
        things = shim_record.things_of(layout)
        wanted, absent = _wanted(layout)
        for path in _leftovers(layout):
            unlink_quietly(path)
        if read_text(layout.shim) != script:
            write_atomic(layout.shim, script.encode("utf-8", "surrogateescape"), 0o755)
        front.write(layout, python)
        were_alone = os.stat(layout.shim).st_nlink == 1
        added = [name for name in sorted(wanted) if _link(layout, name)]
        if were_alone and os.stat(layout.shim).st_nlink > 1:  # copies no longer stand
            for name in wanted:
                _link(layout, name)
        removed = [name for name in sorted(os.listdir(layout.shims)) if _drop(layout, name, wanted)]
        _remember(layout, things, absent, shim_record.state_of(layout), None)
    return Rehashed(added=tuple(added), removed=tuple(removed), total=len(wanted))


def follow(layout: Layout, python: str, made: Iterable[str]) -> tuple[str, ...]:
    """Make shims for what was added since the last `rehash`, and return their names.

    For whoever has installed or made something, at the absolute prefixes `made`: looks at these,
    and at what else nobody has looked at. Where more has changed (something was replaced or
    removed, or the shims themselves) it is a `rehash`. Raises what that raises.
    """
    try:
        with Lock(f"{layout.locks}/shims", timeout=_PATIENCE):
            added = _add(layout, python, made)
    except OSError:
        added = None  # a store that can't be written: perhaps there is nothing to do
    return rehash(layout, python).added if added is None else added


def follow_system(layout: Layout, python: str) -> None:
    """Make shims for what an administrator added to the system's store; failures cost nothing."""
    seen = shim_record.read(layout)
    if seen is not None and seen.state == shim_record.state_of(layout):
        return
    try:
        rehash(layout, python)
    except (OSError, BubbleError):
        pass  # the next command that makes shims does it


def _add(layout: Layout, python: str, made: Iterable[str]) -> tuple[str, ...] | None:
    """Make shims for `made` and what nobody has seen, None when more than that has changed."""
    script = _script(layout.home, python)
    before, things = shim_record.read(layout), shim_record.things_of(layout)
    if (
        before is None
        or before.state != shim_record.state_of(layout)
        or not before.things <= things
        or read_text(layout.shim) != script
        or not front.is_right(layout, python)
        or _leftovers(layout)
        or any(is_temporary(name) for name in os.listdir(layout.shims))
    ):
        return None
    prefixes = {*made, *before.absent}
    for thing in things - before.things:
        installation = (
            installation_at(layout, key) if (key := shim_record.installed_key(thing)) else None
        )
        if installation and installation.is_adopted:
            _renew(installation)
        prefixes.add(
            installation.prefix if installation else shim_record.environment_prefix(layout, thing)
        )
    absent: list[str] = []
    typed = [p for p in prefixes if p and not is_of_script(p, layout)]
    names = sorted(commands(typed, absent))
    added = tuple(name for name in names if _link(layout, name))
    _remember(layout, things, absent, shim_record.state_of(layout), before)
    return added


def _remember(
    layout: Layout,
    things: frozenset[str],
    absent: Iterable[str],
    state: str,
    before: ShimRecord | None,
) -> None:
    now = ShimRecord(state=state, things=things, absent=frozenset(absent))
    if now != before:
        shim_record.write(layout, now)


def _leftovers(layout: Layout) -> list[str]:
    """Return what killed writers left beside the shim directory."""
    return [
        path
        for written in (layout.shim, layout.shims_seen)
        for path in temporaries(layout.home, os.path.basename(written))
    ]


def _wanted(layout: Layout) -> tuple[set[str], list[str]]:
    """Return the names of all commands, and the prefixes that have no `bin`."""
    present = usable(layout)
    for installation in present:
        if installation.is_adopted and not layout.is_beneath(installation.prefix):
            _renew(installation)
    absent: list[str] = []
    prefixes = [*(i.prefix for i in present), *(e.path for e in of_commands(layout))]
    return {*_ALWAYS, *commands(prefixes, absent)}, absent


def _renew(installation: Installation) -> None:
    from bubble.pythons.adopting.commands import renew_links

    try:
        renew_links(installation)
    except OSError:
        pass  # a store that can't be written, or a bin directory that can't be read


def is_current(layout: Layout, python: str) -> bool:
    """Whether `rehash` with the same arguments would find nothing to do."""
    script = _script(layout.home, python)
    return _is_right(layout, _wanted(layout)[0], script) and front.is_right(layout, python)


def commands(prefixes: Iterable[str], absent: list[str]) -> set[str]:
    """Return the names of what can be run in the `bin` of any of the prefixes (absolute).

    Those that have no `bin` are appended to `absent`.
    """
    found: set[str] = set()
    for prefix in prefixes:
        try:
            with os.scandir(f"{prefix}/bin") as entries:
                found.update(e.name for e in entries if e.name not in found and _is_command(e))
        except (FileNotFoundError, NotADirectoryError):
            absent.append(prefix)
    return found


def _is_right(layout: Layout, wanted: set[str], script: str) -> bool:
    """Whether there is nothing to do, so that a store that can't be written will do as well."""
    if not os.path.isdir(layout.shims) or read_text(layout.shim) != script:
        return False
    there = set(os.listdir(layout.shims))
    return (
        all(_stands(layout, name) for name in wanted)
        and not _leftovers(layout)
        and not any(
            is_temporary(name) or is_shim(f"{layout.shims}/{name}") for name in there - wanted
        )
    )


def _is_command(entry: os.DirEntry[str]) -> bool:
    name = entry.name
    if name in _NOT_SHIMMED or name[0] in ".-" or not name.isprintable():
        return False
    try:
        return entry.is_file() and os.access(entry.path, os.X_OK)
    except PermissionError:
        return True  # a link into a closed directory: it may be one, and was
    except OSError:
        return False


def _link(layout: Layout, name: str) -> bool:
    """Make `name` a shim; say whether it is a new one."""
    path = f"{layout.shims}/{name}"
    if _stands(layout, name):
        return False
    is_new = not os.path.lexists(path)
    temporary = f"{layout.shims}/.{os.getpid()}.tmp"  # a name may be as long as names can be
    unlink_quietly(temporary)
    try:
        os.link(layout.shim, temporary)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        script = read_text(layout.shim) or ""
        write_atomic(temporary, script.encode("utf-8", "surrogateescape"), 0o755)
    os.rename(temporary, path)
    return is_new


def _stands(layout: Layout, name: str) -> bool:
    """Whether a name is the shim: a link to it, or a copy where the file system has no links."""
    path = f"{layout.shims}/{name}"
    there = identity(path)
    if there is None or there == identity(layout.shim):
        return there is not None
    try:
        alone = os.stat(path).st_nlink == os.stat(layout.shim).st_nlink == 1
    except OSError:
        return False
    return alone and os.access(path, os.X_OK) and read_text(path) == read_text(layout.shim)


def _drop(layout: Layout, name: str, wanted: set[str]) -> bool:
    """Remove a shim that no command stands behind, or what a killed rehash left."""
    if name in wanted:
        return False
    path = f"{layout.shims}/{name}"
    if is_temporary(name):
        unlink_quietly(path)
        return False
    if not is_shim(path):
        return False
    unlink_quietly(path)
    return True


def _script(home: str, python: str) -> str:
    return templates.script("shim.sh", {"home": home, "python": python})

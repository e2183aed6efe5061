"""What was begun outside the store's own scratch, so that a kill can be made good.

Each entry is a file of the store, written before what it speaks of and locked (flock) by who is at
it: one that can be locked was left by the dead. It speaks of a directory beside an environment
whose name nobody could guess, or of one that is to go. Nothing that lies in a project is believed:
what has no entry isn't bubble's.
"""

from __future__ import annotations

import fcntl
import os
import time

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.system.elsewhere import may_be_anothers, new_token
from bubble.system.files import flush, fsync_directory, names_in, read_text, unlink_quietly
from bubble.system.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.system.layout import Layout

_FORMAT = "bubble journal 1"
_FORGOTTEN = 90 * 86400.0  # seconds after which a disk that isn't there won't come back
_OPENING = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Begun(Record):
    """What an entry says; the paths are absolute, "" where there is none.

    `scratch` alone is a directory that is bubble's to delete. `target` is a directory that is to
    go; if there is a `scratch` as well, that is complete, and takes its place.
    """

    token: str
    scratch: str = ""
    target: str = ""

    @property
    def rank(self) -> int:
        """The lower ones come first: what is to be gone, what takes its place, mere scratch."""
        return 1 + 2 * (not self.target) + bool(self.scratch)

    @property
    def tombstone(self) -> str:
        """The name of the file in `target` that says that it has begun to go."""
        return f".bubble-removed.{self.token}"


class Entry:
    """An entry that this process holds. `end` it when it is done, `leave` it for a sweep if not."""

    def __init__(self, path: str, begun: Begun, descriptor: int) -> None:
        self.path = path
        self.begun = begun
        self._descriptor = descriptor

    def end(self) -> None:
        """Forget it: all is done."""
        unlink_quietly(self.path)
        self.leave()

    def leave(self) -> None:
        """Let go of it, for the next sweep."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1


def guard(layout: Layout) -> str:
    """Return the path of the lock on what is scratch.

    Shared by who makes some and is about to lock it; exclusive for who looks whether it is alive.
    """
    return f"{layout.locks}/staging"


def begin(layout: Layout, *, beside: str = "", scratch: str = "", target: str = "") -> Entry:
    """Write down what is about to happen; durably where a `target` goes.

    `beside` is an absolute directory in which scratch will lie, of a new name; the rest as in
    `Begun`. Raises OSError.
    """
    token = new_token()
    path = f"{layout.journal}/{token}"
    begun = Begun(
        token=token, scratch=f"{beside}/.bubble-{token}" if beside else scratch, target=target
    )
    with Lock(guard(layout), shared=True):
        os.makedirs(layout.journal, mode=0o700, exist_ok=True)
        descriptor = os.open(path, _OPENING | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    entry = Entry(path, begun, descriptor)
    try:
        text = f"{_FORMAT}\0{begun.scratch}\0{begun.target}\0"
        os.write(descriptor, os.fsencode(text))
        if target:  # mere scratch is no loss, should a power cut forget it
            flush(descriptor)
            fsync_directory(layout.journal)
    except BaseException:
        entry.end()
        raise
    return entry


def left(layout: Layout) -> list[str]:
    """Return the absolute paths of what dead processes left for a sweep to delete; changes nothing.

    What has not begun to go isn't among it: a sweep leaves that.
    """
    found = []
    for name in names_in(layout.journal):
        path = f"{layout.journal}/{name}"
        if may_be_anothers(name, path):
            continue
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            continue
        finally:
            os.close(descriptor)
        begun = _read(path, name)
        if begun and not begun.target and os.path.lexists(begun.scratch):
            found.append(begun.scratch)
        elif begun and os.path.lexists(f"{begun.target}/{begun.tombstone}"):
            found.append(begun.target)
    return found


def dead(layout: Layout) -> Iterator[Entry]:
    """Yield the entries of dead processes, each locked, those that others wait for first.

    A removal comes before what takes its place, and that before what is only scratch. What says
    nothing, since its writer died of it, is dropped. The caller ends or leaves each.
    """
    found = [(name, _read(f"{layout.journal}/{name}", name)) for name in names_in(layout.journal)]
    for name, _ in sorted(found, key=lambda f: f[1] is not None and f[1].rank):
        if entry := _take(layout, name):
            yield entry


def is_forgotten(entry: Entry) -> bool:
    """Whether an entry is so old that what it speaks of, on a disk that is away, is given up."""
    try:
        return time.time() - os.lstat(entry.path).st_mtime > _FORGOTTEN
    except OSError:
        return True


def _take(layout: Layout, name: str) -> Entry | None:
    path = f"{layout.journal}/{name}"
    if may_be_anothers(name, path):
        return None
    descriptor = -1
    try:
        with Lock(guard(layout)):
            descriptor = os.open(path, _OPENING)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, BubbleError):  # somebody is at it, or the store isn't ours to change
        if descriptor >= 0:
            os.close(descriptor)
        return None
    begun = _read(path, name)
    if begun:
        return Entry(path, begun, descriptor)
    unlink_quietly(path)
    os.close(descriptor)
    return None


def _read(path: str, token: str) -> Begun | None:
    fields = (read_text(path) or "").split("\0")
    if len(fields) != 4 or fields[0] != _FORMAT:
        return None
    return Begun(token=token, scratch=fields[1], target=fields[2])

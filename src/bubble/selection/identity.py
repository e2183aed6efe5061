"""Whether what lies at a path is the environment that was registered: the store's word, not its.

An environment carries a random mark, which its record has too. Something with another mark, or
none, is something else, however it calls itself; the same mark elsewhere is a copy, or the thing
itself after a move. What another tool made gets its mark when it is adopted; where nothing can be
written, its configuration file itself (number and times) stands for it.
"""

from __future__ import annotations

import errno
import os

from bubble.selection.registry import current, environments, unfinished
from bubble.system.files import temporaries, unlink_quietly, write_atomic
from bubble.system.layout import ADOPTED, MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_BY_FILE = "file:"
_LONGEST = 200  # bytes of a mark


def new_identity() -> str:
    """Return a random identity, which nobody guesses."""
    return os.urandom(16).hex()


def mark_of(path: str) -> str:
    """Return the identity in the mark of the environment that bubble made at `path`, or ""."""
    return _read(f"{path}/{MARK}")


def identify(environment: Environment) -> str:
    """Leave a new mark in what is adopted, by which it is known from now on; return its identity.

    The caller holds its lock. Raises OSError.
    """
    identity, mark = new_identity(), mark_file(environment.replace(identity=""))
    try:
        for leftover in temporaries(environment.path, os.path.basename(mark)):
            unlink_quietly(leftover)  # only the lock's holder writes these
        write_atomic(mark, f"{identity}\n".encode(), durable=True)
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise
        return identity_of_file(environment.path)
    return identity


def identity_of_file(path: str) -> str:
    """Return the identity of an environment (absolute path) in which nothing can be written."""
    info = os.stat(f"{path}/pyvenv.cfg")
    return f"{_BY_FILE}{info.st_ino}.{info.st_mtime_ns}.{info.st_ctime_ns}"


def mark_file(environment: Environment) -> str:
    """Return the absolute path of the mark of a registered environment, "" where it has none."""
    if environment.identity.startswith(_BY_FILE):
        return ""
    return f"{environment.path}/{MARK if environment.maker == 'bubble' else ADOPTED}"


def is_itself(environment: Environment) -> bool:
    """Whether what lies at its path is the very environment that was registered."""
    if environment.identity.startswith(_BY_FILE):
        try:
            return identity_of_file(environment.path) == environment.identity
        except OSError:
            return False
    return bool(environment.identity) and _read(mark_file(environment)) == environment.identity


def is_registered(environment: Environment, layout: Layout) -> bool:
    """Whether what lies at its path is what the store knows there, now or in a moment.

    Whoever replaces an environment has written its record before it takes the place, and makes
    that the record afterwards.
    """
    if is_itself(environment):
        return True
    begun, known = unfinished(layout, environment), current(layout, environment)
    return (begun is not None and is_itself(begun)) or is_itself(known)


def marks_at(path: str) -> set[str]:
    """Return the identities that something at `path` (absolute) claims to have."""
    return {_read(f"{path}/{name}") for name in (MARK, ADOPTED)} - {""}


def claimed(path: str, layout: Layout) -> Environment | None:
    """Return the registered environment that something at `path` says to be, from elsewhere.

    None where it says nothing, or what this store doesn't know. It is a copy of that environment,
    or that one after a move, or lies: nothing to trust, but nothing to pass over either.
    """
    return next((e for e in _bearers(path, layout) if not _is_same(e.path, path)), None)


def reached(path: str, layout: Layout) -> Environment | None:
    """Return the registered environment that `path` (absolute) is another way to.

    A link to it, a mount, its directory's new place where a link stayed in the old one.
    """
    return next((e for e in _bearers(path, layout) if _is_same(e.path, path)), None)


def _bearers(path: str, layout: Layout) -> list[Environment]:
    marks = marks_at(path)
    return [e for e in environments(layout) if e.identity in marks] if marks else []


def _read(path: str) -> str:
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _LONGEST).decode("ascii", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _is_same(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False

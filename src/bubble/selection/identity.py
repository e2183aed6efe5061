"""Whether what lies at a path is the environment that was registered: the store's word, not its.

An environment carries a random mark, which its record has too. Something with another mark, or
none, is something else, however it calls itself; the same mark elsewhere is a copy, or the thing
itself after a move. What another tool made gets its mark when it is adopted; where nothing can be
written, its configuration file itself (number and times) stands for it.

Who published an environment, in an archive say, published its mark. So the store keeps a hard link
to the mark's file, where the file system lets it: what was unpacked there since has another file.
A store that was copied, with its projects or without, is known by the link's own number: then the
mark's text counts alone, as it does on another file system than the store's.
"""

from __future__ import annotations

import errno
import os

from bubble.selection.registry import current, environments, unfinished
from bubble.system.files import make_directory, temporaries, unlink_quietly, write_atomic
from bubble.system.kernel import has_true_links
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


def hold(environment: Environment, layout: Layout, root: str = "") -> Environment:
    """Let the store keep a link to the mark of an environment that is to be registered.

    `root` is where it lies for now (absolute), if not yet at its path. Returns the record to
    write; one that says nothing of a link where there can be none, or where links are no proof.
    The caller holds its lock.
    """
    environment = environment.replace(inode="")
    mark = mark_file(environment.replace(path=root or environment.path))
    name = environment.identity
    if not mark or not name.isalnum() or environment.path.startswith(f"{layout.home}/"):
        return environment  # what lies in the store is the store's
    link = f"{layout.marks}/{name}"
    unlink_quietly(link)
    try:
        if not has_true_links(layout.home):
            return environment
        make_directory(layout.marks)
        os.link(mark, link, follow_symlinks=False)
        kept, there = os.lstat(link), os.lstat(mark)
    except OSError:
        return environment  # another file system, or one without
    if not os.path.samestat(kept, there):
        unlink_quietly(link)
        return environment
    return environment.replace(inode=str(kept.st_ino))


def link_of(environment: Environment, layout: Layout, path: str = "") -> str:
    """Return the store's link (absolute) to the mark of a registered environment, "" for none.

    Also "" where the mark is another file: then it isn't that environment which lies there (or at
    `path`, absolute), but something that says so, as a copy does.
    """
    mark = mark_file(environment.replace(path=path or environment.path))
    link = _held(environment, layout)
    return link if link and mark and not os.path.islink(mark) and _is_same(link, mark) else ""


def is_itself(environment: Environment, layout: Layout) -> bool:
    """Whether what lies at its path is the very environment that was registered."""
    if environment.identity.startswith(_BY_FILE):
        try:
            return identity_of_file(environment.path) == environment.identity
        except OSError:
            return False
    if not environment.identity or _read(mark_file(environment)) != environment.identity:
        return False
    if link_of(environment, layout) or not _held(environment, layout):
        return True
    return not has_true_links(layout.home)  # a layer was put over it: what is changed there is new


def is_registered(environment: Environment, layout: Layout) -> bool:
    """Whether what lies at its path is what the store knows there, now or in a moment.

    Whoever replaces an environment has written its record before it takes the place, and makes
    that the record afterwards.
    """
    if is_itself(environment, layout):
        return True
    begun, known = unfinished(layout, environment), current(layout, environment)
    return (begun is not None and is_itself(begun, layout)) or is_itself(known, layout)


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


def _held(environment: Environment, layout: Layout) -> str:
    link = f"{layout.marks}/{environment.identity}"
    return link if environment.inode and _number(link) == environment.inode else ""


def _number(path: str) -> str:
    try:
        return str(os.lstat(path).st_ino)
    except OSError:
        return ""


def _is_same(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False

"""Staging: build a directory where nobody looks, then publish it in one step; sweep after crashes.

A live staging directory is one whose descriptor somebody has locked (flock). The lock dies with
its holder, so a sweeper can tell a dead one from a live one without process ids, and `staging/`
is guarded during the instant between making a directory and locking it. What lies in `trash/` is
always garbage. One name means more: `trash/replaced.<name>.…` is the old version set aside by a
replacement on a system that can't exchange; the sweeper puts it back if the new one never came.

A project's scratch lies where others may have put things: nothing is swept through a link.
"""

from __future__ import annotations

import fcntl
import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system import kernel
from bubble.system.files import fsync_directory
from bubble.system.lock import Lock
from bubble.system.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Protocol, Self

    class Yard(Protocol):
        """Where things are staged: on one file system with where they will be.

        `staging` and `trash` are directories for scratch, `locks` one for locks; `home` is above
        every place that something is published at. A `Layout` is one.
        """

        @property
        def home(self) -> str: ...  # noqa: D102
        @property
        def staging(self) -> str: ...  # noqa: D102
        @property
        def trash(self) -> str: ...  # noqa: D102
        @property
        def locks(self) -> str: ...  # noqa: D102


_REPLACED = "replaced."
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Staging:
    """A new, empty, private directory `path` inside `with`; gone afterwards unless published.

    A child process that inherits `descriptor` keeps it from being swept, should this one be killed.
    """

    def __init__(self, yard: Yard, name: str) -> None:
        self.yard = yard
        self.path = f"{yard.staging}/{name}.{os.urandom(6).hex()}"
        self.descriptor = -1

    def __enter__(self) -> Self:
        with Lock(guard(self.yard), shared=True):
            os.makedirs(self.yard.staging, exist_ok=True)
            os.mkdir(self.path, 0o700)
            self.descriptor = os.open(self.path, _DIRECTORY)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if os.path.lexists(self.path):
                remove_tree(self.path)
        finally:
            os.close(self.descriptor)

    def publish(self, target: str) -> None:
        """Make this directory be `target` (absolute, same file system), durably, in one step.

        A directory that is there is replaced without a moment in which neither exists (where the
        system can exchange), and then deleted. After this, the staging path is gone.
        """
        os.chmod(self.path, 0o755)  # noqa: S103 - an installation is readable like any program
        parent = os.path.dirname(target)
        os.makedirs(parent, exist_ok=True)
        kernel.sync_file_system(self.path)
        if not os.path.lexists(target):
            os.rename(self.path, target)
            fsync_directory(parent)
        elif kernel.exchange(self.path, target):
            fsync_directory(parent)
            remove_tree(self.path)
        else:
            self._replace(target, parent)

    def _replace(self, target: str, parent: str) -> None:
        name = f"{_REPLACED}{os.path.relpath(target, self.yard.home).replace('/', '|')}"
        aside = f"{self.yard.trash}/{name}.{os.urandom(6).hex()}"
        with Lock(guard(self.yard)):  # a sweeper must not put `aside` back in between
            os.makedirs(self.yard.trash, exist_ok=True)
            os.rename(target, aside)
            try:
                os.rename(self.path, target)
            except BaseException:
                os.rename(aside, target)
                raise
        fsync_directory(parent)
        remove_tree(aside)


def discard(yard: Yard, path: str) -> None:
    """Delete a directory of the store: gone from its place in one step, its bytes afterwards."""
    remove_tree(set_aside(yard, path))


def set_aside(yard: Yard, path: str) -> str:
    """Take a directory of the store from its place, in one step, and return where it is now.

    That is in the trash: the caller deletes it, or a sweeper does.
    """
    aside = f"{yard.trash}/{os.path.basename(path)}.{os.urandom(6).hex()}"
    with Lock(guard(yard), shared=True):
        os.makedirs(yard.trash, exist_ok=True)
        os.rename(path, aside)
    fsync_directory(os.path.dirname(path))
    return aside


def sweep(yard: Yard) -> None:
    """Delete what dead processes left in staging and trash; live staging stays.

    Sweepers don't disturb each other, nor who stages or deletes. Costs two directory listings when
    there is nothing. Raises OSError, and BubbleError(store) when either is a link or holds a mount.
    """
    for directory, name in _entries(yard.staging):
        _sweep_staging(yard, directory, name)
    for directory, name in _entries(yard.trash):
        if not (name.startswith(_REPLACED) and _put_back(yard, directory, name)):
            remove_tree(f"{yard.trash}/{name}", directory)


def guard(yard: Yard) -> str:
    """Return the path of the lock on the scratch directories themselves.

    Shared by who makes them and puts something in; exclusive for who takes them away, or looks
    whether something in them is alive.
    """
    return f"{yard.locks}/staging"


def _put_back(yard: Yard, directory: int, name: str) -> bool:
    target = name.removeprefix(_REPLACED).rpartition(".")[0].replace("|", "/")
    if {"", ".", ".."} & set(target.split("/")):
        return False  # not ours: it would leave the yard
    with Lock(guard(yard)):
        missing = not os.path.lexists(f"{yard.home}/{target}")
        if missing:
            try:
                os.rename(name, f"{yard.home}/{target}", src_dir_fd=directory)
            except FileNotFoundError:  # another sweeper was faster, or its place is gone as well
                missing = False
    return missing


def _sweep_staging(yard: Yard, directory: int, name: str) -> None:
    with Lock(guard(yard)):
        try:
            descriptor = os.open(name, _DIRECTORY, dir_fd=directory)
        except (FileNotFoundError, NotADirectoryError):
            return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        remove_tree(f"{yard.staging}/{name}", directory)
    finally:
        os.close(descriptor)


def _entries(path: str) -> Iterator[tuple[int, str]]:
    """Yield the names in a scratch directory, each with the open directory's descriptor."""
    try:
        directory = os.open(path, _DIRECTORY)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        shown = printable(path, 500)
        raise BubbleError(
            "store",
            f"{shown} is no directory, and bubble didn't make it",
            hint=f"move it away: mv {shown} {shown}.old",
        ) from None
    try:
        for name in os.listdir(directory):
            yield directory, name
    finally:
        os.close(directory)

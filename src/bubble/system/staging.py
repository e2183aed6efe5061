"""Staging: build a directory where nobody looks, then publish it in one step; sweep after crashes.

A live staging directory is one whose descriptor somebody has locked (flock). The lock dies with
its holder, so a sweeper can tell a dead one from a live one without process ids, and `staging/`
is guarded during the instant between making a directory and locking it. What lies in `trash/` is
always garbage. One name means more: `trash/replaced.<name>.…` is the old version set aside by a
replacement on a system that can't exchange; the sweeper puts it back if the new one never came.
"""

from __future__ import annotations

import fcntl
import os

from bubble.system import kernel
from bubble.system.files import fsync_directory
from bubble.system.lock import Lock
from bubble.system.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from bubble.system.layout import Layout

_REPLACED = "replaced."


class Staging:
    """A new, empty, private directory `path` inside `with`; gone afterwards unless published."""

    def __init__(self, layout: Layout, name: str) -> None:
        self.layout = layout
        self.path = f"{layout.staging}/{name}.{os.urandom(6).hex()}"
        self._descriptor = -1

    def __enter__(self) -> Self:
        os.makedirs(self.layout.staging, exist_ok=True)
        with Lock(_guard(self.layout), shared=True):
            os.mkdir(self.path, 0o700)
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
            os.close(self._descriptor)

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
        os.makedirs(self.layout.trash, exist_ok=True)
        name = f"{_REPLACED}{os.path.relpath(target, self.layout.home).replace('/', '|')}"
        aside = f"{self.layout.trash}/{name}.{os.urandom(6).hex()}"
        with Lock(_guard(self.layout)):  # a sweeper must not put `aside` back in between
            os.rename(target, aside)
            try:
                os.rename(self.path, target)
            except BaseException:
                os.rename(aside, target)
                raise
        fsync_directory(parent)
        remove_tree(aside)


def discard(layout: Layout, path: str) -> None:
    """Delete a directory of the store: gone from its place in one step, its bytes afterwards."""
    remove_tree(set_aside(layout, path))


def set_aside(layout: Layout, path: str) -> str:
    """Take a directory of the store from its place, in one step, and return where it is now.

    That is in the trash: the caller deletes it, or a sweeper does.
    """
    os.makedirs(layout.trash, exist_ok=True)
    aside = f"{layout.trash}/{os.path.basename(path)}.{os.urandom(6).hex()}"
    os.rename(path, aside)
    fsync_directory(os.path.dirname(path))
    return aside


def sweep(layout: Layout) -> None:
    """Delete what dead processes left in staging and trash; live staging stays.

    Sweepers don't disturb each other, nor who stages or deletes. Costs two directory listings when
    there is nothing.
    """
    for name in _names(layout.staging):
        _sweep_staging(layout, name)
    for name in _names(layout.trash):
        path = f"{layout.trash}/{name}"
        if not (name.startswith(_REPLACED) and _put_back(layout, name)):
            remove_tree(path)


def _put_back(layout: Layout, name: str) -> bool:
    target = name.removeprefix(_REPLACED).rpartition(".")[0].replace("|", "/")
    with Lock(_guard(layout)):
        missing = not os.path.lexists(f"{layout.home}/{target}")
        if missing and os.path.lexists(f"{layout.trash}/{name}"):
            os.rename(f"{layout.trash}/{name}", f"{layout.home}/{target}")
    return missing


def _sweep_staging(layout: Layout, name: str) -> None:
    path = f"{layout.staging}/{name}"
    with Lock(_guard(layout)):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        remove_tree(path)
    finally:
        os.close(descriptor)


def _guard(layout: Layout) -> str:
    return f"{layout.locks}/staging"


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []

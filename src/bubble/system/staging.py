"""Staging: build a directory where nobody looks, then publish it in one step.

A live staging directory is one whose descriptor somebody has locked (flock). The lock dies with
its holder, so a sweeper can tell a dead one from a live one without process ids, and `staging/`
is guarded during the instant between making a directory and locking it. On a network's disk such a
lock isn't seen by other machines: `system.elsewhere`. What lies in `trash/` is
always garbage. What has to lie elsewhere, beside what it takes the place of, since that may be on
another file system, has an entry in the journal, and nothing there is believed without one.
"""

from __future__ import annotations

import errno
import fcntl
import os

from bubble.model.errors import BubbleError
from bubble.system import journal, kernel
from bubble.system.elsewhere import new_token
from bubble.system.files import fsync_directory
from bubble.system.lock import Lock
from bubble.system.removal import DIRECTORY, PLACE, is_there, open_scratch, set_aside
from bubble.system.trees import located, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from bubble.system.journal import Entry
    from bubble.system.layout import Layout


class Staging:
    """A new, empty, private directory `path` inside `with`; gone afterwards unless published.

    It will be `target` (absolute): what that is in the store is staged in the store, else beside
    it. A child process that inherits `descriptor` keeps it from being swept, should this one be
    killed.
    """

    def __init__(self, layout: Layout, target: str) -> None:
        self.layout = layout
        self.target = target
        self.path = ""
        self.descriptor = -1
        self._place = -1  # the directory that it lies in
        self._entry: Entry | None = None
        self._awaited = False  # by a target that is half gone

    def __enter__(self) -> Self:
        parent, name = os.path.split(self.target)
        if self.target.startswith(f"{self.layout.home}/"):
            self._make(self.layout.staging, f"{name}.{new_token()}")
        else:
            self._make_beside(parent)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if not self._awaited:
                self._clear()
        finally:
            self._close()

    def publish(self) -> None:
        """Make this directory be `target`, durably, in one step.

        A directory that is there is replaced without a moment in which neither exists (where the
        system can exchange, and the old one can be renamed); what is left of it goes at the end
        of the `with`.
        """
        os.fchmod(self.descriptor, 0o755)
        parent, name = os.path.split(self.target)
        os.makedirs(parent, exist_ok=True)
        kernel.sync_file_system(self.path)
        where = os.open(parent, PLACE)
        try:
            try:
                self._take_place(where, name)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._come_beside(parent, where)
                self._take_place(where, name)
        finally:
            os.close(where)
        fsync_directory(parent)

    @property
    def replaced(self) -> str:
        """The absolute path of what `publish` replaced, "" where there was nothing to keep."""
        gone = self._place < 0 or not is_there(os.path.basename(self.path), self._place)
        return "" if gone else self.path

    def keep_replaced(self, path: str) -> bool:
        """Move what `publish` replaced to `path` (absolute), where nothing may be.

        Returns whether it is there now: what lies on another file system stays to be deleted.
        """
        try:
            os.rename(os.path.basename(self.path), path, src_dir_fd=self._place)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return False
        fsync_directory(os.path.dirname(path))
        return True

    def _make(self, directory: str, name: str) -> None:
        with Lock(journal.guard(self.layout), shared=True):
            self._place = open_scratch(directory)
            self._make_in_place(f"{directory}/{name}")

    def _make_beside(self, directory: str) -> None:
        self._entry = journal.begin(self.layout, beside=directory)
        try:
            self._place = os.open(directory, PLACE)
            self._make_in_place(self._entry.begun.scratch)
        except BaseException:
            self._entry.end()
            raise

    def _make_in_place(self, path: str) -> None:
        name = os.path.basename(path)
        try:
            os.mkdir(name, 0o700, dir_fd=self._place)
            self.descriptor = os.open(name, DIRECTORY, dir_fd=self._place)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._close()
            raise located(error, path) from None
        self.path = path

    def _take_place(self, where: int, name: str) -> None:
        """Take the place `name` in the directory `where`; OSError(EXDEV) where it can't be tried.

        After an exchange the old one is what `path` is.
        """
        mine = os.path.basename(self.path)
        if not is_there(name, where):
            os.rename(mine, name, src_dir_fd=self._place, dst_dir_fd=where)
            return
        try:
            if kernel.exchange(mine, name, self._place, where):
                return
        except OSError as error:
            beside = os.path.dirname(self.path) == os.path.dirname(self.target)
            if error.errno != errno.EXDEV or not beside:
                raise
        self._replace(where, name)

    def _replace(self, where: int, name: str) -> None:
        """Take the place of what must go first; a sweep ends it, should we be killed between."""
        entry = journal.begin(self.layout, scratch=self.path, target=self.target)
        try:
            remains = set_aside(self.layout, self.target)
            self._awaited = remains.in_place
            if remains.in_place:
                remains.delete()
            try:
                mine = os.path.basename(self.path)
                os.rename(mine, name, src_dir_fd=self._place, dst_dir_fd=where)
            except BaseException:
                remains.put_back()
                raise
        except BaseException:
            if self._awaited:
                entry.leave()
            else:
                entry.end()
            raise
        self._awaited = False
        entry.end()
        if not remains.in_place:
            _quietly(remains.delete)

    def _come_beside(self, parent: str, where: int) -> None:
        """Go from the store's staging to where `target` lies, by copying if need be."""
        old, place, locked = self.path, self._place, self.descriptor
        self._make_beside(parent)
        new = os.path.basename(self.path)
        try:
            os.rename(os.path.basename(old), new, src_dir_fd=place, dst_dir_fd=where)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            from shutil import copytree

            copytree(old, self.path, symlinks=True, dirs_exist_ok=True)
            kernel.sync_file_system(self.path)
        finally:
            _quietly(remove_tree, old, place)
            os.close(place)
            os.close(locked)

    def _clear(self) -> None:
        """Delete what is at `path` by now, if anything; what can't be is for a sweep to try."""
        if self._place < 0:  # it could not be made where it was to go
            return
        gone = not is_there(os.path.basename(self.path), self._place)
        if (gone or _quietly(remove_tree, self.path, self._place)) and self._entry:
            self._entry.end()

    def _close(self) -> None:
        for descriptor in (self.descriptor, self._place):
            if descriptor >= 0:
                os.close(descriptor)
        self.descriptor = self._place = -1
        if self._entry:
            self._entry.leave()


def _quietly(action: Callable[..., object], *arguments: object) -> bool:
    """Do what a sweep will do if it fails now; whether it was done."""
    try:
        action(*arguments)
    except (OSError, BubbleError):
        return False
    return True

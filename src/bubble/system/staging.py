"""Staging: build a directory where nobody looks, then publish it in one step; sweep after crashes.

A live staging directory is one whose descriptor somebody has locked (flock). The lock dies with
its holder, so a sweeper can tell a dead one from a live one without process ids, and `staging/`
is guarded during the instant between making a directory and locking it. What lies in `trash/` is
always garbage. What has to lie elsewhere, beside what it takes the place of, since that may be on
another file system, has an entry in the journal, and nothing there is believed without one.
"""

from __future__ import annotations

import errno
import fcntl
import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.system import journal, kernel
from bubble.system.files import fsync_directory
from bubble.system.lock import Lock
from bubble.system.removal import DIRECTORY, PLACE, open_scratch, set_aside, unmark
from bubble.system.trees import located, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from bubble.system.journal import Begun, Entry
    from bubble.system.layout import Layout

_REPLACED = "replaced."  # in trash/, of older bubbles: the version that was being replaced


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
            self._make(self.layout.staging, f"{name}.{os.urandom(6).hex()}")
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
        if not _is_there(name, where):
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
        gone = not _is_there(os.path.basename(self.path), self._place)
        if (gone or _quietly(remove_tree, self.path, self._place)) and self._entry:
            self._entry.end()

    def _close(self) -> None:
        for descriptor in (self.descriptor, self._place):
            if descriptor >= 0:
                os.close(descriptor)
        self.descriptor = self._place = -1
        if self._entry:
            self._entry.leave()


class Stuck(Record):
    """What a sweep could not delete: the absolute path of what is to go, and the error."""

    path: str
    error: BubbleError | OSError


def sweep(layout: Layout) -> tuple[Stuck, ...]:
    """Delete what dead processes left and end what they had begun; live staging stays.

    What can't be deleted is no error: it is returned, for who wants to tell. Sweepers don't
    disturb each other, nor who stages or deletes. Costs three directory listings when there is
    nothing.
    """
    stuck, kept = _sweep_journal(layout)
    for directory, name in _entries(layout.staging):
        path = f"{layout.staging}/{name}"
        if path not in kept:
            _try(stuck, path, _sweep_staging, layout, directory, path)
    for directory, name in _entries(layout.trash):
        path = f"{layout.trash}/{name}"
        if not (name.startswith(_REPLACED) and _put_back(layout, directory, name)):
            _try(stuck, path, remove_tree, path, directory)
    return tuple(stuck)


def _sweep_journal(layout: Layout) -> tuple[list[Stuck], set[str]]:
    """End what was begun; return what can't be, and the scratch that still waits for its place."""
    stuck: list[Stuck] = []
    kept: set[str] = set()
    for entry in journal.dead(layout):
        begun = entry.begun
        done = False
        try:
            if begun.target and not begun.scratch:
                done = _end_removal(begun)
            elif begun.target:
                done = not any(s.path == begun.target for s in stuck) and _end_replacement(begun)
            elif begun.scratch not in kept:
                done = _end_scratch(begun)
        except FileNotFoundError:  # where it lies is not there now: a disk that is away
            done = journal.is_forgotten(entry)
        except (OSError, BubbleError) as error:
            stuck.append(Stuck(path=begun.target or begun.scratch, error=error))
        if done:
            entry.end()
        else:
            entry.leave()
            kept.add(begun.scratch)
    return stuck, kept


def _end_removal(begun: Begun) -> bool:
    """Delete what has our tombstone in it; what hasn't is still whole, or something else by now."""
    parent, name = os.path.split(begun.target)
    where = os.open(parent, PLACE)
    try:
        if _has_tombstone(name, where, begun):
            remove_tree(begun.target, where, last=begun.tombstone)
    finally:
        os.close(where)
    return True


def _has_tombstone(name: str, where: int, begun: Begun) -> bool:
    try:
        directory = os.open(name, DIRECTORY, dir_fd=where)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        names = os.listdir(directory)
        if begun.tombstone in names:
            unmark(directory)
    finally:
        os.close(directory)
    return begun.tombstone in names or not names  # it goes last


def _end_replacement(begun: Begun) -> bool:
    """Let the complete new one take its place, if that is free."""
    parent, name = os.path.split(begun.target)
    where = os.open(parent, PLACE)
    place = -1
    try:
        if _is_there(name, where):
            return True
        place = os.open(os.path.dirname(begun.scratch), DIRECTORY)
        scratch = os.path.basename(begun.scratch)
        if _is_there(scratch, place):
            os.rename(scratch, name, src_dir_fd=place, dst_dir_fd=where)
    finally:
        os.close(where)
        if place >= 0:
            os.close(place)
    fsync_directory(parent)
    return True


def _end_scratch(begun: Begun) -> bool:
    place = os.open(os.path.dirname(begun.scratch), PLACE)
    try:
        return _remove_dead(begun.scratch, place)
    finally:
        os.close(place)


def _sweep_staging(layout: Layout, directory: int, path: str) -> None:
    try:
        # once, so that who has made it and is about to lock it has done so
        with Lock(journal.guard(layout)):
            descriptor = os.open(os.path.basename(path), DIRECTORY, dir_fd=directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    os.close(descriptor)
    _remove_dead(path, directory)


def _remove_dead(path: str, place: int) -> bool:
    """Delete a directory unless a process, or a child of it, is at work in it."""
    try:
        descriptor = os.open(os.path.basename(path), DIRECTORY, dir_fd=place)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except PermissionError:  # without the rights that it was made with, it is nobody's
        remove_tree(path, place)
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        remove_tree(path, place)
    finally:
        os.close(descriptor)
    return True


def _put_back(layout: Layout, directory: int, name: str) -> bool:
    """Put the old version back that an older bubble was replacing as it was killed."""
    target = name.removeprefix(_REPLACED).rpartition(".")[0].replace("|", "/")
    if {"", ".", ".."} & set(target.split("/")):
        return False
    with Lock(journal.guard(layout)):
        if os.path.lexists(f"{layout.home}/{target}"):
            return False
        try:
            os.rename(name, f"{layout.home}/{target}", src_dir_fd=directory)
        except OSError:  # another sweeper was faster, or its place is gone as well
            return False
    return True


def _entries(path: str) -> Iterator[tuple[int, str]]:
    """Yield the names in a scratch directory, each with the open directory's descriptor."""
    try:
        directory = os.open(path, DIRECTORY)
    except OSError:  # who wants to use it is told
        return
    try:
        for name in os.listdir(directory):
            yield directory, name
    finally:
        os.close(directory)


def _is_there(name: str, directory: int) -> bool:
    try:
        os.lstat(name, dir_fd=directory)
    except FileNotFoundError:
        return False
    return True


def _try(stuck: list[Stuck], path: str, action: Callable[..., object], *arguments: object) -> None:
    try:
        action(*arguments)
    except (OSError, BubbleError) as error:
        stuck.append(Stuck(path=path, error=error))


def _quietly(action: Callable[..., object], *arguments: object) -> bool:
    """Do what a sweep will do if it fails now; whether it was done."""
    stuck: list[Stuck] = []
    _try(stuck, "", action, *arguments)
    return not stuck

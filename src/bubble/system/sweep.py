"""Sweeping: what dead processes left in the scratch places is deleted, what they had begun ended.

A live staging directory is one whose descriptor somebody has locked, and an entry of the journal
is live while its writer holds it. What can't be deleted stops nobody; it is told.
"""

from __future__ import annotations

import fcntl
import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.system import journal
from bubble.system.elsewhere import may_be_anothers
from bubble.system.files import fsync_directory
from bubble.system.lock import Lock
from bubble.system.removal import DIRECTORY, PLACE, is_there, unmark
from bubble.system.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bubble.system.journal import Begun
    from bubble.system.layout import Layout

_REPLACED = "replaced."  # in trash/, of older bubbles: the version that was being replaced


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
        if path not in kept and not may_be_anothers(name.rpartition(".")[2], path):
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
        if is_there(name, where):
            return True
        place = os.open(os.path.dirname(begun.scratch), DIRECTORY)
        scratch = os.path.basename(begun.scratch)
        if is_there(scratch, place):
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


def _try(stuck: list[Stuck], path: str, action: Callable[..., object], *arguments: object) -> None:
    try:
        action(*arguments)
    except (OSError, BubbleError) as error:
        stuck.append(Stuck(path=path, error=error))

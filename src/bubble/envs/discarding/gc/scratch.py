"""What dead processes left behind: staging, trash, temporary files."""

from __future__ import annotations

import fcntl
import itertools
import os
import time

from bubble.envs.discarding.gc.item import Item
from bubble.envs.knowing.placing import lock
from bubble.selection import registry
from bubble.selection.identity import mark_of
from bubble.system import journal
from bubble.system.elsewhere import may_be_anothers
from bubble.system.files import is_alive, is_temporary, names_in, writer_of
from bubble.system.lock import is_held
from bubble.system.trees import size_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

_YOUNG = 5.0  # seconds in which a new directory gets its lock, and a small file its name
_OLD = 3600.0  # a temporary file of that age is nobody's, whoever has its process's number now


def leftovers(layout: Layout) -> Iterator[Item]:
    """Yield what can go; work that is in progress isn't among it. Changes nothing."""
    for path in _paths(layout.staging):
        token = path.rpartition(".")[2]
        if _is_dead(path) and not may_be_anothers(token, path):
            yield Item(kind="scratch", path=path, why="its maker is gone", size=size_of(path))
    for path in _paths(layout.trash):
        yield Item(kind="scratch", path=path, why="thrown away", size=size_of(path))
    for path in journal.left(layout):
        yield Item(kind="scratch", path=path, why="its maker is gone", size=size_of(path))
    yield from _temporaries(layout)
    for path, environment in registry.all_unfinished(layout):
        if has_ended(environment, layout) and not is_held(lock(layout, environment.path).path):
            why = "a creation that didn't come to its end"
            yield Item(kind="scratch", path=path, why=why, size=_size(path))


def has_ended(unfinished: Environment, layout: Layout) -> bool:
    """Whether a prepared record says nothing any more: its environment isn't there, or known."""
    if mark_of(unfinished.path) != unfinished.identity:
        return True
    return any(e.identity == unfinished.identity for e in registry.environments(layout))


def _is_dead(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if time.time() - os.fstat(descriptor).st_mtime < _YOUNG:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _temporaries(layout: Layout) -> Iterator[Item]:
    places = [
        layout.home,
        layout.pythons,
        layout.registry,
        layout.synced,
        layout.shims,
        layout.scripts_seen,
        layout.shortcuts,
        layout.cache,
        layout.catalogues,
    ]
    found = [(place, names_in(place)) for place in places]
    roots = (layout.answers, layout.requests, layout.choices, layout.own_choices)
    below = ((place, sorted(names)) for root in roots for place, _, names in walk(root))
    for place, names in itertools.chain(found, below):
        for name in names:
            path = f"{place}/{name}"
            if is_temporary(name) and _is_abandoned(path, name):
                yield Item(kind="scratch", path=path, why="an unfinished file", size=_size(path))


def _is_abandoned(path: str, name: str) -> bool:
    try:
        age = time.time() - os.lstat(path).st_mtime
    except OSError:
        return False
    return age > _OLD or (age > _YOUNG and not is_alive(writer_of(name)))


def _paths(directory: str) -> list[str]:
    try:
        return [f"{directory}/{name}" for name in sorted(os.listdir(directory))]
    except OSError:
        return []


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_blocks * 512
    except OSError:
        return 0

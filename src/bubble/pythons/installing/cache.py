"""The download cache: what lies in it, and taking things out of it while others may use it.

Everything there can be fetched or made again. Several stores may share one cache.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bubble.system.layout import Layout

_HEX = frozenset("0123456789abcdef")


class Cached(Record):
    """One file of the cache.

    `kind` is "archive" (finished), "partial" (begun) or "catalogue" (compiled); `sha256` is that
    of the whole archive, "" for catalogues. `size` is in bytes on disk, `used_at` in seconds since
    the epoch.
    """

    path: str
    kind: str
    sha256: str
    size: int
    used_at: float


class Dropped(Record):
    """What was taken out of the cache, and what stayed because another process works with it."""

    removed: tuple[Cached, ...]
    in_use: tuple[Cached, ...]


def contents(layout: Layout) -> list[Cached]:
    """Return what the cache holds, by path; empty where there is no cache. Raises OSError."""
    found = [*_downloads(layout), *_catalogues(layout)]
    found.sort(key=lambda cached: cached.path)
    return found


def drop(layout: Layout, items: Iterable[Cached]) -> Dropped:
    """Delete files of the cache; what another process downloads or unpacks now stays.

    Raises OSError when a file can't be deleted.
    """
    from bubble.system.files import unlink_quietly, unlink_unlocked
    from bubble.system.lock import Lock

    removed: list[Cached] = []
    in_use: list[Cached] = []
    for item in items:
        if item.kind == "catalogue":
            unlink_quietly(item.path)
            removed.append(item)
            continue
        try:
            with Lock(f"{layout.download_locks}/{item.sha256}", timeout=0):
                free = unlink_unlocked(item.path)  # a download locks its partial file
        except BubbleError:  # locked: a process holds it
            free = False
        (removed if free else in_use).append(item)
    return Dropped(removed=tuple(removed), in_use=tuple(in_use))


def is_free(layout: Layout, item: Cached) -> bool:
    """Whether nobody works with a file of the cache now. Changes nothing."""
    from bubble.system.lock import is_held

    return not (item.sha256 and is_held(f"{layout.download_locks}/{item.sha256}"))


def _downloads(layout: Layout) -> Iterator[Cached]:
    for entry in _entries(layout.downloads):
        sha256, _, tail = entry.name.partition(".")
        if len(sha256) == 64 and _HEX.issuperset(sha256):
            yield _cached(entry, "partial" if tail else "archive", sha256)


def _catalogues(layout: Layout) -> Iterator[Cached]:
    for entry in _entries(layout.catalogues):
        if entry.name.endswith(".tsv"):
            yield _cached(entry, "catalogue", "")


def _entries(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return [entry for entry in entries if entry.is_file(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _cached(entry: os.DirEntry[str], kind: str, sha256: str) -> Cached:
    info = entry.stat(follow_symlinks=False)
    return Cached(
        path=entry.path,
        kind=kind,
        sha256=sha256,
        size=info.st_blocks * 512,
        used_at=max(info.st_mtime, info.st_atime),
    )

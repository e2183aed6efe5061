"""Compiling the catalogue that BUBBLE_CATALOG names into a volume."""

from __future__ import annotations

import os
import time

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.pythons.catalogue.index import LIMIT, read_index
from bubble.pythons.catalogue.known import known_files, refuse_contradictions, refuse_older
from bubble.pythons.catalogue.listed import everything, volume_of
from bubble.pythons.catalogue.source import stamp_of, unreadable
from bubble.pythons.catalogue.volume import Volume
from bubble.system.files import temporaries, unlink_quietly, write_atomic
from bubble.system.foreign import foreign_owner
from bubble.system.lock import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.pythons.catalogue.index import Index
    from bubble.pythons.catalogue.source import Source
    from bubble.system.http.settings import Settings


def compile_catalogue(
    path: str,
    env: Mapping[str, str],
    source: Source,
    *,
    old: Volume | None,
    settings: Settings | None,
) -> Volume:
    """Read `source` and return its volume; keep it at `path` where that can be written.

    Root keeps nothing in another user's home. `old` is the volume of the last time: it comes back
    when the server says that nothing changed. Raises BubbleError: catalogue, download, offline.
    """
    from bubble.model.urls import shown

    name = printable(source.path) if source.path else shown(source.url)
    if source.path:
        data, stamp = _read_file(source.path)
    else:
        from bubble.system.http.fetch import fetch

        etag = old.head.get("stamp", "") if old else ""
        fetched = fetch(source.url, limit=LIMIT, env=env, settings=settings, etag=etag)
        if fetched.data is None:
            assert old is not None
            return old
        data, stamp = fetched.data, fetched.etag if fetched.etag.isprintable() else ""
    index = read_index(data, name)
    if old is not None:
        refuse_rollback(index, old, name)
    head = {
        "date": index.date,
        "source": shown_ascii(name),
        "stamp": stamp if stamp.isascii() else "",
        "fetched": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    content = volume_of(index.downloads, head)
    if not foreign_owner(path, env) and keep(path, content):
        return Volume(path, base=source.base)
    return Volume(path, content, base=source.base)


def refuse_rollback(index: Index, old: Volume, name: str) -> None:
    """Raise BubbleError(catalogue) if a server's catalogue is older than or contradicts `old`."""
    try:
        if index.date or old.head["date"]:
            refuse_older(index, old.head["date"], name)
        as_listed = Volume(old.path)  # relative URLs stay relative, as they are in the index
        refuse_contradictions(index, known_files(everything(as_listed)), name)
    except BubbleError as error:
        raise BubbleError(
            error.kind,
            error.message,
            hint=f"if it is right all the same, delete {printable(old.path)}",
            details=error.details,
        ) from None


def keep(path: str, content: bytes) -> bool:
    """Write a file whole or not at all; return False where that can't be done now."""
    directory = os.path.dirname(path)
    try:
        with Lock(f"{directory}/.lock", timeout=0):
            for killed in temporaries(directory, os.path.basename(path)):
                unlink_quietly(killed)
            write_atomic(path, content, 0o600)
    except BubbleError:  # somebody else is writing it
        return False
    except OSError:
        return False
    return True


def shown_ascii(text: str) -> str:
    """Return printable text as a volume's head can hold it."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _read_file(path: str) -> tuple[bytes, str]:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            return file.read(LIMIT + 1), stamp_of(status)
    except OSError as error:
        raise unreadable(path, error.strerror or "can't be read") from None

"""BUBBLE_CATALOG: another catalogue, compiled once into a volume in the cache.

The compiled copy is named by what BUBBLE_CATALOG says and carries the file's time and size, or the
server's ETag. A file is compiled anew when it has changed; one on a server is asked for when there
is no copy yet, and by `refresh`.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.pythons.catalogue.source import read_source, stamp_of, unreadable
from bubble.pythons.catalogue.volume import Volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.pythons.catalogue.source import Source
    from bubble.system.http.settings import Settings
    from bubble.system.layout import Layout


def open_custom(
    layout: Layout, env: Mapping[str, str], text: str, *, refresh: bool
) -> tuple[Volume, str]:
    """Return the volume of the catalogue that BUBBLE_CATALOG names, and a warning or "".

    Raises BubbleError: usage (no path or URL), io, catalogue, download, offline.
    """
    source = read_source(text)
    compiled = compiled_path(layout, source)
    if source.path:
        stamp = _stamp(source.path)
        volume = _open_compiled(compiled, source)
        if volume is not None and volume.head.get("stamp") == stamp:
            return volume, ""
        return compile_source(layout, env, source), ""
    volume = _open_compiled(compiled, source)
    if volume is not None and not refresh:
        return volume, ""
    try:
        return compile_source(layout, env, source, old=volume), ""
    except BubbleError as error:
        if volume is None:
            raise
        return volume, f"the copy of {volume.head['fetched']} is used: {error.message}"


def compiled_path(layout: Layout, source: Source) -> str:
    """Return where the compiled copy of a source lies."""
    from hashlib import sha256

    digest = sha256(os.fsencode(source.path or source.url)).hexdigest()
    return f"{layout.catalogues}/{digest[:32]}.tsv"


def compile_source(
    layout: Layout,
    env: Mapping[str, str],
    source: Source,
    *,
    old: Volume | None = None,
    settings: Settings | None = None,
) -> Volume:
    """Read a source, keep its compiled copy where the cache can be written, return the volume."""
    from bubble.pythons.catalogue.compile import compile_catalogue

    return compile_catalogue(compiled_path(layout, source), env, source, old=old, settings=settings)


def _open_compiled(path: str, source: Source) -> Volume | None:
    try:
        return Volume(path, base=source.base)
    except (OSError, BubbleError):  # none yet, or a damaged one: it is made anew
        return None


def _stamp(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError as error:
        raise unreadable(path, error.strerror or "can't be read") from None
    if status.st_mode & 0o170000 != 0o100000:  # S_ISREG: a pipe would hang, a device never end
        raise unreadable(path, "no regular file")
    return stamp_of(status)

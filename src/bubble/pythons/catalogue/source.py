"""What BUBBLE_CATALOG names: a file or a URL, and what tells that it has changed."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

DEFAULT_NAME = "catalogue.json"  # in a directory, as `bubble mirror create` writes it


class Source(Record):
    """Where a catalogue is: `path` of a file, or `url` on a server; `base` ends in a slash."""

    text: str
    path: str
    url: str
    base: str


def read_source(text: str) -> Source:
    """Return what a BUBBLE_CATALOG value names; BubbleError(usage) if it is no path or URL."""
    if "://" in text:
        from bubble.system.http.address import local_path, scheme_of

        if scheme_of(text) == "file":
            return _file(text, local_path(text))
        plain = text.partition("#")[0].partition("?")[0]
        return Source(text=text, path="", url=text, base=plain.rpartition("/")[0] + "/")
    if not os.path.isabs(text) or not text.isprintable():
        raise BubbleError(
            "usage",
            f"BUBBLE_CATALOG must be an absolute path or a URL, not “{printable(text)}”",
            hint="use /absolute/path/catalogue.json, file:///… or https://…",
        )
    return _file(text, text)


def unreadable(path: str, reason: str) -> BubbleError:
    """Return the error for a BUBBLE_CATALOG that can't be read."""
    return BubbleError(
        "catalogue",
        f"BUBBLE_CATALOG: {printable(path)}: {reason}",
        hint="set BUBBLE_CATALOG to a catalogue that exists, or unset it",
    )


def stamp_of(status: os.stat_result) -> str:
    """Return what changes when a file does."""
    return f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}"


def _file(text: str, path: str) -> Source:
    path = os.path.normpath(path)
    if os.path.isdir(path):
        path = f"{path}/{DEFAULT_NAME}"
    return Source(text=text, path=path, url="", base=f"file://{_quoted(os.path.dirname(path))}/")


def _quoted(path: str) -> str:
    plain = path.replace("/", "").replace("-", "").replace("_", "").replace(".", "")
    if plain.isascii() and plain.isalnum():
        return path
    from urllib.parse import quote

    return quote(os.fsencode(path))

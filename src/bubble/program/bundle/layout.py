"""How the bytes of a bundle lie: the head, and members whose headers follow from their names."""

from __future__ import annotations

import hashlib
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD = 16384  # bytes before the tar
BLOCK = 512
TOP = "bundle"  # the directory that `tar` makes
CONTENTS = "contents.json"
END = bytes(2 * BLOCK)
LARGEST_CONTENTS = 16 << 20
_FIRST = b"#!/bin/sh\n# bubble-bundle 1 "
_SAID = re.compile(
    rb"\A#!/bin/sh\n# bubble-bundle 1 size=([0-9]{1,15}) contents=([0-9]{1,9}) "
    rb"sha256=([0-9a-f]{64}) script=([0-9a-f]{64})\n"
)


class Said(Record):
    """What the head says of the tar: its size and that of its first file, in bytes."""

    size: int
    contents: int
    sha256: str


def read_head(data: bytes, path: str) -> Said:
    """Return what a bundle's first bytes say; BubbleError(archive) for what is none."""
    if not data.startswith(_FIRST):
        raise BubbleError(
            "archive",
            f"{printable(path, 500)} is no bundle that this bubble knows",
            hint="make one: bubble bundle create FILE; or take a newer bubble: bubble self update",
        )
    found = _SAID.match(data)
    if found is None or len(data) < HEAD or int(found[2]) > LARGEST_CONTENTS:
        raise damaged(path)
    if hashlib.sha256(data[found.end() :]).hexdigest() != found[4].decode():
        raise damaged(path, "the script at its beginning was changed")
    return Said(size=int(found[1]), contents=int(found[2]), sha256=found[3].decode())


def first_lines(said: Said, script: bytes) -> bytes:
    """Return the lines that `read_head` reads, for the rest of the head behind them."""
    return (
        _FIRST
        + (
            f"size={said.size} contents={said.contents} sha256={said.sha256} "
            f"script={hashlib.sha256(script).hexdigest()}\n"
        ).encode()
    )


def damaged(path: str, what: str = "") -> BubbleError:
    """Return the error for a bundle that isn't whole."""
    return BubbleError(
        "checksum",
        f"{printable(path, 500)} is not as it was made" + f": {what}" * bool(what),
        hint="copy it once more, or make it anew: bubble bundle create FILE",
    )


def header(name: str, size: int) -> bytes:
    """Return the header of a member: a regular file of nobody's, without a time.

    Raises ValueError for a name or a size that has no room in it.
    """
    import tarfile

    info = tarfile.TarInfo(f"{TOP}/{name}")
    info.size = size
    info.mode = 0o644
    return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict")


def padding(size: int) -> int:
    """Return how many zeros follow a member of this size."""
    return -size % BLOCK


def offsets(members: Iterable[tuple[str, int]]) -> tuple[dict[str, int], int]:
    """Return where each member's bytes begin in the file, and where the tar ends."""
    found: dict[str, int] = {}
    at = HEAD
    for name, size in members:
        found[name] = at + BLOCK
        at += BLOCK + size + padding(size)
    return found, at + len(END)

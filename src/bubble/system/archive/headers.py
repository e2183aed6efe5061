"""The tar format: one 512-byte header, and the PAX and GNU records that change the next one.

Sources: POSIX.1-2017 `pax`, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
Two parsers that disagree about one archive are how content is smuggled (CVE-2025-62518), so where
the standards leave a choice, both readings are refused.
"""

from __future__ import annotations

import struct
import zlib

from bubble.system.archive.model import refusal
from bubble.system.archive.rules import text

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)
FILE, HARD_LINK, SYMLINK, DIRECTORY = b"0", b"1", b"2", b"5"
PAX, PAX_GLOBAL, LONG_NAME, LONG_LINK = b"x", b"g", b"L", b"K"

# name mode (uid gid) size (mtime) checksum type link magic (owner, group, device) prefix (pad)
unpack = struct.Struct("100s8s16x12s12x8sc100s8s80x155s12x").unpack
_USTAR, _GNU = b"ustar\x0000", b"ustar  \x00"

_IGNORED_KEYS = frozenset(("atime", "ctime", "mtime", "uid", "gid", "uname", "gname", "comment"))
_MAX_RECORDS = 64 << 10  # bytes of one PAX header; real ones have 100


class Overrides:
    """What PAX and GNU records said about the next header; `None` is "nothing"."""

    __slots__ = ("_from", "link", "name", "size")

    def __init__(self) -> None:
        self.name: str | None = None
        self.link: str | None = None
        self.size: int | None = None
        self._from: set[bytes] = set()

    def take(self, kind: bytes, data: bytes) -> None:
        """Take the content of a record of `kind`; refuse a second one, or PAX mixed with GNU."""
        if kind in self._from or (self._from and PAX in self._from | {kind}):
            raise refusal("several records describe the same member")
        if kind == PAX_GLOBAL:
            if self._from:
                raise refusal("a global record stands between a record and its member")
            if not _ignored(records(data)):
                raise refusal("a global PAX record sets a path or size")
            return
        self._from.add(kind)
        if kind == PAX:
            self._take_pax(records(data))
        else:
            name = text(_terminated(data), "a long name")
            if kind == LONG_NAME:
                self.name = name
            else:
                self.link = name

    def _take_pax(self, pairs: dict[str, bytes]) -> None:
        for key, value in pairs.items():
            if key == "path":
                self.name = text(value, "a PAX path")
            elif key == "linkpath":
                self.link = text(value, "a PAX linkpath")
            elif key == "size":
                self.size = _decimal(value)

    def pending(self) -> bool:
        """Tell whether a record waits for its member."""
        return bool(self._from)


def checksum_is_right(block: bytes, field: bytes) -> bool:
    """Tell whether a header's checksum is that of its bytes, the field itself counted as spaces.

    The low half of Adler-32 from 0 is the plain sum, exact for 256 bytes: 30 times faster.
    """
    total = (zlib.adler32(block[:256], 0) & 0xFFFF) + (zlib.adler32(block[256:], 0) & 0xFFFF)
    return total - sum(field) + 256 == octal(field, "checksum")


def parse(block: bytes) -> tuple[bytes, str, int, int, str]:
    """Return `(kind, name, size, mode, link)` of a header block; raise BubbleError(archive).

    Names and links passed `rules.text`; a link may be empty.
    """
    name, mode, size, checksum, kind, link, magic, prefix = unpack(block)
    if not checksum_is_right(block, checksum):
        raise refusal("a header's checksum is wrong")
    if magic == _USTAR:
        name = name.rstrip(b"\0")
        prefix = prefix.rstrip(b"\0")
        if prefix:
            name = prefix + b"/" + name
    elif magic == _GNU:
        name = name.rstrip(b"\0")
    else:
        raise refusal("a header is neither POSIX's nor GNU tar's")
    shown = text(name, "a name")
    link = link.rstrip(b"\0")
    return (
        FILE if kind == b"\0" else kind,
        shown,
        octal(size, "size"),
        octal(mode, "mode"),
        text(link, "a link's target") if link else "",
    )


def octal(field: bytes, what: str) -> int:
    """Return a numeric field: octal digits, or GNU's base-256 for sizes."""
    digits = field.rstrip(b"\0 ").lstrip(b" ")
    if digits.isdigit():
        try:
            return int(digits, 8)
        except ValueError:
            raise refusal(f"a header's {what} is not octal") from None
    if what == "size" and field[0] == 0x80:  # 0xff would be negative
        return int.from_bytes(field[1:])
    raise refusal(f"a header's {what} is not a number")


def records(data: bytes) -> dict[str, bytes]:
    r"""Return PAX records (`length key=value\n`, the length counting itself) as a map."""
    pairs: dict[str, bytes] = {}
    rest = data
    while rest:
        digits, space, _ = rest[:8].partition(b" ")
        length = _decimal(digits) if space else 0
        record = rest[len(digits) + 1 : length - 1]
        key, equals, value = record.partition(b"=")
        if len(rest) < length or rest[length - 1 : length] != b"\n" or not equals:
            raise refusal("a PAX record is malformed")
        name = text(key, "a PAX key")
        if name in pairs:
            raise refusal("a PAX record comes twice", name)
        if not _known(name):
            raise refusal("a PAX key is not known", name)
        pairs[name] = value
        rest = rest[length:]
    return pairs


def record_size(kind: bytes, size: int) -> int:
    """Return the size of a record's content, bounded."""
    if not 0 < size <= _MAX_RECORDS:
        raise refusal(f"a record of type {kind.decode()} has {size} bytes")
    return size


def _known(key: str) -> bool:
    """Tell whether a key is one that we obey or may ignore: POSIX's, or a vendor's own."""
    if key in {"path", "linkpath", "size"} or key in _IGNORED_KEYS:
        return True
    vendor, dot, _ = key.partition(".")
    # GNU's and star's keys for sparse files change what a member's bytes mean
    return bool(dot) and vendor.isupper() and vendor != "GNU" and key != "SCHILY.realsize"


def _ignored(pairs: dict[str, bytes]) -> bool:
    return not pairs.keys() & {"path", "linkpath", "size"}


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 18 or (digits[0] == 0x30 and len(digits) > 1):
        raise refusal("a PAX record has a malformed number")
    return int(digits)


def _terminated(data: bytes) -> bytes:
    """Return a GNU name without its NUL; without one, readers disagree about where it ends."""
    if not data.endswith(b"\0"):
        raise refusal("a long name has no end")
    return data[:-1]

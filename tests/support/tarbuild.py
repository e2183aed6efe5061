"""Tar archives byte by byte, malformed ones too: `tarfile` is too well-behaved for those."""

from __future__ import annotations

import gzip
import struct
import zlib

BLOCK = 512
END = bytes(2 * BLOCK)
USTAR, GNU = b"ustar\x0000", b"ustar  \x00"
FILE, HARD_LINK, SYMLINK, CHARACTER, BLOCK_DEVICE, DIRECTORY, FIFO = (b"%d" % i for i in range(7))

# offset and length of each field
FIELDS = {
    "name": (0, 100),
    "mode": (100, 8),
    "uid": (108, 8),
    "gid": (116, 8),
    "size": (124, 12),
    "mtime": (136, 12),
    "checksum": (148, 8),
    "kind": (156, 1),
    "link": (157, 100),
    "magic": (257, 8),
    "uname": (265, 32),
    "gname": (297, 32),
    "prefix": (345, 155),
}


def sealed(block: bytes) -> bytes:
    """Return a header with the checksum of its bytes."""
    start, length = FIELDS["checksum"]
    blank = block[:start] + b" " * length + block[start + length :]
    return blank[:start] + b"%06o\0 " % sum(blank) + blank[start + length :]


def header(
    name: bytes,
    kind: bytes = FILE,
    *,
    size: int | bytes = 0,
    mode: int | bytes = 0o644,
    link: bytes = b"",
    magic: bytes = USTAR,
    **raw: bytes,
) -> bytes:
    """Return one header; `raw` replaces fields by name, whatever their content.

    `size` and `mode` may be given as the field's bytes too.
    """
    values = {
        "name": name,
        "mode": mode if isinstance(mode, bytes) else b"%07o\0" % mode,
        "uid": b"0000000\0",
        "gid": b"0000000\0",
        "size": size if isinstance(size, bytes) else b"%011o\0" % size,
        "mtime": b"00000000000\0",
        "kind": kind,
        "link": link,
        "magic": magic,
        "uname": b"root",
        "gname": b"root",
        **raw,
    }
    block = bytearray(BLOCK)
    for field, value in values.items():
        start, length = FIELDS[field]
        assert len(value) <= length, (field, value)
        block[start : start + len(value)] = value
    whole = bytes(block)
    return whole if "checksum" in raw else sealed(whole)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def file(
    name: bytes,
    data: bytes = b"data\n",
    kind: bytes = FILE,
    *,
    size: int | bytes | None = None,
    mode: int | bytes = 0o644,
    magic: bytes = USTAR,
    prefix: bytes = b"",
) -> bytes:
    """Return a header and `data`; the header may lie about the size."""
    told = len(data) if size is None else size
    return header(name, kind, size=told, mode=mode, magic=magic, prefix=prefix) + padded(data)


def directory(name: bytes, mode: int = 0o755) -> bytes:
    return header(name, DIRECTORY, mode=mode)


def symlink(name: bytes, target: bytes) -> bytes:
    return header(name, SYMLINK, mode=0o777, link=target)


def hard_link(name: bytes, target: bytes) -> bytes:
    return header(name, HARD_LINK, link=target)


def record(key: bytes, value: bytes) -> bytes:
    """Return one PAX record; its length counts itself."""
    length = len(key) + len(value) + 3
    while len(b"%d" % length) + len(key) + len(value) + 3 != length:
        length = len(b"%d" % length) + len(key) + len(value) + 3
    return b"%d %s=%s\n" % (length, key, value)


def pax(data: bytes, kind: bytes = b"x") -> bytes:
    """Return a PAX header with `data`, the records, in it."""
    return header(b"pax", kind, size=len(data)) + padded(data)


def gnu_long(name: bytes, kind: bytes = b"L") -> bytes:
    """Return a GNU record of a long name (L) or a long link target (K)."""
    data = name + b"\0"
    return header(b"././@LongLink", kind, size=len(data), magic=GNU) + padded(data)


def long_symlink(name: bytes, target: bytes) -> bytes:
    return gnu_long(target, b"K") + header(name, SYMLINK, mode=0o777, link=target[:99], magic=GNU)


def gz(tar: bytes) -> bytes:
    return gzip.compress(tar, compresslevel=1, mtime=0)


def zst(tar: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(tar)


COMPRESS = {"tar.gz": gz, "tar.zst": zst}


def gz_of_zeros(prefix: bytes, count: int) -> bytes:
    """Return gzip of `prefix` and `count` zeros, without holding them."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(prefix)]
    zeros = bytes(1 << 20)
    parts += [packer.compress(zeros[: count - at]) for at in range(0, count, len(zeros))]
    return b"".join([*parts, packer.flush()])


def zst_of_zeros(prefix: bytes, count: int, window_log: int = 20) -> bytes:
    """Return a zstd frame of `prefix` and `count` zeros in RLE blocks, of any window (RFC 8878)."""
    out = [b"\x28\xb5\x2f\xfd", b"\x00", bytes([(window_log - 10) << 3])]
    largest = 128 << 10
    out.append(struct.pack("<I", len(prefix) << 3)[:3] + prefix)
    while count:
        length = min(count, largest)
        count -= length
        out.append(struct.pack("<I", length << 3 | 1 << 1 | (not count))[:3] + b"\0")
    return b"".join(out)


BOMBS = {"tar.gz": gz_of_zeros, "tar.zst": zst_of_zeros}

"""Write a `.tar.gz` of members: the same members give the same bytes."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zlib

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from bubble.pythons.pack.member import Member

_CHUNK = 1 << 20
_ISAL_LEVEL = 3  # its best; about zlib's 3, at the speed of the disk
_ZLIB_LEVEL = 6
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # no name, no time, no system


class Written(Record):
    """The archive's sha256 (hex) and its size in bytes."""

    sha256: str
    size: int


def write_tar(
    path: str,
    members: Mapping[str, Member],
    *,
    mtime: int,
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Write `members` below `python/` into the file `path`: sorted, root's, of time `mtime`.

    The file is synced. `progress` is called with (bytes done, bytes in all). Raises OSError.
    """
    sizes = {name: _size(member) for name, member in members.items()}
    total, done = sum(sizes.values()), 0
    with open(path, "wb") as raw:
        sink = _Gzip(raw)
        with tarfile.open(
            fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8"
        ) as archive:
            for name in sorted(members):
                member = members[name]
                archive.addfile(*_entry(name, member, mtime))
                done += sizes[name]
                if progress:
                    progress(done, total)
        sink.finish()
        raw.flush()
        os.fsync(raw.fileno())
    return Written(sha256=sink.digest.hexdigest(), size=sink.size)


def _size(member: Member) -> int:
    if member.target:
        return 0
    return len(member.data) if member.data is not None else os.stat(member.source).st_size


def _entry(name: str, member: Member, mtime: int) -> tuple[tarfile.TarInfo, IO[bytes] | None]:
    info = tarfile.TarInfo(f"python/{name}")
    info.mtime = mtime
    info.uname = info.gname = "root"
    if member.target:
        info.type = tarfile.SYMTYPE
        info.linkname = member.target
        info.mode = 0o777
        return info, None
    data = member.read()
    info.size = len(data)
    info.mode = 0o755 if member.executable else 0o644
    return info, io.BytesIO(data)


class _Gzip(io.RawIOBase):
    """A gzip member written to `raw`, hashed as it passes: ISA-L where there is a wheel of it."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self.raw = raw
        self.digest = hashlib.sha256()
        self.size = 0
        self._length = 0
        self._crc = 0
        self._compress, self._flush = _compressor()
        self._emit(_GZIP_HEADER)

    def write(self, data: bytes) -> int:  # type: ignore[override]  # tarfile writes bytes only
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self._emit(self._compress(data))
        return len(data)

    def finish(self) -> None:
        self._emit(self._flush())
        self._emit(self._crc.to_bytes(4, "little"))
        self._emit((self._length & 0xFFFFFFFF).to_bytes(4, "little"))

    def _emit(self, data: bytes) -> None:
        self.digest.update(data)
        self.size += len(data)
        self.raw.write(data)


def _compressor() -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """Return (compress, flush) of a raw deflate stream."""
    try:
        from isal import isal_zlib
    except ImportError:
        plain = zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, -15)
        return plain.compress, plain.flush
    fast = isal_zlib.compressobj(_ISAL_LEVEL, isal_zlib.DEFLATED, -15)
    return fast.compress, fast.flush

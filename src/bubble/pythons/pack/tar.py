"""Write a `.tar.gz` or `.tar.zst` of members: the same members give the same bytes."""

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
    from concurrent.futures import Future
    from typing import IO

    from bubble.pythons.pack.member import Member

_ISAL_LEVEL = 3  # its best; about zlib's 3, at the speed of the disk
_ZLIB_LEVEL = 6
_ZSTD_LEVEL = 3
_PIECE = 1 << 20  # bytes that are compressed at once
_WINDOW = 1 << 15  # deflate's
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
    """Write `members` below `python/` into the file `path`, as `stream_tar` does, and sync it."""
    with open(path, "wb") as raw:
        written = stream_tar(
            raw, members, mtime=mtime, top="python/", compression="isal", progress=progress
        )
        raw.flush()
        os.fsync(raw.fileno())
    return written


def stream_tar(
    raw: IO[bytes],
    members: Mapping[str, Member],
    *,
    mtime: int,
    top: str = "",
    compression: str = "gz",
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Write `members` below `top` (a directory's name and `/`): sorted, root's, of time `mtime`.

    `compression` is `gz` (zlib's, whose bytes depend on no processor), `isal` (the same format, at
    the speed of the disk) or `zst`. `progress` is called with (bytes done, bytes in all). Raises
    OSError.
    """
    total, done = sum(map(size_of, members.values())), 0
    sink = _Zstd(raw) if compression == "zst" else _Gzip(raw, fast=compression == "isal")
    with tarfile.open(
        fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8"
    ) as archive:
        for name in sorted(members):
            member = members[name]
            info = tarfile.TarInfo(f"{top}{name}")
            info.mtime = mtime
            info.uname = info.gname = "root"
            if member.target:
                info.type, info.linkname, info.mode = tarfile.SYMTYPE, member.target, 0o777
                archive.addfile(info)
            else:
                with member.open() as file:
                    info.size = file.seek(0, os.SEEK_END)
                    file.seek(0)
                    info.mode = 0o755 if member.executable else 0o644
                    archive.addfile(info, file)
            done += info.size
            if progress:
                progress(done, total)
    sink.finish()
    return Written(sha256=sink.digest.hexdigest(), size=sink.size)


def size_of(member: Member) -> int:
    """Return the bytes of a member's content."""
    if member.target:
        return 0
    return len(member.data) if member.data is not None else os.stat(member.source).st_size


class _Sink(io.RawIOBase):
    """What is written to `raw`, hashed and counted as it passes."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__()
        self.raw = raw
        self.digest = hashlib.sha256()
        self.size = 0

    def finish(self) -> None:
        raise NotImplementedError

    def _emit(self, data: bytes) -> None:
        self.digest.update(data)
        self.size += len(data)
        self.raw.write(data)


class _Zstd(_Sink):
    """A frame of Zstandard."""

    def __init__(self, raw: IO[bytes]) -> None:
        super().__init__(raw)
        import zstandard

        self._compressor = zstandard.ZstdCompressor(
            level=_ZSTD_LEVEL, write_checksum=True
        ).compressobj()

    def write(self, data: bytes) -> int:  # type: ignore[override]  # tarfile writes bytes only
        self._emit(self._compressor.compress(data))
        return len(data)

    def finish(self) -> None:
        self._emit(self._compressor.flush())


class _Gzip(_Sink):
    """A gzip member: by zlib, or where that is wanted and there is a wheel of it, by ISA-L."""

    def __init__(self, raw: IO[bytes], *, fast: bool) -> None:
        super().__init__(raw)
        self._length = 0
        self._crc = 0
        self._compress, self._flush = _compressor(fast=fast)
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


def _compressor(*, fast: bool) -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """Return (compress, flush) of a raw deflate stream."""
    if not fast:
        threads = _Threads()
        return threads.compress, threads.flush
    try:
        from isal import isal_zlib
    except ImportError:
        plain = zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, -15)
        return plain.compress, plain.flush
    quick = isal_zlib.compressobj(_ISAL_LEVEL, isal_zlib.DEFLATED, -15)
    return quick.compress, quick.flush


class _Threads:
    """One deflate stream, compressed by all processors: the same bytes, however many there are.

    As pigz does it: in pieces, each with the end of the one before for its dictionary.
    """

    def __init__(self) -> None:
        from collections import deque
        from concurrent.futures import ThreadPoolExecutor

        self._count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
        self._pool = ThreadPoolExecutor(self._count)
        self._waiting: deque[Future[bytes]] = deque()
        self._piece = bytearray()
        self._before = b""

    def compress(self, data: bytes) -> bytes:
        self._piece += data
        done = b""
        while len(self._piece) >= _PIECE:
            self._submit(bytes(self._piece[:_PIECE]))
            del self._piece[:_PIECE]
            if len(self._waiting) > 2 * self._count:
                done += self._waiting.popleft().result()
        return done

    def flush(self) -> bytes:
        self._submit(bytes(self._piece))
        rest = b"".join(future.result() for future in self._waiting)
        self._pool.shutdown()
        return rest + zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, -15).flush()

    def _submit(self, piece: bytes) -> None:
        self._waiting.append(self._pool.submit(_deflated, piece, self._before))
        self._before = piece[-_WINDOW:]


def _deflated(piece: bytes, before: bytes) -> bytes:
    one = zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, before)
    return one.compress(piece) + one.flush(zlib.Z_SYNC_FLUSH)

"""From a compressed file to a stream of expanded bytes, unpacked in a thread beside the reader.

The thread works ahead by some chunks, so memory is bounded; the stream must end cleanly: checksums
right, nothing after the end, no second gzip member or zstd frame. It may begin while the file is
still being written: it reads what it is told that there is (`Growth`).
"""

from __future__ import annotations

import os
import queue
import threading
import zlib

from bubble.model.errors import BubbleError
from bubble.model.text import size
from bubble.system.archive.model import Limits, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from types import TracebackType
    from typing import Protocol, Self

    class _Inflater(Protocol):
        """What isal's decompressor and ours over zlib have in common."""

        @property
        def eof(self) -> bool: ...
        @property
        def unused_data(self) -> bytes: ...
        @property
        def needs_input(self) -> bool: ...
        def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


CHUNK = 1 << 20  # expanded bytes at a time: few thread switches, still near the caches
PIECE = 1 << 18  # compressed bytes at a time
AHEAD = 4  # chunks, or as much in smaller ones, that wait for the reader
EARLY = 64  # chunks that wait for the end of the download, of what is expanded before it
_BLOCK = 4096  # expanded bytes of zstd's blocks on average, at least: they are 128 KiB, or split
_RLE = 1  # the kind of zstd block that is one byte, repeated
_STOP, _GO = 0, 1
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_REFUSED = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}


class Growth:
    """How many bytes of a file may be read by now; whoever writes it tells."""

    def __init__(self, size: int = 0, *, whole: bool = False) -> None:
        self._changed = threading.Condition()
        self._size = size
        self._whole = whole

    def grow(self, size: int) -> None:
        """Let the first `size` bytes be read."""
        with self._changed:
            self._size = size
            self._changed.notify_all()

    def end(self) -> None:
        """Say that there will be no more."""
        with self._changed:
            self._whole = True
            self._changed.notify_all()

    def wait(self, beyond: int) -> int:
        """Wait for more than `beyond` bytes, or the whole; return how many there are."""
        with self._changed:
            self._changed.wait_for(lambda: self._whole or self._size > beyond)
            return self._size

    def whole(self) -> int:
        """Wait for the whole file; return its size in bytes."""
        with self._changed:
            self._changed.wait_for(lambda: self._whole)
            return self._size


class Stream:
    """The expanded bytes of an archive: iterate for chunks; use as a context manager.

    Iteration raises BubbleError(archive) for a bad stream and OSError for a file that can't be
    read. `consumed` of `total` compressed bytes are behind the last chunk. With a `growth` the
    file may still be incomplete: iterate, and look at `total`, when it is whole.
    """

    def __init__(self, path: str, limits: Limits, growth: Growth | None = None) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            self._growth = growth or Growth(os.fstat(self._file).st_size, whole=True)
        except BaseException:
            os.close(self._file)
            raise
        self.consumed = 0
        self._read = 0
        early = self._permit if growth else _nothing
        self._chunks = _expanded(self._file, self._growth, limits, self._progress, early)
        self._limits = limits
        self._ready: queue.SimpleQueue[tuple[bytes, int] | BaseException | None]
        self._ready = queue.SimpleQueue()
        self._permits: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._stopped = False
        self._permit(AHEAD)
        self._thread = threading.Thread(target=self._run, name="unpack", daemon=True)

    @property
    def total(self) -> int:
        """The size of the file in bytes; waits until it is whole."""
        return self._growth.whole()

    def is_of(self, path: str) -> bool:
        """Whether this is the file that lies at `path`; raises OSError where there is none."""
        return os.path.samestat(os.fstat(self._file), os.stat(path, follow_symlinks=False))

    def __enter__(self) -> Self:
        """Start the thread, unless that was done."""
        if self._thread.ident is not None:
            return self
        try:
            self._thread.start()
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the thread, wait for it, and close the file."""
        self._stopped = True
        self._growth.end()  # a thread may wait for more of the file
        self._permits.put(_STOP)
        try:
            self._thread.join()
        finally:
            if not self._thread.is_alive():
                os.close(self._file)

    def __iter__(self) -> Iterator[bytes]:
        """Yield chunks of expanded bytes, none empty."""
        expanded = freed = 0
        limits, total = self._limits, self.total
        while (item := self._ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            chunk, self.consumed = item
            expanded += len(chunk)
            if expanded > limits.expanded_size:
                raise refusal(f"it expands to more than {size(limits.expanded_size)}")
            if expanded > limits.ratio_from and expanded > limits.ratio * total:
                raise refusal(f"it expands to more than {limits.ratio} times its size")
            yield chunk
            freed += len(chunk)
            if freed >= CHUNK:
                freed -= CHUNK
                self._permit(1)
        self.consumed = total

    def _permit(self, chunks: int) -> None:
        for _ in range(chunks):
            self._permits.put(_GO)

    def _progress(self, count: int) -> None:
        self._read = count

    def _run(self) -> None:
        last: BaseException | None = None
        room = 0
        try:
            while not self._stopped:
                if room <= 0:
                    if self._permits.get() == _STOP:
                        break
                    room += CHUNK
                chunk = next(self._chunks, b"")
                if not chunk:
                    break
                room -= len(chunk)
                self._ready.put((chunk, self._read))
                del chunk
        except BaseException as error:  # noqa: BLE001 - raised again in the reader's thread
            last = error
        finally:
            self._chunks.close()  # a generator that is stopped half-way holds a descriptor
        self._ready.put(last)


def _nothing(_chunks: int) -> None:
    pass


def _expanded(
    file: int,
    growth: Growth,
    limits: Limits,
    progress: Callable[[int], None],
    early: Callable[[int], None],
) -> Generator[bytes]:
    """Yield what a file expands to; `early` lets so many more chunks wait for its end."""
    magic = os.pread(file, min(6, growth.wait(5)), 0)
    if magic.startswith(_GZIP):
        early(EARLY - AHEAD)
        yield from _gzip(file, growth, progress)
        return
    if magic.startswith(_ZSTD):
        yield from _zstd(file, growth.whole(), limits, progress)
        return
    for start, name in _REFUSED.items():
        if magic.startswith(start):
            raise BubbleError(
                "archive",
                f"{name} archives aren't supported on this platform",
                hint="choose a build that comes as .tar.gz or .tar.zst",
            )
    raise refusal("it is neither gzip nor zstd")


def _gzip(file: int, growth: Growth, progress: Callable[[int], None]) -> Generator[bytes]:
    """Expand exactly one gzip member that ends with the file (RFC 1952)."""
    inflater, failures = _inflater()
    offset = 0
    while not inflater.eof:
        piece = b""
        if inflater.needs_input:
            piece = os.pread(file, min(PIECE, growth.wait(offset) - offset), offset)
            if not piece:
                raise refusal("its gzip stream is cut short")
            offset += len(piece)
            progress(offset)
        try:
            chunk = inflater.decompress(piece, CHUNK)
        except failures as error:
            raise refusal(f"its gzip stream is damaged ({error})") from None
        if chunk:
            yield chunk
    if inflater.unused_data or offset != growth.whole():
        raise refusal("there are bytes after the end of its gzip stream")


def _inflater() -> tuple[_Inflater, tuple[type[Exception], ...]]:
    """Return ISA-L's decompressor, or zlib's where isal has no wheel, and what it raises."""
    try:
        from isal import igzip_lib
    except ImportError:
        return _Zlib(), (zlib.error,)
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    failure: type[Exception] = igzip_lib.error  # type: ignore[assignment]  # isal's stub: an instance
    return inflater, (failure,)


class _Zlib:
    """zlib with the interface of isal's decompressor."""

    def __init__(self) -> None:
        self._object = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._object.eof

    @property
    def unused_data(self) -> bytes:
        return self._object.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._object.unconsumed_tail and not self._object.eof

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._object.decompress(data or self._object.unconsumed_tail, max_length)


def _zstd(
    file: int, total: int, limits: Limits, progress: Callable[[int], None]
) -> Generator[bytes]:
    """Expand exactly one zstd frame that ends with the file (RFC 8878)."""
    import zstandard

    end = _frame_end(file, total, limits)
    if end != total:
        problem = "there are bytes after" if end < total else "it is cut short before"
        raise refusal(f"{problem} the end of its zstd frame")
    most = 1 << limits.window_log
    try:
        window = zstandard.get_frame_parameters(os.pread(file, 18, 0)).window_size
    except zstandard.ZstdError as error:
        raise refusal(f"its zstd frame is damaged ({error})") from None
    if window > most:  # as much memory it would take
        raise refusal(f"its zstd window is larger than {size(most)}")
    decompressor = zstandard.ZstdDecompressor(max_window_size=most)
    with (
        os.fdopen(os.dup(file), "rb", buffering=0) as source,
        decompressor.stream_reader(source, read_size=PIECE, closefd=False) as reader,
    ):
        while True:
            try:
                chunk = reader.read(CHUNK)
            except zstandard.ZstdError as error:
                raise refusal(f"its zstd frame is damaged ({error})") from None
            if not chunk:
                return
            progress(os.lseek(file, 0, os.SEEK_CUR))  # shared with the duplicate
            yield chunk


def _frame_end(file: int, total: int, limits: Limits) -> int:
    """Return the offset behind the first frame, from its block headers (RFC 8878, 3.1.1).

    The decompressor takes several frames, skippable ones and a missing end in silence; what is
    wrong inside of a frame it refuses itself.
    """
    descriptor = os.pread(file, 1, 4)[0] if total > 5 else 0
    single, checksum, dictionary = descriptor & 0x20, descriptor & 0x04, descriptor & 0x03
    size_length = (1 if single else 0, 2, 4, 8)[descriptor >> 6]
    offset = 5 + (0 if single else 1) + (0, 1, 2, 4)[dictionary] + size_length
    last = False
    blocks = limits.expanded_size // _BLOCK + 2
    while not last:
        blocks -= 1
        if not blocks:
            raise refusal("its zstd frame is damaged (too many blocks)")
        if offset + 3 > total:
            return total + 1
        head = int.from_bytes(os.pread(file, 3, offset), "little")
        last, kind, length = bool(head & 1), head >> 1 & 3, head >> 3
        offset += 3 + (1 if kind == _RLE else length)
    return offset + (4 if checksum else 0)

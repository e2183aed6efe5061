"""The partial file: `<destination>.part`, and beside it, in `.part.json`, which bytes are right.

Killed at any moment, the state file claims only bytes that are in the partial file: data is
written first, the state afterwards, by an atomic rename. After a power cut it may claim more; the
sha256 of the whole decides in every case.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading

from bubble.system.http.files import io_error, is_at, open_locked, unlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Follower(Protocol):
        """Who goes along behind the hash."""

        def grow(self, path: str, hashed: int, /) -> None:
            """Take notice of how many bytes of the file were hashed, in the calling thread."""

        def give_up(self) -> None:
            """Take notice that they no longer count, in any thread."""


SAVE_EVERY = 1024 * 1024
HASH_BLOCK = 256 * 1024
FORMAT = 1


class PartClosedError(Exception):
    """The partial file was closed under a worker thread that was given up."""


class Part:
    """An open, locked partial file. `lock` guards every attribute and every write.

    `done` holds the completed ranges `[start, end)`: sorted, disjoint, not adjacent.
    """

    def __init__(
        self, destination: str, sha256: str, *, deadline: float, follower: Follower | None = None
    ) -> None:
        """Open or make the partial file and load its state; `deadline` is `time.monotonic()`'s.

        `follower` is told what was hashed, and when that no longer counts.
        """
        self.destination = destination
        self.path = f"{destination}.part"
        self.state_path = f"{destination}.part.json"
        self.sha256 = sha256
        self.lock = threading.Condition(threading.RLock())
        self.url = ""
        self.validator = ""
        self.total: int | None = None
        self.done: list[tuple[int, int]] = []
        self._unsaved = 0
        self._hashed = 0
        self._hash = hashlib.sha256()
        self._buffer = bytearray(HASH_BLOCK)
        self._follower = follower
        self._fd = open_locked(self.path, deadline)
        try:
            self._load()
        except BaseException:
            os.close(self._fd)
            raise
        self.resumed = self.size_done

    @property
    def size_done(self) -> int:
        """How many bytes are there."""
        return sum(end - start for start, end in self.done)

    @property
    def complete(self) -> bool:
        """Whether every byte is there; never while the total isn't known."""
        return self.total is not None and self.size_done == self.total

    @property
    def prefix(self) -> int:
        """How many bytes are there from the start on without a gap."""
        return self.done[0][1] if self.done and self.done[0][0] == 0 else 0

    def write(self, offset: int, data: bytes) -> None:
        """Write `data` and mark it as done; raise BubbleError(no_space, io), PartClosedError."""
        with self.lock:
            if self._fd < 0:
                raise PartClosedError
            view = memoryview(data)
            try:
                while view:
                    written = os.pwrite(self._fd, view, offset)
                    self._mark(offset, offset + written)
                    offset += written
                    self._unsaved += written
                    view = view[written:]
            except OSError as error:
                raise io_error(error, self.path) from None
            if self._unsaved >= SAVE_EVERY:
                self.save()
                self.lock.notify_all()

    def save(self) -> None:
        """Write the state file; on a full disk the old one stays, which claims less."""
        with self.lock:
            if self._fd < 0 or not self._unsaved:
                return
            state = {
                "format": FORMAT,
                "sha256": self.sha256,
                "url": self.url,
                "validator": self.validator,
                "total": self.total,
                "done": self.done,
            }
            temporary = f"{self.state_path}.new"
            with contextlib.suppress(OSError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
                fd = os.open(temporary, flags, 0o600)
                try:
                    content = json.dumps(state).encode("ascii")
                    whole = os.write(fd, content) == len(content)
                finally:
                    os.close(fd)
                if whole:
                    os.rename(temporary, self.state_path)
                    self._unsaved = 0

    def take(self, source: int, size: int) -> None:
        """Copy `size` bytes of the open file `source`, in the kernel where it can be done."""
        self.start_over()
        try:
            copied = 0
            # another file system, one that can't do it, or a kernel (macOS) that never could
            with contextlib.suppress(OSError, AttributeError):
                while copied < size:
                    count = os.copy_file_range(source, self._fd, size - copied, copied, copied)
                    if count == 0:
                        break
                    copied += count
            while copied < size and (data := os.pread(source, HASH_BLOCK, copied)):
                copied += os.pwrite(self._fd, data, copied)
        except OSError as error:
            raise io_error(error, self.path) from None
        with self.lock:
            self.total = size
            if copied:
                self._mark(0, copied)

    def start_over(self) -> None:
        """Forget every byte and what is known of the file; raise BubbleError, PartClosedError."""
        with self.lock:
            if self._fd < 0:
                raise PartClosedError
            # the state goes first: it must never claim what the file no longer has
            unlink(self.state_path)
            try:
                os.ftruncate(self._fd, 0)
            except OSError as error:
                raise io_error(error, self.path) from None
            self.done = []
            self.total = None
            self.url = self.validator = ""
            if self._hashed and self._follower is not None:
                self._follower.give_up()
            self._unsaved = self.resumed = self._hashed = 0
            self._hash = hashlib.sha256()

    def hash_some(self) -> bool:
        """Hash the next block of what is there without a gap; return whether there was one.

        One thread alone calls this and `digest`. The bytes are read back from the file; raises
        BubbleError(io) where they can't be.
        """
        with self.lock:
            so_far, offset = self._hash, self._hashed
            wanted = min(self.prefix - offset, HASH_BLOCK)
        if wanted <= 0:
            return False
        view = memoryview(self._buffer)[:wanted]
        try:
            count = os.preadv(self._fd, [view], offset)
        except OSError as error:
            raise io_error(error, self.path) from None
        so_far.update(view[:count])
        with self.lock:
            counts = self._hash is so_far  # else a worker started over meanwhile
            if counts:
                self._hashed += count
        if counts and count and self._follower is not None:
            self._follower.grow(self.path, offset + count)
        return count > 0

    def digest(self) -> str:
        """Return the sha256 of the whole file on disk, in hex."""
        while self.hash_some():
            pass
        whole = self._hashed == self.total == os.fstat(self._fd).st_size
        return self._hash.hexdigest() if whole else "a file of another size"

    def publish(self) -> None:
        """Remove the state and rename the file to its destination."""
        # in this order: nobody comes back for the state of a file that is where it belongs
        unlink(self.state_path)
        try:
            os.rename(self.path, self.destination)
        except OSError as error:
            raise io_error(error, self.destination) from None
        self.close()

    def discard(self) -> None:
        """Remove the file and its state."""
        unlink(self.state_path)
        unlink(self.path)
        self.close()

    def close(self) -> None:
        """Save the state and close; a later write raises PartClosedError."""
        with self.lock:
            if self._fd < 0:
                return
            if is_at(self._fd, self.path):
                self.save()
                if not self.done:
                    unlink(self.state_path)
                    unlink(self.path)
            unlink(f"{self.state_path}.new")
            os.close(self._fd)
            self._fd = -1

    def _mark(self, start: int, end: int) -> None:
        merged = []
        for low, high in self.done:
            if high < start or low > end:
                merged.append((low, high))
            else:
                start, end = min(start, low), max(end, high)
        merged.append((start, end))
        merged.sort()
        self.done = merged

    def _load(self) -> None:
        """Take over what an earlier process left, or start over if it makes no sense."""
        try:
            with open(self.state_path, "rb") as file:
                state = json.loads(file.read(1024 * 1024))
            self._adopt(state)
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            self.start_over()

    def _adopt(self, state: dict[str, object]) -> None:
        total, done, url, validator = (state[n] for n in ("total", "done", "url", "validator"))
        if state["format"] != FORMAT or state["sha256"] != self.sha256:
            raise ValueError
        if not (type(total) is int or total is None):
            raise ValueError
        if not (isinstance(done, list) and isinstance(url, str) and isinstance(validator, str)):
            raise TypeError
        ranges = [(int(start), int(end)) for start, end in done]
        size = os.fstat(self._fd).st_size
        limit = size if total is None else min(size, total)
        last = -1
        for start, end in ranges:
            if not last < start < end <= limit:
                raise ValueError
            last = end
        if not validator.isascii() or not validator.isprintable():
            raise ValueError
        self.total, self.done, self.url, self.validator = total, ranges, url, validator

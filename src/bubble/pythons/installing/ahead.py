"""Expanding an archive while it is still downloaded.

What was hashed of the file is expanded into memory, at most `stream.EARLY` MiB of it. Nothing looks
at it before the sha256 of the whole was found right: `take` is for whoever has checked that.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from bubble.system.archive.stream import Growth, Stream


class Ahead:
    """One archive that may be expanded ahead; a context manager, which ends what isn't taken."""

    def __init__(self) -> None:
        self._growth: Growth | None = None
        self._stream: Stream | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_up()

    def grow(self, path: str, hashed: int) -> None:
        """Expand up to `hashed` bytes of the file at `path`; raise OSError if it can't be read."""
        if self._is_over:
            return
        if self._growth is None:
            from bubble.system.archive.model import Limits
            from bubble.system.archive.stream import Growth, Stream

            self._growth = Growth()
            self._stream = Stream(path, Limits(), self._growth).__enter__()
            if self._is_over:  # another thread gave up meanwhile
                self.give_up()
        self._growth.grow(hashed)

    def give_up(self) -> None:
        """Forget what was expanded: the file's bytes will be others. From any thread."""
        self._is_over = True
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.__exit__(None, None, None)

    def take(self, archive: str) -> Stream | None:
        """Return what was expanded of the file at `archive`, whose sha256 was checked, and go on.

        None when nothing was. The caller ends the stream.
        """
        stream, growth = self._stream, self._growth
        if stream is None or growth is None or not stream.is_of(archive):
            return None
        growth.grow(os.stat(archive).st_size)
        growth.end()
        self._stream, self._is_over = None, True
        return stream

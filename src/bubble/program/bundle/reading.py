"""Reading a bundle: held, byte for byte, against what it says of itself, before anything is used.

There is no tar reader here: every header is the one that the contents call for, or the file is
refused; so is a byte too many. What is copied out is hashed once more as it is copied, since
somebody may have written into the file meanwhile.
"""

from __future__ import annotations

import hashlib
import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.program.bundle.contents import parse
from bubble.program.bundle.layout import (
    BLOCK,
    CONTENTS,
    END,
    HEAD,
    damaged,
    header,
    offsets,
    padding,
    read_head,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from bubble.program.bundle.contents import Contents, File

_CHUNK = 1 << 20


class Bundle:
    """A bundle that is whole, inside `with`: its `contents`, its `size` in bytes, its files.

    `sha256` is that of the whole file, where one was expected, else "".
    """

    def __init__(
        self,
        path: str,
        *,
        sha256: str = "",
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.path = path
        self._expected = sha256.lower()
        self._progress = progress
        self._file = -1

    def __enter__(self) -> Self:
        """Open and check it; BubbleError (usage, archive, checksum) for what is no whole bundle."""
        self._file = _open(self.path)
        try:
            self._check()
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
        os.close(self._file)

    @property
    def contents(self) -> Contents:
        """What it says of itself."""
        return self._contents

    def read(self, name: str) -> bytes:
        """Return the bytes of a small file of it."""
        return b"".join(self._content(self._files[name]))

    def copy(self, name: str, target: str) -> None:
        """Write a file of it to `target` (absolute), which must not be there yet."""
        with open(target, "xb") as written:
            written.writelines(self._content(self._files[name]))

    def _check(self) -> None:
        head = os.pread(self._file, HEAD, 0)
        said = read_head(head, self.path)
        self.size = os.fstat(self._file).st_size
        if self.size != HEAD + said.size:
            raise damaged(self.path, f"it has {self.size} bytes, not {HEAD + said.size}")
        if self._expected and self._digest(0, self.size) != self._expected:
            raise BubbleError(
                "checksum",
                f"{printable(self.path, 500)} is another file than the one with sha256 "
                f"{printable(self._expected, 64)}",
                hint="ask whoever made it for the right one, or for its sha256",
            )
        if self._digest(HEAD, self.size, self._progress) != said.sha256:
            raise damaged(self.path)
        listed = os.pread(self._file, said.contents, HEAD + BLOCK)
        self._expect(HEAD, header(CONTENTS, said.contents))
        self._contents = parse(listed)
        self._files = {file.name: file for file in self._contents.files}
        members = [(CONTENTS, said.contents), *((f.name, f.size) for f in self._files.values())]
        self._offsets, end = offsets(members)
        if end != self.size:
            raise damaged(self.path, "its contents are of another size")
        for name, size in members:
            at = self._offsets[name]
            self._expect(at - BLOCK, self._header(name, size))
            self._expect(at + size, bytes(padding(size)))
        self._expect(end - len(END), END)
        for file in self._files.values():
            if self._digest(self._offsets[file.name], file.size) != file.sha256:
                raise damaged(self.path, f"{file.name} has other bytes than its contents say")

    def _header(self, name: str, size: int) -> bytes:
        try:
            return header(name, size)
        except ValueError:
            raise damaged(self.path, f"{name} has no room in it") from None

    def _expect(self, at: int, data: bytes) -> None:
        if os.pread(self._file, len(data), at) != data:
            raise damaged(self.path, "its files don't lie as its contents say")

    def _digest(
        self, at: int, size: int, progress: Callable[[int, int], None] | None = None
    ) -> str:
        digest = hashlib.sha256()
        done = 0
        for piece in self._pieces(at, size):
            digest.update(piece)
            done += len(piece)
            if progress:
                progress(done, size)
        return digest.hexdigest()

    def _content(self, file: File) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for piece in self._pieces(self._offsets[file.name], file.size):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != file.sha256:
            raise damaged(self.path, f"{file.name} was changed meanwhile")

    def _pieces(self, at: int, size: int) -> Iterator[bytes]:
        """Yield `size` bytes from `at` on, or fewer where the file ends."""
        end = at + size
        while at < end and (piece := os.pread(self._file, min(_CHUNK, end - at), at)):
            yield piece
            at += len(piece)


def _open(path: str) -> int:
    import stat

    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        file = os.open(path, flags)
    except FileNotFoundError:
        raise BubbleError(
            "usage", f"there is no bundle {printable(path, 500)}", hint="name its file"
        ) from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise BubbleError(
            "usage", f"{printable(path, 500)} is no regular file", hint="name a bundle's file"
        )
    return file

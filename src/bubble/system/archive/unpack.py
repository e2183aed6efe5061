"""Unpack one archive into one empty directory: the loop over its members."""

from __future__ import annotations

import os

from bubble.model.text import printable
from bubble.model.text import size as size_text
from bubble.system.archive import headers
from bubble.system.archive.headers import BLOCK, ZERO_BLOCK, Overrides
from bubble.system.archive.model import Extracted, Limits, refusal
from bubble.system.archive.rules import check_name, normal_mode
from bubble.system.archive.stream import Stream
from bubble.system.archive.tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bubble.system.archive.twin import Twin

try:
    from isal.isal_zlib import crc32
except ImportError:  # no wheel for this platform
    from zlib import crc32

PYTHON_JSON = "python/PYTHON.json"
FLAT = "archive"  # stands for the top directory that a flat archive hasn't
_FULL_PARTS = frozenset(("PYTHON.json", "build", "install", "licenses"))  # below python/
_MAX_PYTHON_JSON = 16 << 20
_MAX_PADDING = 1 << 20  # zeros behind the end marker; GNU tar pads to 10 KiB
_RECORDS = frozenset((headers.PAX, headers.PAX_GLOBAL, headers.LONG_NAME, headers.LONG_LINK))
_DEFAULT = Limits()


def extract(
    archive: str,
    destination: str,
    *,
    limits: Limits = _DEFAULT,
    flat: bool = False,
    begun: Stream | None = None,
    fixed: Callable[[str], bool] | None = None,
    twin: Twin | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Extracted:
    """Unpack `archive` into `destination` and return what was written.

    `archive` is an absolute path of a complete regular file whose sha256 was checked: `.tar.gz` or
    `.tar.zst`, told by its first bytes. `destination` is an existing, empty directory that only
    this user may enter. An archive has one top directory, which is stripped, or none (`flat`); of
    a full build only `python/install` is written. Files get mode 0755 if their owner may execute
    them, else 0644.
    Those whose paths are `fixed` nobody may write: 0555 and 0444. What a `twin` has the same is
    shared with it. A stream of the archive may have `begun` while it came. Either is closed.
    `progress` is called with the compressed bytes that are done, and their total.

    Raises BubbleError(archive) at the first violation of the rules, and OSError as it comes
    (ENOSPC, …). What was written until then stays: the caller deletes the destination.
    """
    try:
        with begun or Stream(archive, limits) as stream:
            unpacking = _Unpacking(stream, destination, limits, progress, flat=flat)
            unpacking.fixed, unpacking.twin = fixed, twin
            try:
                return unpacking.run()
            finally:
                unpacking.close()
    finally:
        if twin:
            twin.close()


class _Unpacking:
    """The state of one extraction: where the reader is in the stream, and the tree."""

    def __init__(
        self,
        stream: Stream,
        destination: str,
        limits: Limits,
        progress: Callable[[int, int], None] | None,
        *,
        flat: bool,
    ) -> None:
        self.fixed: Callable[[str], bool] | None = None
        self.twin: Twin | None = None
        self._stream = stream
        self._above = f"{FLAT}/" if flat else ""
        self._chunks: Iterator[bytes] = iter(stream)
        self._chunk = b""
        self._at = 0
        self._destination = destination
        self._limits = limits
        self._progress = progress
        self._tree: Tree | None = None
        self._layout = "other"
        self._python_json = ""
        self._python_seen = False

    def close(self) -> None:
        if self._tree:
            self._tree.close()

    def run(self) -> Extracted:
        members = 0
        overrides = Overrides()
        while (block := self._block()) != ZERO_BLOCK:
            members += 1
            if members > self._limits.members:
                raise refusal(f"it has more than {self._limits.members} members")
            kind, name, size, mode, link = headers.parse(block)
            if kind in _RECORDS:
                overrides.take(kind, self._content(headers.record_size(kind, size)))
                continue
            if overrides.pending():
                name = overrides.name or name
                link = overrides.link or link
                if overrides.size not in {None, size}:
                    raise refusal("its PAX size is not its header's size", name)
                overrides = Overrides()
            self._member(kind, name, size, mode, link)
        if overrides.pending():
            raise refusal("a record describes a member that doesn't come")
        self._expect_end()
        if self._tree is None:
            raise refusal("it is empty")
        if self._layout == "full" and not self._python_json:
            raise refusal(f"it has no {PYTHON_JSON}")
        self._tree.make_links()
        return Extracted(
            entries=tuple(self._tree.entries), layout=self._layout, python_json=self._python_json
        )

    def _member(self, kind: bytes, name: str, size: int, mode: int, link: str) -> None:
        if kind == headers.DIRECTORY:
            name = name.removesuffix("/")
        name = self._above + name
        tree = self._tree or self._begin(name, kind)
        if kind == headers.FILE and tree:
            self._file(tree, name, size, normal_mode(mode, name))
            return
        if size:
            raise refusal("it is not a file, but has content", name)
        if kind == headers.DIRECTORY:
            normal_mode(mode, name)
            if tree:
                tree.add_directory(name)
        elif tree is None:
            raise AssertionError(name)  # `_begin` waits for nothing but a directory
        elif kind == headers.SYMLINK:
            tree.add_link(name, link)
        elif kind == headers.HARD_LINK:
            tree.add_hard_link(name, self._above + link)
        else:
            shown = printable(kind.decode("latin-1"))
            raise refusal(f"its type “{shown}” is not allowed", name)

    def _begin(self, name: str, kind: bytes) -> Tree | None:
        """Tell the layout by the first member; None if `python/` itself is all there is yet.

        Full builds since March 2021 start with PYTHON.json, older ones have it somewhere.
        """
        check_name(name, self._limits)
        root, slash, rest = name.partition("/")
        if not slash and kind != headers.DIRECTORY:
            raise refusal("it is not in a top directory", name)
        if self._python_seen and root != "python":
            raise refusal("it is not in “python/”", name)
        base = root
        if root == "python":
            if not rest and not self._python_seen:
                self._python_seen = True
                return None
            self._layout = "install_only"
            if rest.partition("/")[0] in _FULL_PARTS:
                self._layout = "full"
                base = "python/install"
        self._tree = Tree(self._destination, root, base, self._limits, self.twin)
        if self._python_seen:
            self._tree.add_directory(root)
        return self._tree

    def _file(self, tree: Tree, name: str, size: int, mode: int) -> None:
        if size > self._limits.expanded_size:
            raise refusal(f"it is larger than {size_text(self._limits.expanded_size)}", name)
        if name == PYTHON_JSON and self._layout == "full":
            if size > _MAX_PYTHON_JSON:
                raise refusal(f"it is larger than {size_text(_MAX_PYTHON_JSON)}", name)
            tree.add_file(name, mode)
            try:
                self._python_json = self._content(size).decode("utf-8")
            except UnicodeDecodeError:
                raise refusal("it is not UTF-8", name) from None
            return
        path = tree.path_of(name)
        if self.fixed and path and self.fixed(path):
            mode &= 0o555
        is_whole = self._at + size + -size % BLOCK <= len(self._chunk)
        maybe = self.twin is not None and self.twin.may_have(path, size)
        if maybe and is_whole and self._share(tree, name, size, mode):
            return
        file = tree.add_file(name, mode)
        if file < 0:
            for _ in self._pieces(size):
                pass
            return
        try:
            crc = self._write(file, size)
        finally:
            os.close(file)
        tree.finish_file(name, mode, size, crc)
        if maybe and not is_whole:
            tree.share_written(name, mode, size, crc)

    def _share(self, tree: Tree, name: str, size: int, mode: int) -> bool:
        """Share a file that is here in one piece with the twin; whether that was done."""
        content = self._chunk[self._at : self._at + size]
        if not tree.add_shared(name, mode, content, crc32(content)):
            return False
        self._at += size + -size % BLOCK
        return True

    def _write(self, file: int, size: int) -> int:
        """Write the next `size` bytes to a descriptor; return their CRC-32."""
        crc = 0
        at, end = self._at, self._at + size + -size % BLOCK
        if end <= len(self._chunk):  # most files: one piece, one write
            pieces: Iterable[memoryview] = (memoryview(self._chunk)[at : at + size],)
            self._at = end
        else:
            pieces = self._pieces(size)
        for piece in pieces:
            crc = crc32(piece, crc)
            done = os.write(file, piece)
            while done < len(piece):
                done += os.write(file, piece[done:])
        return crc

    def _next_chunk(self) -> None:
        chunk = next(self._chunks, b"")
        if not chunk:
            raise refusal("it is cut short: the end-of-archive marker is missing")
        self._chunk = chunk
        self._at = 0
        if self._progress:
            self._progress(self._stream.consumed, self._stream.total)

    def _block(self) -> bytes:
        """Return the next 512 bytes."""
        at = self._at
        block = self._chunk[at : at + BLOCK]
        self._at = at + len(block)
        while len(block) < BLOCK:
            self._next_chunk()
            self._at = BLOCK - len(block)
            block += self._chunk[: self._at]
        return block

    def _pieces(self, size: int) -> Iterator[memoryview]:
        """Yield the next `size` bytes as they lie in the chunks; skip the padding to a block."""
        left = size
        while left:
            if self._at >= len(self._chunk):
                self._next_chunk()
            piece = memoryview(self._chunk)[self._at : self._at + left]
            self._at += len(piece)
            left -= len(piece)
            yield piece
        self._skip_padding(-size % BLOCK)

    def _skip_padding(self, count: int) -> None:
        while count:
            if self._at >= len(self._chunk):
                self._next_chunk()
            step = min(count, len(self._chunk) - self._at)
            self._at += step
            count -= step

    def _content(self, size: int) -> bytes:
        return b"".join(self._pieces(size))

    def _expect_end(self) -> None:
        """Require a second zero block, and nothing but some zeros behind it."""
        if self._block() != ZERO_BLOCK:
            raise refusal("it goes on behind the end-of-archive marker")
        rest = self._chunk[self._at :]
        length = 0
        while True:  # to the end of the stream: its checksum and what follows it count
            length += len(rest)
            if rest.count(0) != len(rest) or length > _MAX_PADDING:
                raise refusal("it goes on behind the end-of-archive marker")
            rest = next(self._chunks, b"")
            if not rest:
                break
        if length % BLOCK:
            raise refusal("it ends within a block")
        if self._progress:
            self._progress(self._stream.total, self._stream.total)

"""One file or symlink of an archive that is packed."""

from __future__ import annotations

import io

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO


class Member(Record):
    """One file or symlink of the archive, either from `source` (a path) or made of `data`.

    `target` is a symlink's, relative; empty for files.
    """

    source: str = ""
    data: bytes | None = None
    executable: bool = False
    target: str = ""

    def open(self) -> IO[bytes]:
        """Return the content, to be read from its beginning."""
        return open(self.source, "rb") if self.data is None else io.BytesIO(self.data)

    def read(self) -> bytes:
        """Return the content."""
        with self.open() as file:
            return file.read()

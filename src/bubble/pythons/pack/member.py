"""One file or symlink of an archive that is packed."""

from __future__ import annotations

from bubble.model.record import Record


class Member(Record):
    """One file or symlink of the archive, either from `source` (a path) or made of `data`.

    `target` is a symlink's, relative; empty for files.
    """

    source: str = ""
    data: bytes | None = None
    executable: bool = False
    target: str = ""

    def read(self) -> bytes:
        """Return the content."""
        if self.data is not None:
            return self.data
        with open(self.source, "rb") as file:
            return file.read()

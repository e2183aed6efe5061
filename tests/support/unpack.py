"""Unpacking what a test made itself, on every Python that runs the tests."""

from __future__ import annotations

import tarfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os


def unpack(archive: str | os.PathLike[str], directory: str | os.PathLike[str]) -> None:
    """Unpack a trusted archive; filters came with 3.11.4, and later Pythons ask for one."""
    with tarfile.open(archive) as opened:
        opened.extraction_filter = getattr(tarfile, "tar_filter", None)
        opened.extractall(directory)

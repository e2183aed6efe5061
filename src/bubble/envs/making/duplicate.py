"""Copying an environment's tree: nothing that is done to one afterwards shows in the other.

Where the file system clones files, the copy takes no space until one of them changes. Elsewhere
every file is copied: a hard link would let whoever owns, edits or appends to a file of the clone
change the original.
"""

from __future__ import annotations

import os
import stat

from bubble.model.record import Record
from bubble.system.copies import Copier, umask


class Duplicated(Record):
    """How many files were cloned (reflinks) and copied."""

    cloned: int
    copied: int


def duplicate(source: str, root: str) -> Duplicated:
    """Copy the tree at `source` into the empty directory `root` (both absolute).

    Modes and times stay, links stay links, what is no file, link or directory is left out. Raises
    OSError.
    """
    copier = Copier()
    with umask(0):
        _directory(source, root, copier)
    return Duplicated(cloned=copier.cloned, copied=copier.copied)


def _directory(source: str, target: str, copier: Copier) -> None:
    with os.scandir(source) as entries:
        found = list(entries)
    for entry in found:
        path = f"{target}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), path)
        elif entry.is_dir():
            os.mkdir(path, 0o700)
            _directory(entry.path, path, copier)
            os.chmod(path, entry.stat().st_mode & 0o777 | 0o700)
        elif entry.is_file():
            _file(entry.path, path, copier)


def _file(source: str, target: str, copier: Copier) -> None:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    reading = os.open(source, flags)
    try:
        info = os.fstat(reading)
        if not stat.S_ISREG(info.st_mode):
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        writing = os.open(target, flags, info.st_mode & 0o777)
        try:
            copier.content(reading, writing)
            os.utime(writing, ns=(info.st_atime_ns, info.st_mtime_ns))
        finally:
            os.close(writing)
    finally:
        os.close(reading)

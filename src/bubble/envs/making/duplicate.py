"""Copying an environment's tree: nothing that is done to one afterwards shows in the other.

Where the file system clones files, the copy takes no space until one of them changes. Elsewhere
every file is copied: a hard link would let whoever owns, edits or appends to a file of the clone
change the original. Only packages' files that environments share already (`envs.making.sharing`),
which nobody may write to, are linked, where that is allowed.
"""

from __future__ import annotations

import errno
import os
import stat

from bubble.model.record import Record
from bubble.system.copies import Copier, linked, umask
from bubble.system.descent import entered
from bubble.system.pool import READ_ONLY
from bubble.system.trees import located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.descent import Descent

_PACKAGES = "/site-packages/"


class Duplicated(Record):
    """How many files were cloned (reflinks), copied and linked."""

    cloned: int
    copied: int
    linked: int = 0


class _Linker:
    """Links files that environments share; counts the `linked`. Ends where there are no links."""

    def __init__(self, *, links: bool) -> None:
        self.links = links
        self.linked = 0
        self._owner = os.geteuid()

    def link(self, name: str, info: os.stat_result, source: int, target: int) -> bool:
        """Give a file (`info`) a name in another directory, if it is one that may have it."""
        shared = info.st_nlink > 1 and info.st_uid == self._owner
        if not shared or stat.S_IMODE(info.st_mode) not in READ_ONLY:
            return False
        try:
            self.links = linked(info, name, source, name, target)
        except OSError as error:
            self.links = error.errno in {errno.EMLINK, errno.ENOENT}
            return False
        self.linked += self.links
        return self.links


def duplicate(source: str, root: str, *, links: bool = False) -> Duplicated:
    """Copy the tree at `source` into the empty directory `root` (both absolute).

    With `links`, what environments share stays shared. Modes and times stay, links stay links, what
    is no file, link or directory is left out. However deep it is, nothing recurses, and no path is
    too long. Raises OSError.
    """
    copier, linker = Copier(), _Linker(links=links)
    with umask(0), entered(os.path.realpath(source)) as old, entered(root) as new:
        _files(old, new, copier, linker)
        while old:
            here, there = old.here, new.here
            if here.names:
                name = here.names.pop()
                try:
                    os.mkdir(name, 0o700, dir_fd=there.descriptor)
                    old.down(name)
                    new.down(name)
                except OSError as error:
                    raise located(error, f"{old.path}/{name}") from None
                _files(old, new, copier, linker)
                continue
            if len(old) > 1:  # the root has its own
                mode = os.fstat(here.descriptor).st_mode
                os.fchmod(there.descriptor, mode & 0o777 | 0o700)
            for way in (old, new):
                way.look_back()
                way.up()
    return Duplicated(cloned=copier.cloned, copied=copier.copied, linked=linker.linked)


def _files(old: Descent, new: Descent, copier: Copier, linker: _Linker) -> None:
    """Copy what is no directory from where one is to where the other one is."""
    source, target = old.here.descriptor, new.here.descriptor
    may_link = _PACKAGES in f"{old.path}/"
    for name, is_file in old.here.files:
        try:
            if is_file:
                _file(name, source, target, copier, linker if may_link else None)
            elif stat.S_ISLNK(os.lstat(name, dir_fd=source).st_mode):
                os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        except OSError as error:
            raise located(error, f"{old.path}/{name}") from None


def _file(name: str, source: int, target: int, copier: Copier, linker: _Linker | None) -> None:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    reading = os.open(name, flags, dir_fd=source)
    try:
        info = os.fstat(reading)
        if not stat.S_ISREG(info.st_mode):
            return
        if linker and linker.links and linker.link(name, info, source, target):
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        writing = os.open(name, flags, info.st_mode & 0o777, dir_fd=target)
        try:
            copier.content(reading, writing)
            os.utime(writing, ns=(info.st_atime_ns, info.st_mtime_ns))
        finally:
            os.close(writing)
    finally:
        os.close(reading)

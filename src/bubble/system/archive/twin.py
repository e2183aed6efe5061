"""Files of a tree that was unpacked before, for whoever unpacks one that is nearly the same.

What nobody writes to may be one file on the disk: by a reflink where the file system clones
(Btrfs, XFS), else by a hard link. A file is taken only if it belongs to this user, has the very
mode that is wanted, which lets nobody write to it, lies on the same file system, and has, byte for
byte, what the archive has there. Everything else is written, as if there were no such tree.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from bubble.system.below import Below
from bubble.system.copies import FICLONE, NO_REFLINKS, linked, same_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Known = Mapping[str, tuple[int, int, int]]  # path → mode, size, CRC-32

_WRITABLE = 0o222
_ABOUT_ONE = {errno.ENOENT, errno.EEXIST, errno.EMLINK}  # and not about the next file
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Twin:
    """The tree at `prefix` (absolute), with what is `known` of its files.

    What is known only says where a look is worth it: what is shared is compared. Without `links`
    only reflinks are made. Counts the files and bytes that were `shared`; `extract` closes it.
    """

    def __init__(self, prefix: str, known: Known, *, links: bool) -> None:
        self.shared = self.bytes = 0
        self._known = known
        self._links = links
        self._clones = os.uname().sysname == "Linux"
        self._owner = os.geteuid()
        self._below = Below(prefix)

    def close(self) -> None:
        """Close every descriptor."""
        self._below.close()

    def may_have(self, path: str, size: int) -> bool:
        """Whether a file of this path and size may be there."""
        found = self._known.get(path)
        return found is not None and found[1] == size

    def give(
        self,
        path: str,
        row: tuple[int, int, int],
        content: bytes | int,
        directory: int,
        name: str,
    ) -> bool:
        """Make the new file `name` in a directory from ours at `path`; whether it was made.

        `row` is the mode, size and CRC-32 that it must have, `content` its bytes, or a descriptor
        of a file that has them. Whatever is in the way, nothing is made.
        """
        if self._known.get(path) != row or row[0] & _WRITABLE or not (self._links or self._clones):
            return False
        try:
            above, _, base = path.rpartition("/")
            source = os.open(base, _READ, dir_fd=self._below.directory(above))
        except OSError:
            return False  # it was removed, or is something else by now
        try:
            info = os.fstat(source)
            if not stat.S_ISREG(info.st_mode) or info.st_uid != self._owner:
                return False
            if (stat.S_IMODE(info.st_mode), info.st_size) != row[:2]:
                return False
            given = self._clones and self._clone(source, content, row[0], directory, name)
            if not self._clones and self._links and same_content(source, content):
                given = self._link(path, info, directory, name)
        except OSError:
            return False
        finally:
            os.close(source)
        if given:
            self.shared += 1
            self.bytes += row[1]
        return given

    def _clone(
        self, source: int, content: bytes | int, mode: int, directory: int, name: str
    ) -> bool:
        """Make a file of its own with the same blocks; what it has by then is compared."""
        file = os.open(name, _CREATE, 0o600, dir_fd=directory)
        try:
            fcntl.ioctl(file, FICLONE, source)
            if same_content(file, content):
                os.fchmod(file, mode)
                return True
        except OSError as error:
            if error.errno in NO_REFLINKS:
                self._clones = False
        finally:
            os.close(file)
        os.unlink(name, dir_fd=directory)
        return False

    def _link(self, path: str, compared: os.stat_result, directory: int, name: str) -> bool:
        """Give what was compared another name."""
        place, _, base = path.rpartition("/")
        try:
            if linked(compared, base, self._below.directory(place), name, directory):
                return True
            self._links = False
        except OSError as error:
            if error.errno not in _ABOUT_ONE:  # no links here, or between here and there
                self._links = False
        return False

"""Copies of files that share nothing with what they are copied from but blocks on the disk.

By reflinks where the file system clones (Btrfs, XFS, …): the kernel separates them at the first
write. Never by hard links: these hand on the owner, the mode and the content.
"""

from __future__ import annotations

import errno
import fcntl
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

FICLONE = 0x40049409  # linux/fs.h; _IOW(0x94, 9, int) is another number on MIPS, PowerPC, SPARC
NO_REFLINKS = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EXDEV, errno.ENOSYS}
_NO_SENDFILE = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_MOST = 1 << 30  # bytes at a time, in the kernel
_CHUNK = 1 << 20


def same_content(file: int, content: bytes | int) -> bool:
    """Whether a file has exactly this content; a descriptor stands for that of another file."""
    at = 0
    while True:
        block = os.pread(file, _CHUNK, at)
        if isinstance(content, int):
            expected = os.pread(content, _CHUNK, at)
        else:
            expected = content[at : at + _CHUNK]
        if block != expected:
            return False
        if not block:
            return True
        at += len(block)


def linked(info: os.stat_result, name: str, source: int, new: str, target: int) -> bool:
    """Give a file (`info`) another name: that, and not what `name` may lead to by now.

    Names are in the directories of the descriptors before and behind them. False, and nothing is
    made, where it would be another file: overlayfs copies what lies in a lower layer. Raises
    OSError.
    """
    os.link(name, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    made = os.stat(new, dir_fd=target, follow_symlinks=False)
    if (made.st_dev, made.st_ino) == (info.st_dev, info.st_ino):
        return True
    os.unlink(new, dir_fd=target)
    return False


class Copier:
    """Copies contents from one file system to one other; counts the `cloned` and the `copied`."""

    def __init__(self) -> None:
        # elsewhere the number means something else, and `sendfile` wants a socket
        self._may_clone = self._may_send = os.uname().sysname == "Linux"
        self.cloned = self.copied = 0

    def content(self, reading: int, writing: int) -> None:
        """Copy what the descriptor `reading` has into the new, empty file `writing`."""
        if self._may_clone:
            try:
                fcntl.ioctl(writing, FICLONE, reading)
            except OSError as error:
                if error.errno not in NO_REFLINKS:
                    raise
                self._may_clone = False
            else:
                self.cloned += 1
                return
        self.copied += 1
        if self._may_send and self._send(reading, writing):
            return
        while data := os.read(reading, _CHUNK):
            view = memoryview(data)
            while view:
                view = view[os.write(writing, view) :]

    def _send(self, reading: int, writing: int) -> bool:
        try:
            while os.sendfile(writing, reading, None, _MOST):
                pass
        except OSError as error:
            if error.errno not in _NO_SENDFILE:
                raise
            self._may_send = False
        return self._may_send


class umask:  # noqa: N801 - used as a function
    """Let what is made inside `with` have the modes that are asked for, less these bits.

    Not the caller's: what was made under 077 would be unreadable for whoever shares it.
    """

    def __init__(self, mask: int) -> None:
        self._mask = mask
        self._before = mask

    def __enter__(self) -> None:
        self._before = os.umask(self._mask)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.umask(self._before)

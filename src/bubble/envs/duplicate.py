"""Copying an environment's tree, sharing what can be shared.

Where the file system clones files (reflinks: Btrfs, XFS, …), all of them are. Elsewhere, what an
installer put there and listed in a RECORD is hard-linked, since installers replace such files and
never write into them, and so is byte code, which the import system replaces as well. Everything
else is copied: scripts, configuration, what editing is meant for, what appeared at run time.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from bubble.envs.relocate import site_packages
from bubble.model.record import Record
from bubble.system.files import read_text

_FICLONE = 0x40049409  # linux/fs.h; _IOW(0x94, 9, int) is another number on MIPS, PowerPC, SPARC
_NO_REFLINKS = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL, errno.EXDEV, errno.ENOSYS}
_OWN = ("RECORD", "direct_url.json", "INSTALLER", "REQUESTED")
_OWN_SUFFIXES = (".pth", ".egg-link")
_CHUNK = 1 << 20


class Duplicated(Record):
    """How many files were cloned (reflinks), hard-linked and copied."""

    cloned: int
    linked: int
    copied: int


def duplicate(source: str, root: str) -> Duplicated:
    """Copy the tree at `source` into the empty directory `root` (both absolute).

    Modes and times stay, links stay links, what is no file, link or directory is left out. Raises
    OSError.
    """
    copier = _Copier(source, root, _shareable(source))
    copier.directory("")
    return Duplicated(cloned=copier.cloned, linked=copier.linked, copied=copier.copied)


class _Copier:
    def __init__(self, source: str, root: str, shareable: set[str]) -> None:
        self._source = source
        self._root = root
        self._shareable = shareable
        self._may_link = True
        self._may_clone = hasattr(fcntl, "ioctl") and os.uname().sysname == "Linux"
        self.cloned = self.linked = self.copied = 0

    def directory(self, inside: str) -> None:
        """Copy what is in the directory `inside` ("" or with a final slash)."""
        with os.scandir(f"{self._source}/{inside}") as entries:
            found = list(entries)
        in_cache = inside.endswith("/__pycache__/") and inside.startswith("lib/")
        for entry in found:
            path = f"{inside}{entry.name}"
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), f"{self._root}/{path}")
            elif entry.is_dir():
                os.mkdir(f"{self._root}/{path}")
                self.directory(f"{path}/")
                os.chmod(f"{self._root}/{path}", entry.stat().st_mode & 0o777 | 0o700)
            elif entry.is_file():
                self._file(path, shared=in_cache or path in self._shareable)

    def _file(self, path: str, *, shared: bool) -> None:
        source, target = f"{self._source}/{path}", f"{self._root}/{path}"
        if shared and not self._may_clone and self._may_link:
            try:
                os.link(source, target, follow_symlinks=False)
            except OSError as error:
                if error.errno in {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP}:
                    self._may_link = False  # another file system, or one without links
            else:
                self.linked += 1
                return
        self._copy(source, target)

    def _copy(self, source: str, target: str) -> None:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        reading = os.open(source, flags)
        try:
            info = os.fstat(reading)
            if not stat.S_ISREG(info.st_mode):
                return
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            writing = os.open(target, flags, info.st_mode & 0o777)
            try:
                self._content(reading, writing)
                os.utime(writing, ns=(info.st_atime_ns, info.st_mtime_ns))
            finally:
                os.close(writing)
        finally:
            os.close(reading)

    def _content(self, reading: int, writing: int) -> None:
        if self._may_clone:
            try:
                fcntl.ioctl(writing, _FICLONE, reading)
            except OSError as error:
                if error.errno not in _NO_REFLINKS:
                    raise
                self._may_clone = False
            else:
                self.cloned += 1
                return
        self.copied += 1
        while data := os.read(reading, _CHUNK):
            view = memoryview(data)
            while view:
                view = view[os.write(writing, view) :]


def _shareable(source: str) -> set[str]:
    """Return the files, relative to `source`, that the RECORDs list in site-packages."""
    found: set[str] = set()
    for directory in site_packages(source):
        for name in os.listdir(f"{source}/{directory}"):
            if not name.endswith(".dist-info"):
                continue
            text = read_text(f"{source}/{directory}/{name}/RECORD", 1 << 26) or ""
            # a quoted path has a comma in it, and one with `..` is a script: both are copied
            paths = [line.partition(",")[0] for line in text.splitlines()]
            found.update(
                f"{directory}/{path}"
                for path in paths
                if path[:1] not in {'"', "/", "."} and not _is_own(path)
            )
    return found


def _is_own(path: str) -> bool:
    """Whether a listed file belongs to one environment alone: its own metadata, editable text."""
    name = path.rpartition("/")[2]
    return name in _OWN or name.endswith(_OWN_SUFFIXES) or name.startswith("__editable__")

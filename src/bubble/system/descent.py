"""The way into a directory tree and out again, by descriptors, without following a link.

However deep a tree is, few descriptors are open at once, nothing recurses, and no path is too long.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = 32  # directories that are open at once


class Level:
    """A directory on the way down: open, unless it lies far above; what is in it, as read once."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self.descriptor = descriptor
        info = os.fstat(descriptor)
        self.key = (info.st_dev, info.st_ino)
        self.names: list[str] = []  # of directories
        self.files: list[tuple[str, bool]] = []  # of all else, and whether it is a regular file
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    self.names.append(entry.name)
                else:
                    self.files.append((entry.name, entry.is_file(follow_symlinks=False)))


class Descent:
    """A way into a tree and out again, by descriptors of which at most `_OPEN` are open.

    `directory` is a descriptor of the one that `path` (absolute) lies in.
    """

    def __init__(self, directory: int, path: str) -> None:
        self._directory = directory
        self._parent, self.first = os.path.split(path)
        self._levels: list[Level] = []

    def __len__(self) -> int:
        return len(self._levels)

    @property
    def here(self) -> Level:
        """The deepest directory."""
        return self._levels[-1]

    @property
    def path(self) -> str:
        """The absolute path of where one is; it may be longer than the system takes."""
        return "/".join([self._parent, *(level.name for level in self._levels)])

    @property
    def above(self) -> int:
        """The descriptor of the directory that the deepest one lies in."""
        return self._levels[-2].descriptor if len(self._levels) > 1 else self._directory

    def down(self, name: str, *, writable: bool = False) -> Level:
        """Go into the directory `name`; `writable`: make it so, if it is ours."""
        parent = self.here.descriptor if self._levels else self._directory
        descriptor = open_directory(name, parent, writable=writable)
        try:
            self._levels.append(Level(name, descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        if len(self._levels) > _OPEN:
            far = self._levels[-1 - _OPEN]
            os.close(far.descriptor)
            far.descriptor = -1
        return self.here

    def look_back(self) -> None:
        """Open the directory above again, if it isn't; OSError if it is no longer the same."""
        if len(self._levels) > 1 and self.above < 0:
            above = self._levels[-2]
            above.descriptor = os.open("..", DIRECTORY, dir_fd=self.here.descriptor)
            info = os.fstat(above.descriptor)
            if (info.st_dev, info.st_ino) != above.key:  # somebody moved what we are in
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), self.path)

    def up(self) -> None:
        """Leave the deepest directory; `look_back` comes first."""
        os.close(self._levels.pop().descriptor)

    def close(self) -> None:
        """Close what is open."""
        for level in self._levels:
            if level.descriptor >= 0:
                os.close(level.descriptor)
        self._levels.clear()


class entered:  # noqa: N801 - used as a function
    """Give a way into a tree that is in its first directory, at a path (absolute)."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._above = -1
        self._descent: Descent | None = None

    def __enter__(self) -> Descent:
        self._above = os.open(os.path.dirname(self._path), DIRECTORY & ~os.O_NOFOLLOW)
        self._descent = Descent(self._above, self._path)
        try:
            self._descent.down(self._descent.first)
        except BaseException:
            self.__exit__()
            raise
        return self._descent

    def __exit__(self, *_: object) -> None:
        if self._descent:
            self._descent.close()
        os.close(self._above)


def directories(path: str, closed: list[str]) -> Iterator[Descent]:
    """Go into `path` and every directory below, and yield the way in each; `closed` gets the rest.

    The rest are those that may not be read.
    """
    try:
        above = os.open(os.path.dirname(path), DIRECTORY & ~os.O_NOFOLLOW)
    except OSError:
        return
    descent = Descent(above, path)
    waiting = [[descent.first]]
    try:
        while waiting:
            if waiting[-1]:
                name = waiting[-1].pop()
                try:
                    here = descent.down(name)
                except PermissionError:
                    closed.append(f"{descent.path}/{name}")
                except OSError:
                    pass
                else:
                    yield descent
                    waiting.append(list(here.names))
                continue
            waiting.pop()
            if descent:
                descent.look_back()
                descent.up()
    finally:
        descent.close()
        os.close(above)


def open_directory(name: str, parent: int, *, writable: bool) -> int:
    """Open a directory, no link; if it is ours and shall be `writable`, give us what we need."""
    try:
        descriptor = os.open(name, DIRECTORY, dir_fd=parent)
    except PermissionError:
        if not writable or not hasattr(os, "O_PATH"):
            raise
        # not by its name, under which a link may lie by now
        handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            os.chmod(f"/proc/self/fd/{handle}", stat.S_IRWXU)
        finally:
            os.close(handle)
        descriptor = os.open(name, DIRECTORY, dir_fd=parent)
    if writable:
        info = os.fstat(descriptor)
        if info.st_mode & stat.S_IRWXU != stat.S_IRWXU and info.st_uid == os.geteuid():
            os.fchmod(descriptor, stat.S_IRWXU)
    return descriptor

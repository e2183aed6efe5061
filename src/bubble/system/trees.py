"""Directory trees: deleted and measured by descriptor, without following a link.

However deep a tree is, few descriptors are open at once and nothing recurses.
"""

from __future__ import annotations

import errno
import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = 32  # directories that are open at once
_GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS, ioctl_iflags(2)
_IMMUTABLE = 0x10 | 0x20  # FS_IMMUTABLE_FL, FS_APPEND_FL


class Obstacle(Record):
    """What keeps a tree from being deleted: where (absolute), and why, in words."""

    path: str
    why: str
    is_mount: bool = False
    is_fixed: bool = False  # immutable: not even root may


def remove_tree(path: str, directory: int | None = None, *, last: str = "") -> None:
    """Delete what `path` (absolute) names: a symlink itself, a file, or a whole directory.

    `directory` is a descriptor of the one that it lies in, for who must not reach it by name.
    `last` is the name of a file in it that goes when nothing else is left in it.
    What has vanished meanwhile is fine: two sweepers may work on the same tree. What can't be
    deleted doesn't keep the rest; the first such error is raised in the end, an OSError with the
    whole path. Raises BubbleError(store), and deletes nothing, when something is mounted below.
    """
    mounted = mount_below(path)
    if mounted:
        raise BubbleError(
            "store", f"{mounted} is mounted below {path}", hint=f"umount {mounted}, then try again"
        )
    if directory is not None:
        _remove(directory, path, last)
        return
    try:
        above = os.open(os.path.dirname(path), _DIRECTORY & ~os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        _remove(above, path, last)
    finally:
        os.close(above)


def obstacle(path: str) -> Obstacle | None:
    """Return the first thing for which `remove_tree` would fail, as far as a look can tell."""
    if mounted := mount_below(path):
        return Obstacle(path=mounted, why="it is mounted", is_mount=True)
    closed: list[str] = []
    for descent in _directories(path, closed):
        here = descent.here
        own = os.fstat(here.descriptor).st_uid == os.geteuid()  # then it is made writable
        writable = os.access(
            ".",
            os.W_OK | os.X_OK,
            dir_fd=here.descriptor,
            effective_ids=os.access in os.supports_effective_ids,
        )
        if (here.names or here.files) and not writable and not own:
            return Obstacle(path=descent.path, why="it belongs to another user")
        if _is_immutable(".", here.descriptor):
            return Obstacle(path=descent.path, why="it is immutable", is_fixed=True)
        for name, is_file in here.files:
            if is_file and _is_immutable(name, here.descriptor):
                return Obstacle(path=f"{descent.path}/{name}", why="it is immutable", is_fixed=True)
    for place in closed:
        if os.lstat(place).st_uid != os.geteuid():
            return Obstacle(path=place, why="it belongs to another user")
    return None


def mount_below(path: str) -> str:
    """Return a mount point at or below `path` (absolute), or ""; always "" where /proc isn't."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    for line in lines:
        point = unescaped(os.fsdecode(line.split(b" ", 5)[4]))
        if point == real or point.startswith(real + "/"):
            return point
    return ""


def size_of(path: str) -> int:
    """Return the bytes on disk of the files below `path`, each hard-linked one counted once."""
    total = 0
    seen: set[tuple[int, int]] = set()
    for descent in _directories(path, []):
        for name, _ in descent.here.files:
            try:
                info = os.lstat(name, dir_fd=descent.here.descriptor)
            except FileNotFoundError:
                continue
            if info.st_nlink > 1:
                if (info.st_dev, info.st_ino) in seen:
                    continue
                seen.add((info.st_dev, info.st_ino))
            total += info.st_blocks * 512
    return total


class _Level:
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


class _Descent:
    """A way into a tree and out again, by descriptors of which at most `_OPEN` are open.

    `directory` is a descriptor of the one that `path` (absolute) lies in.
    """

    def __init__(self, directory: int, path: str) -> None:
        self._directory = directory
        self._parent, self.first = os.path.split(path)
        self._levels: list[_Level] = []

    def __bool__(self) -> bool:
        return bool(self._levels)

    @property
    def here(self) -> _Level:
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

    def down(self, name: str, *, writable: bool = False) -> _Level:
        """Go into the directory `name`; `writable`: make it so, if it is ours."""
        parent = self.here.descriptor if self._levels else self._directory
        descriptor = _open_directory(name, parent, writable=writable)
        try:
            self._levels.append(_Level(name, descriptor))
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
            above.descriptor = os.open("..", _DIRECTORY, dir_fd=self.here.descriptor)
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


def _directories(path: str, closed: list[str]) -> Iterator[_Descent]:
    """Go into `path` and every directory below, and yield the way in each; `closed` gets the rest.

    The rest are those that may not be read.
    """
    try:
        above = os.open(os.path.dirname(path), _DIRECTORY & ~os.O_NOFOLLOW)
    except OSError:
        return
    descent = _Descent(above, path)
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


def _remove(parent: int, path: str, last: str) -> None:
    name = os.path.basename(path)
    try:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=parent).st_mode):
            os.unlink(name, dir_fd=parent)
            return
    except FileNotFoundError:
        return
    except OSError as error:
        raise located(error, path) from None
    failure: OSError | None = None
    descent = _Descent(parent, path)
    try:
        for another in _removal(descent, last):
            failure = failure or another
    finally:
        descent.close()
    if failure:
        raise failure


def _removal(descent: _Descent, last: str) -> Iterator[OSError]:
    """Delete a directory, deepest first; yield what can't be deleted, with its whole path."""
    failed = False
    for error in _into(descent, descent.first, last):
        failed = True
        yield error
    top = descent.here if descent else None
    while descent:
        here = descent.here
        if here.names:
            for error in _into(descent, here.names.pop()):
                failed = True
                yield error
            continue
        descent.look_back()
        try:
            if here is top and last and not failed:
                _ignore_missing(os.unlink, last, here.descriptor)
            _ignore_missing(os.rmdir, here.name, descent.above)
        except OSError as error:
            failed = True
            yield located(error, descent.path)
        descent.up()


def _into(descent: _Descent, name: str, spared: str = "") -> Iterator[OSError]:
    """Go into a directory and delete its files but the one that is `spared`."""
    try:
        here = descent.down(name, writable=True)
    except FileNotFoundError:
        return
    except OSError as error:
        yield located(error, f"{descent.path}/{name}")
        return
    for file, _ in here.files:
        if file == spared:
            continue
        try:
            _ignore_missing(os.unlink, file, here.descriptor)
        except OSError as error:
            yield located(error, f"{descent.path}/{file}")


def _ignore_missing(action: Callable[..., None], name: str, directory: int) -> None:
    try:
        action(name, dir_fd=directory)
    except FileNotFoundError:
        pass


def located(error: OSError, path: str) -> OSError:
    """Return an error of a call below a descriptor as one that says where, in whole."""
    return OSError(error.errno, error.strerror, path)


def _open_directory(name: str, parent: int, *, writable: bool) -> int:
    """Open a directory, no link; if it is ours and shall be `writable`, give us what we need."""
    try:
        descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    except PermissionError:
        if not writable or not hasattr(os, "O_PATH"):
            raise
        # not by its name, under which a link may lie by now
        handle = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            os.chmod(f"/proc/self/fd/{handle}", stat.S_IRWXU)
        finally:
            os.close(handle)
        descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    if writable:
        info = os.fstat(descriptor)
        if info.st_mode & stat.S_IRWXU != stat.S_IRWXU and info.st_uid == os.geteuid():
            os.fchmod(descriptor, stat.S_IRWXU)
    return descriptor


def _is_immutable(name: str, directory: int) -> bool:
    """Whether a file or directory has the flag with which not even root may delete it (Linux)."""
    import fcntl

    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=directory)
    except OSError:
        return False
    try:
        found = fcntl.ioctl(descriptor, _GET_FLAGS, b"\0" * 8)
    except OSError:  # a file system without flags
        return False
    finally:
        os.close(descriptor)
    return bool(found[0] & _IMMUTABLE)


def unescaped(field: str) -> str:
    """Undo the octal escapes of a field of /proc/self/mountinfo or fstab(5)."""
    for character in (" ", "\t", "\n", "\\"):
        field = field.replace(f"\\{ord(character):03o}", character)
    return field

"""Directory trees: deleted and measured by descriptor, without following a link.

However deep a tree is, few descriptors are open at once and nothing recurses.
"""

from __future__ import annotations

import errno
import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.system.descent import DIRECTORY, Descent, directories

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Names = dict[tuple[int, int], list[int]]  # device, number → names not seen yet, bytes

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
    from bubble.system.mounts import mount_below  # lazily: everyday commands delete no tree

    mounted = mount_below(path)
    if mounted:
        raise BubbleError(
            "store", f"{mounted} is mounted below {path}", hint=f"umount {mounted}, then try again"
        )
    if directory is not None:
        _remove(directory, path, last)
        return
    try:
        above = os.open(os.path.dirname(path), DIRECTORY & ~os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        _remove(above, path, last)
    finally:
        os.close(above)


def obstacle(path: str) -> Obstacle | None:
    """Return the first thing for which `remove_tree` would fail, as far as a look can tell."""
    from bubble.system.mounts import mount_below

    if mounted := mount_below(path):
        return Obstacle(path=mounted, why="it is mounted", is_mount=True)
    closed: list[str] = []
    for descent in directories(path, closed):
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


def size_of(path: str) -> int:
    """Return the bytes on disk of the files below `path`, each hard-linked one counted once."""
    return sizes_of(path)[0]


def sizes_of(path: str) -> tuple[int, int]:
    """Return the bytes on disk below `path`, and those in files that have names elsewhere."""
    names: Names = {}
    alone, shared = _measured(path, names)
    return alone + shared, sum(size for left, size in names.values() if left > 0)


def freed_by(path: str, names: Names | None = None) -> int:
    """Return the bytes that are free when `path` has gone: not what has names elsewhere.

    One dictionary of `names` for several trees, which go one after the other, gives each what is
    freed by then.
    """
    names = {} if names is None else names
    before = {key: left for key, (left, _) in names.items()}
    alone, _ = _measured(path, names)
    gone = (s for key, (left, s) in names.items() if left == 0 and before.get(key) != 0)
    return alone + sum(gone)


def _measured(path: str, names: Names) -> tuple[int, int]:
    """Return the bytes of files with one name, and of others, each of which is counted once.

    `names` has how many names of each such file haven't been seen, and its bytes.
    """
    alone = shared = 0
    for descent in directories(path, []):
        for name, _ in descent.here.files:
            try:
                info = os.lstat(name, dir_fd=descent.here.descriptor)
            except FileNotFoundError:
                continue
            size = info.st_blocks * 512
            if info.st_nlink == 1:
                alone += size
                continue
            seen = names.get((info.st_dev, info.st_ino))
            if seen is None:
                seen = names[info.st_dev, info.st_ino] = [info.st_nlink, size]
                shared += size
            seen[0] -= 1
    return alone, shared


def walk(path: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each directory at and below `path`, the names of those in it, and all other names.

    As `os.walk`, which recurses before Python 3.12. What can't be read is passed over, and so is
    what has too long a path.
    """
    waiting = [] if os.path.islink(path) else [path]
    while waiting:
        place = waiting.pop()
        below: list[str] = []
        others: list[str] = []
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    is_directory = entry.is_dir(follow_symlinks=False)
                    (below if is_directory else others).append(entry.name)
        except OSError:
            continue
        waiting += [f"{place}/{name}" for name in below]
        yield place, below, others


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
    descent = Descent(parent, path)
    try:
        for another in _removal(descent, last):
            failure = failure or another
    finally:
        descent.close()
    if failure:
        raise failure


def _removal(descent: Descent, last: str) -> Iterator[OSError]:
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


def _into(descent: Descent, name: str, spared: str = "") -> Iterator[OSError]:
    """Go into a directory and delete its files but the one that is `spared`."""
    try:
        here = descent.down(name, writable=True)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno != errno.ESTALE:  # as below
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
    except OSError as error:
        if error.errno != errno.ESTALE:  # another machine has deleted it, or what it was in
            raise


def located(error: OSError, path: str) -> OSError:
    """Return an error of a call below a descriptor as one that says where, in whole."""
    return OSError(error.errno, error.strerror, path)


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

"""Directory trees: deleted by descriptor, without following a link or crossing a mount."""

from __future__ import annotations

import os
import stat

from bubble.model.errors import BubbleError

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: str, directory: int | None = None) -> None:
    """Delete what `path` (absolute) names: a symlink itself, a file, or a whole directory.

    `directory` is a descriptor of the one that it lies in, for who must not reach it by name.
    What has vanished meanwhile is fine: two sweepers may work on the same tree. Raises
    BubbleError(store) when something is mounted below, and OSError as it comes.
    """
    mounted = mount_below(path)
    if mounted:
        raise BubbleError(
            "store", f"{mounted} is mounted below {path}", hint=f"umount {mounted}, then try again"
        )
    parent, name = os.path.split(path)
    if directory is not None:
        _remove(directory, name)
        return
    try:
        descriptor = os.open(parent, _DIRECTORY & ~os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        _remove(descriptor, name)
    finally:
        os.close(descriptor)


def mount_below(path: str) -> str:
    """Return a mount point at or below `path` (absolute), or ""; always "" where /proc isn't."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    for line in lines:
        point = os.fsdecode(_unescape(line.split(b" ", 5)[4]))
        if point == real or point.startswith(real + "/"):
            return point
    return ""


def size_of(path: str) -> int:
    """Return the bytes on disk below `path`, each hard-linked file counted once."""
    total = 0
    seen: set[tuple[int, int]] = set()
    for directory, _, names in os.walk(path):
        for name in names:
            try:
                info = os.lstat(f"{directory}/{name}")
            except FileNotFoundError:
                continue
            if info.st_nlink > 1:
                if (info.st_dev, info.st_ino) in seen:
                    continue
                seen.add((info.st_dev, info.st_ino))
            total += info.st_blocks * 512
    return total


def _remove(parent: int, name: str) -> None:
    try:
        info = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(info.st_mode):
        _ignore_missing(os.unlink, name, parent)
        return
    try:
        if info.st_mode & stat.S_IRWXU != stat.S_IRWXU:
            os.chmod(name, stat.S_IRWXU, dir_fd=parent)
        descriptor = os.open(name, _DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        return
    try:
        with os.scandir(descriptor) as entries:
            names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        for child, is_directory in names:
            if is_directory:
                _remove(descriptor, child)
            else:
                _ignore_missing(os.unlink, child, descriptor)
    finally:
        os.close(descriptor)
    _ignore_missing(os.rmdir, name, parent)


def _ignore_missing(action: object, name: str, parent: int) -> None:
    assert callable(action)
    try:
        action(name, dir_fd=parent)
    except FileNotFoundError:
        pass


def _unescape(field: bytes) -> bytes:
    """Undo the octal escapes of /proc/self/mountinfo."""
    for raw in (b" ", b"\t", b"\n", b"\\"):
        field = field.replace(b"\\%03o" % raw[0], raw)
    return field

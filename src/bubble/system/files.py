"""Small files, written so that a reader sees the old or the new one, never half of one."""

from __future__ import annotations

import errno
import os

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# of what lies in the store: others may use it, whatever umask its owner has; who must not, is kept
# out by the directory above it
DIRECTORY_MODE = 0o755
FILE_MODE = 0o644


def make_directory(path: str) -> None:
    """Make a directory of the store, and those above it, as others may use them. Raises OSError."""
    os.makedirs(path, mode=DIRECTORY_MODE, exist_ok=True)
    status = os.stat(path)
    if status.st_mode & DIRECTORY_MODE != DIRECTORY_MODE and status.st_uid == os.geteuid():
        os.chmod(path, status.st_mode & 0o7777 | DIRECTORY_MODE)


# what a file system without hard links says of one, or one that can't have more of them
NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def link_new(target: str, path: str, directory: int | None = None) -> None:
    """Make a symbolic link in a new directory of ours; `path` is absolute or in the descriptor's.

    Raises FileExistsError, BubbleError(store) where the file system has no such links, OSError.
    """
    try:
        os.symlink(target, path, dir_fd=directory)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        raise BubbleError(
            "store",
            "the file system there has no symbolic links, of which all that bubble makes has some",
            hint="choose another disk: BUBBLE_HOME, or another directory for the project",
        ) from None


def write_atomic(path: str, data: bytes, mode: int = FILE_MODE, *, durable: bool = False) -> None:
    """Replace `path` by `data` in one step; `durable` also survives a power cut.

    The umask takes nothing from `mode`, which is what others need to use the store.
    The temporary file lies beside `path` and is removed on any failure. Raises OSError.
    """
    directory, name = os.path.split(path)
    temporary = f"{directory}/.{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o600)
        try:
            _give(descriptor, mode)
            write_all(descriptor, data)
            if durable:
                flush(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except BaseException:
        unlink_quietly(temporary)
        raise
    if durable:
        fsync_directory(directory)


def write_new(path: str, text: str, mode: int = FILE_MODE) -> None:
    """Write a file that isn't there yet, with a mode that the umask has its say in."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, mode)
    try:
        write_all(descriptor, os.fsencode(text))
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, which may take several calls. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _give(descriptor: int, mode: int) -> None:
    if os.fstat(descriptor).st_mode & 0o777 != mode:
        try:
            os.fchmod(descriptor, mode)
        except PermissionError:
            pass  # FAT and its like have one mode for all


def replace_file(
    path: str,
    data: bytes | Callable[[int], object],
    mode: int | None = None,
    owner: tuple[int, int] | None = None,
    *,
    new: bool = False,
) -> None:
    """Replace a file that may be a user's own in one step, durably.

    `data` is its content, or writes that to a descriptor, which may be read and written anywhere.
    It gets exactly this mode, or what the umask leaves of 0666, and the `owner` (user, group) if
    that is allowed. Takes away what killed writers of the same file left beside it, since nobody
    else looks there. `new`: it must not be there yet (FileExistsError). Raises OSError.
    """
    import fcntl

    directory, name = os.path.split(path)
    for leftover in temporaries(directory, name):
        unlink_unlocked(leftover)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        temporary = f"{directory}/.{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
        descriptor = os.open(temporary, flags, 0o666 if mode is None else 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # says that its writer lives
        if os.fstat(descriptor).st_nlink:
            break
        os.close(descriptor)  # another writer took it away between the two calls
    try:
        if isinstance(data, bytes):
            write_all(descriptor, data)
        else:
            data(descriptor)
        if owner and owner != (os.geteuid(), os.getegid()):
            try:
                os.fchown(descriptor, *owner)
            except PermissionError:
                pass  # a group that this user isn't in any more
        if mode is not None:
            os.fchmod(descriptor, mode)
        flush(descriptor)
        if new:
            _name_new(temporary, path)
        else:
            os.rename(temporary, path)
    except BaseException:
        unlink_quietly(temporary)
        raise
    finally:
        os.close(descriptor)
    fsync_directory(directory)


def _name_new(temporary: str, path: str) -> None:
    """Give a file its name, unless something has it: in one step, where the system can."""
    from bubble.system.kernel import rename_new

    if rename_new(temporary, path):
        return
    if os.path.lexists(path):
        raise FileExistsError(path)
    os.rename(temporary, path)


def unlink_unlocked(path: str) -> bool:
    """Delete a file unless a process has locked it (flock); whether it is gone. Raises OSError."""
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except BlockingIOError:
        return False
    except FileNotFoundError:
        pass
    finally:
        os.close(descriptor)
    return True


def link_atomic(target: str, path: str) -> None:
    """Make `path` a symlink to `target` in one step, replacing a link or file that is there."""
    directory, name = os.path.split(path)
    temporary = f"{directory}/.{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    os.symlink(target, temporary)
    try:
        os.rename(temporary, path)
    except BaseException:
        unlink_quietly(temporary)
        raise


def names_in(directory: str) -> list[str]:
    """Return the names in a directory, sorted; none where it can't be read."""
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def is_temporary(name: str) -> bool:
    """Whether a directory entry is what a killed writer of this module left behind."""
    return name.startswith(".") and name.endswith(".tmp")


def writer_of(name: str) -> int:
    """Return the process that writes a temporary file, by its name; 0 where that tells none."""
    words = name.split(".")[:-1]
    if len(words[-1]) == 8 and len(words) > 2 and words[-2].isdigit():
        words.pop()
    return int(words[-1]) if words[-1].isdigit() else 0


def is_alive(process: int) -> bool:
    """Whether there is a process of that number; there is none of number 0."""
    if not process:
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def temporaries(directory: str, name: str) -> list[str]:
    """Return the paths of what writers of the file `name`, live or killed, have in a directory."""
    prefix = f".{name}."
    return [
        f"{directory}/{entry}"
        for entry in os.listdir(directory)
        # what `write_atomic` calls them: `.a` isn't what writes `a.b`
        if entry.startswith(prefix) and _is_written_by_us(entry[len(prefix) :])
    ]


def _is_written_by_us(rest: str) -> bool:
    process, _, rest = rest.partition(".")
    return process.isdigit() and rest.endswith(".tmp") and rest.count(".") == 1


def read_text(path: str, limit: int = 1 << 20) -> str | None:
    """Return the text of a regular file of at most `limit` bytes, None when there is none."""
    try:  # not by `open`, which takes ten times as long: a listing reads a thousand of them
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        data = more = os.read(descriptor, min(limit, 8192))
        while more and len(data) < limit:
            more = os.read(descriptor, min(limit - len(data), 1 << 16))
            data += more
    except IsADirectoryError:
        return None
    finally:
        os.close(descriptor)
    return data.decode("utf-8", "surrogateescape")


def fast_digest(data: bytes, size: int) -> str:
    """Return a digest of `size` bytes, in hex, by which something is recognised.

    hashlib loads OpenSSL, which takes longer than most of what a digest is wanted for.
    """
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    return str(blake2b(data, digest_size=size).hexdigest())


def fast_sha256(data: bytes) -> str:
    """Return the sha256 of a few kilobytes in hex, without loading OpenSSL for them."""
    try:
        from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore] # since 3.12
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            from hashlib import sha256
    return str(sha256(data).hexdigest())


def sha256_of(path: str) -> str:
    """Return the sha256 of a regular file in hex, "" where there is none or it can't be read.

    A link is none, and nothing is waited for: what lies in a cache may be a pipe by now.
    """
    import hashlib
    import stat

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return ""
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def as_file_name(path: str) -> str:
    """Return a path as the name of one file, as the scripts in `shims/` make it, too."""
    return path.replace("%", "%25").replace("/", "%2F")


def from_file_name(name: str) -> str:
    """Return the path that `as_file_name` made a name from."""
    return name.replace("%2F", "/").replace("%25", "%")


def unlink_quietly(path: str) -> None:
    """Remove a file if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def fsync_directory(path: str) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def flush(descriptor: int) -> None:
    """Write out what was written, where the file system has a call for that.

    Some have none for a directory (EINVAL): what is done there is done, and isn't called failed.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
            raise

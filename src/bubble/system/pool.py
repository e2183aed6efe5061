"""Files that several trees have, each of which lies on the disk once: a directory of them, by name.

What has the name that a file would have here is no more than where a look is worth it: a file
becomes the pool's only after a comparison, byte for byte. By a reflink where the file system clones
(Btrfs, XFS); then owner, mode and content stay each one's own. Else by a hard link, which hands all
three on: so only between regular files of this user's that nobody may write to (0444, 0555), and
the pool's has to be one of these still. Whatever else is found under a name is replaced, or left.

A file that leaves the pool takes nothing from those who have it: each has a name, or blocks, of its
own. So nothing here needs a lock, and a kill leaves a file too many at most.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from bubble.model.errors import BubbleError
from bubble.system.copies import FICLONE, NO_REFLINKS, linked, same_content
from bubble.system.files import make_directory, write_all
from bubble.system.layout import is_everybodys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.system.layout import Layout

VARIABLE = "BUBBLE_SHARED_PACKAGES"
# modes that an installer gives, and what a file has that is shared by a link; what has another mode
# (0600, 0666) has it on purpose
_MODES = {
    0o644: 0o444,
    0o755: 0o555,
    0o664: 0o444,  # where everybody has a group of one's own
    0o775: 0o555,
    0o444: 0o444,
    0o555: 0o555,
}
# what people are told to write to in a package, or tools do: paths, certificates, configuration
_WRITTEN = (".pth", ".pem", ".crt", ".cfg", ".conf", ".ini", "rc")
READ_ONLY = frozenset(_MODES.values())
_GROUP_MAY_WRITE = 0o020
_SCRATCH = ".bubble-shared"  # in the tree that is filled, for one system call
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# and not about the next file; what is a directory can't be unlinked
_ABOUT_ONE = {errno.ENOENT, errno.EEXIST, errno.EMLINK, errno.EISDIR}
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def may_link(layout: Layout, env: Mapping[str, str]) -> bool | None:
    """Whether environments may share files by hard links; None where they shall share nothing.

    By itself where a mode keeps everybody from writing to them, and nobody can give them away: not
    root's. Raises BubbleError(usage).
    """
    said = env.get(VARIABLE, "")
    if said not in {"", "auto", "links", "none"}:
        raise BubbleError(
            "usage", f"{VARIABLE} must be auto, links or none", hint=f"unset {VARIABLE}"
        )
    if said == "none":
        return None
    if is_everybodys(layout, env):
        return False
    return said == "links" or os.geteuid() != 0


def pool_for(root: str, layout: Layout, env: Mapping[str, str]) -> Pool | None:
    """Return the store's pool, for a tree (absolute) that can share something; None for none.

    The caller closes it. Raises BubbleError(usage).
    """
    links = may_link(layout, env)
    if links is None:
        return None
    try:
        return Pool(layout.packages, root, links=links)
    except OSError:
        return None  # on another disk, or nothing that is ours


class Pool:
    """The pool at `path` (absolute), for the tree at `root`, which nobody else uses yet.

    Without `links` only reflinks are made. `is_of_use` ends where the file system has neither.
    Raises OSError where it has neither, where one is no directory that this user alone writes to,
    or they are on two disks.
    """

    def __init__(self, path: str, root: str, *, links: bool) -> None:
        self._links = links
        self._owner, self._group = os.geteuid(), os.getegid()
        self._root = os.open(root, _DIRECTORY)
        try:
            self._clones = os.uname().sysname == "Linux" and _may_clone(self._root)
            self._pool = self._open(path)
        except OSError:
            os.close(self._root)
            raise
        info = os.fstat(self._pool)
        is_own = info.st_uid == self._owner and not info.st_mode & 0o022
        if not is_own or info.st_dev != os.fstat(self._root).st_dev:
            self.close()
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)

    def _open(self, path: str) -> int:
        if not self.is_of_use:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), path)
        try:
            return os.open(path, _DIRECTORY)
        except FileNotFoundError:
            make_directory(path)
            return os.open(path, _DIRECTORY)

    def close(self) -> None:
        """Close every descriptor."""
        os.close(self._pool)
        os.close(self._root)

    @property
    def is_of_use(self) -> bool:
        """Whether anything can be shared here, as far as is known."""
        return self._clones or self._links

    @property
    def clones(self) -> bool:
        """Whether the file system clones files, as far as is known."""
        return self._clones

    def give(self, directory: int, name: str, key: str, content: int) -> bool:
        """Make a new file in a directory of the tree, if the pool's of that key is what it must be.

        `content` is a descriptor of a file with the content and mode that it must have.
        """
        info = os.fstat(content)
        if stat.S_IMODE(info.st_mode) not in _MODES:
            return False
        return self._taken(directory, name, key, info, content, new=True)

    def share(self, directory: int, name: str, key: str) -> os.stat_result | None:
        """Let a file in a directory of the tree be the pool's of that key, or the first one there.

        Returns what it is now, with the time of the pool's; None where it stays as it was. Raises
        OSError only for what the pool can't be blamed for.
        """
        own = os.open(name, _READ, dir_fd=directory)
        try:
            info = os.fstat(own)
            if not self._is_shareable(info):
                return None
            return self._shared(directory, name, key, info, own)
        finally:
            os.close(own)

    def share_new(self, directory: int, name: str, key: str, content: bytes) -> bool:
        """Let a file become the pool's of that key, if that has this content, else a new one.

        False where it stays as it was, since its mode or owner is its own.
        """
        info = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if not self._is_shareable(info):
            return False
        if not self._taken(directory, name, key, info, content):
            self.write(directory, name, content, info)
            self.share(directory, name, key)
        return True

    def write(self, directory: int, name: str, content: bytes, like: os.stat_result) -> None:
        """Replace a file of the tree by a new one with the mode and times that it had."""
        file = os.open(_SCRATCH, _CREATE, 0o600, dir_fd=self._root)
        try:
            write_all(file, content)
            os.fchmod(file, stat.S_IMODE(like.st_mode))
            os.utime(file, ns=(like.st_atime_ns, like.st_mtime_ns))
            os.rename(_SCRATCH, name, src_dir_fd=self._root, dst_dir_fd=directory)
        except OSError:
            self._drop_scratch()
            raise
        finally:
            os.close(file)

    def _is_shareable(self, info: os.stat_result) -> bool:
        mode = stat.S_IMODE(info.st_mode)
        return (
            stat.S_ISREG(info.st_mode)
            and info.st_uid == self._owner
            and info.st_nlink == 1
            and mode in _MODES
            and (not mode & _GROUP_MAY_WRITE or info.st_gid == self._group)
        )

    def _shared(
        self, directory: int, name: str, key: str, info: os.stat_result, own: int
    ) -> os.stat_result | None:
        if self._taken(directory, name, key, info, own):
            return os.stat(name, dir_fd=directory, follow_symlinks=False)
        if not self.is_of_use:
            return None
        return self._found(directory, name, key, info, own)

    def _taken(
        self,
        directory: int,
        name: str,
        key: str,
        info: os.stat_result,
        content: bytes | int,
        *,
        new: bool = False,
    ) -> bool:
        """Let a file be the pool's, if that is what it must be, and has the same content."""
        label = _label(key, info)
        try:
            theirs = os.open(label, _READ, dir_fd=self._pool)
        except OSError:
            return False
        try:
            pools = os.fstat(theirs)
            if (
                not stat.S_ISREG(pools.st_mode)
                or pools.st_uid != self._owner
                or stat.S_IMODE(pools.st_mode) != _MODES[stat.S_IMODE(info.st_mode)]
                or pools.st_size != (len(content) if isinstance(content, bytes) else info.st_size)
            ):
                return False
            if self._clones and self._clone(theirs, pools, content, info):
                os.rename(_SCRATCH, name, src_dir_fd=self._root, dst_dir_fd=directory)
                return True
            if self._clones or not self._links or not same_content(theirs, content):
                return False
            return self._link(label, pools, directory, name, new=new)
        except OSError as error:
            self._drop_scratch()
            self._give_up(error)
            return False
        finally:
            os.close(theirs)

    def _link(
        self, label: str, pools: os.stat_result, directory: int, name: str, *, new: bool
    ) -> bool:
        """Give what was compared another name."""
        at, made = (directory, name) if new else (self._root, _SCRATCH)
        if not linked(pools, label, self._pool, made, at):
            self._links = False
            return False
        if not new:
            os.rename(made, name, src_dir_fd=at, dst_dir_fd=directory)
        return True

    def _clone(
        self, theirs: int, pools: os.stat_result, content: bytes | int, info: os.stat_result
    ) -> bool:
        """Make a file with the blocks of the pool's in the scratch: a file of its own, as `info`.

        What it has by then is compared. Its time is that of the pool's.
        """
        file = os.open(_SCRATCH, _CREATE, 0o600, dir_fd=self._root)
        try:
            fcntl.ioctl(file, FICLONE, theirs)
            if same_content(file, content):
                os.fchmod(file, stat.S_IMODE(info.st_mode))
                os.utime(file, ns=(info.st_atime_ns, pools.st_mtime_ns))
                return True
        except OSError as error:
            if error.errno in NO_REFLINKS:
                self._clones = False
        finally:
            os.close(file)
        self._drop_scratch()
        return False

    def _found(
        self, directory: int, name: str, key: str, info: os.stat_result, own: int
    ) -> os.stat_result | None:
        """Put a file into the pool, in place of whatever has its name there."""
        label = _label(key, info)
        wanted = _MODES[stat.S_IMODE(info.st_mode)]
        try:
            try:
                os.unlink(label, dir_fd=self._pool)
            except FileNotFoundError:
                pass
            if self._clones and self._put_clone(label, own, wanted, info):
                return info
            if self._clones or not self._links:
                return None
            if not linked(info, name, directory, label, self._pool):
                self._links = False
                return None
            os.fchmod(own, wanted)
            return os.fstat(own)
        except OSError as error:
            self._give_up(error)
            return None

    def _put_clone(self, label: str, own: int, mode: int, info: os.stat_result) -> bool:
        file = os.open(label, _CREATE, 0o600, dir_fd=self._pool)
        try:
            fcntl.ioctl(file, FICLONE, own)
            os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))
            os.fchmod(file, mode)
        except OSError as error:
            os.unlink(label, dir_fd=self._pool)
            if error.errno not in NO_REFLINKS:
                raise
            self._clones = False
        finally:
            os.close(file)
        return self._clones

    def _give_up(self, error: OSError) -> None:
        if error.errno not in _ABOUT_ONE:  # a full disk, no links between here and there
            self._links = self._clones = False

    def _drop_scratch(self) -> None:
        try:
            os.unlink(_SCRATCH, dir_fd=self._root)
        except OSError:
            pass


def _may_clone(directory: int) -> bool:
    """Whether the file system clones files, as far as two that nobody sees can tell."""
    try:
        file = os.open(".", os.O_RDWR | os.O_TMPFILE, 0o600, dir_fd=directory)
    except OSError:
        return True
    other = -1
    try:
        other = os.open(".", os.O_RDWR | os.O_TMPFILE, 0o600, dir_fd=directory)
        fcntl.ioctl(other, FICLONE, file)
    except OSError as error:
        return error.errno not in NO_REFLINKS
    else:
        return True
    finally:
        os.close(file)
        if other >= 0:
            os.close(other)


def key_of(path: str, digest: str) -> str:
    """Return the name of a package's file, with a hash as RECORDs have it; "" for one of its own.

    That is what is written to, and what has no SHA-256.
    """
    from binascii import Error, a2b_base64, hexlify

    kind, _, value = digest.partition("=")
    if kind != "sha256" or path.endswith(_WRITTEN):
        return ""
    try:
        raw = a2b_base64(value.translate({45: 43, 95: 47}) + "=" * (-len(value) % 4))
    except (Error, ValueError):
        return ""
    return hexlify(raw).decode() if len(raw) == 32 else ""


def is_pooled(info: os.stat_result) -> bool:
    """Whether a file may be a pool's already: it has several names, and nobody may write to it."""
    return info.st_nlink > 1 and stat.S_IMODE(info.st_mode) in READ_ONLY


def _label(key: str, info: os.stat_result) -> str:
    return f"{key}.x" if info.st_mode & 0o100 else key

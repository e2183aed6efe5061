"""The files: everything is created below one directory descriptor, and nothing is ever reopened.

Directories and files are made with `mkdirat`/`openat` (O_EXCL, O_NOFOLLOW) relative to directories
that this object made; symbolic links are made when all files are there, so nothing can be written
through one. A name occurs once. Names that differ only in case are allowed (real builds have
`terminfo/A` and `terminfo/a`) unless the file system itself takes them for one.
"""

from __future__ import annotations

import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system.archive.model import Entry, Limits, refusal
from bubble.system.archive.rules import check_component, check_name, check_target
from bubble.system.files import NO_LINKS, link_new

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.archive.twin import Twin

MAX_DIRECTORIES = 48  # descriptors that are kept open

# what a name is; "implied" is a directory that was needed before (or without) a member of its own
IMPLIED, DIRECTORY, FILE, LINK = 1, 2, 3, 4

_DIRECTORY_MODE = 0o755
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_BESIDE = ".bubble-twin"  # what is to take the place of a file that was written
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree:
    """The members of an archive, by their names in it, and those of them that are written.

    `root` is the archive's one top directory; what lies below `base` (the root itself or a
    directory in it) is written to the destination. The rest is held to the same rules. Files that
    a `twin` has are shared with it.
    """

    def __init__(
        self, destination: str, root: str, base: str, limits: Limits, twin: Twin | None = None
    ) -> None:
        self._twin = twin
        self._top = f"{root}/"
        self._prefix = f"{base}/"
        self._limits = limits
        self._kinds = {root: IMPLIED, base: IMPLIED}
        self._written: dict[str, Entry] = {}
        self._links: list[tuple[str, str]] = []
        self._as_asked: dict[int, bool] = {}
        self._plain_directories: bool | None = None
        self._open: dict[str, int] = {}
        self._base = base
        self.entries: list[Entry] = []
        self._root = os.open(destination, _OPEN_DIRECTORY)
        if os.listdir(self._root):
            os.close(self._root)
            raise BubbleError("internal", "an archive is to be unpacked into a non-empty directory")

    def close(self) -> None:
        """Close every descriptor."""
        for descriptor in (self._root, *self._open.values()):
            os.close(descriptor)
        self._open.clear()

    def add_directory(self, name: str) -> None:
        """Take a directory; one that was implied before may follow, no other name twice."""
        if self._kinds.get(name) == IMPLIED:
            self._kinds[name] = DIRECTORY
            return
        self._claim(name, DIRECTORY)
        self._make_directory(name)

    def add_file(self, name: str, mode: int) -> int:
        """Take a regular file; return a descriptor to write to, or -1 if it isn't written."""
        parent, base = self._claim(name, FILE)
        if not name.startswith(self._prefix):
            return -1
        directory = self._open.get(parent)
        if directory is None:
            directory = self._directory(parent)
        try:
            file = os.open(base, _CREATE, mode, dir_fd=directory)
        except FileExistsError:
            raise self._collision(name) from None
        if self._as_asked.get(mode) is not True:
            try:
                self._set_mode(file, mode)
            except BaseException:
                os.close(file)
                raise
        return file

    def path_of(self, name: str) -> str:
        """Return the path that a member has in the destination, "" if it isn't written."""
        return name[len(self._prefix) :] if name.startswith(self._prefix) else ""

    def add_shared(self, name: str, mode: int, content: bytes, crc: int) -> bool:
        """Take a regular file if the twin has it; else it is still to be added."""
        path = self.path_of(name)
        if not self._twin or not path:
            return False
        parent, base = self._claim(name, FILE)
        row = (mode, len(content), crc)
        if not self._twin.give(path, row, content, self._directory(parent), base):
            del self._kinds[name]
            return False
        self.finish_file(name, *row)
        return True

    def finish_file(self, name: str, mode: int, size: int, crc: int) -> None:
        """Note what was written to the descriptor of `add_file`."""
        entry = Entry((name[len(self._prefix) :], "file", mode, size, crc, ""))
        self.entries.append(entry)
        self._written[name] = entry

    def share_written(self, name: str, mode: int, size: int, crc: int) -> None:
        """Let the twin's file take the place of one that was written, if it is the same."""
        path = self.path_of(name)
        if not self._twin or not self._twin.may_have(path, size):
            return
        parent, _, base = name.rpartition("/")
        directory = self._directory(parent)
        written = os.open(base, _READ, dir_fd=directory)
        try:
            if self._twin.give(path, (mode, size, crc), written, directory, _BESIDE):
                os.replace(_BESIDE, base, src_dir_fd=directory, dst_dir_fd=directory)
        finally:
            os.close(written)

    def add_hard_link(self, name: str, target: str) -> None:
        """Take another name of a regular file that is already there."""
        known = self._kinds.get(target)
        if known != FILE:
            problem = "is not in the archive before it" if known is None else "is no regular file"
            raise refusal(f"it is a hard link to “{printable(target)}”, which {problem}", name)
        parent, base = self._claim(name, FILE)
        if not name.startswith(self._prefix):
            return
        original = self._written.get(target)
        if original is None:
            raise refusal("it is a hard link to a file that is not installed", name)
        origin, _, origin_base = target.rpartition("/")
        try:
            os.link(
                origin_base,
                base,
                src_dir_fd=self._directory(origin),
                dst_dir_fd=self._directory(parent),
                follow_symlinks=False,
            )
        except FileExistsError:
            raise self._collision(name) from None
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            self._copy((origin, origin_base), (parent, base), original.mode)
        path = name[len(self._prefix) :]
        entry = Entry((path, "file", original.mode, original.size, original.crc32, ""))
        self.entries.append(entry)
        self._written[name] = entry

    def add_link(self, name: str, target: str) -> None:
        """Take a symbolic link; `make_links` makes it."""
        self._claim(name, LINK)
        inside = name.startswith(self._prefix)
        depth = name.count("/") - (self._prefix if inside else self._top).count("/")
        check_target(name, depth, target, self._limits)
        if inside:
            self._links.append((name, target))
            self.entries.append(Entry((name[len(self._prefix) :], "link", 0o777, 0, 0, target)))

    def make_links(self) -> None:
        """Make the symbolic links, after all that is written."""
        for name, target in self._links:
            parent, _, base = name.rpartition("/")
            try:
                link_new(target, base, self._directory(parent))
            except FileExistsError:
                raise self._collision(name) from None

    def _claim(self, name: str, kind: int) -> tuple[str, str]:
        """Take a name that must be new and allowed, imply its parents; return parent and base."""
        kinds = self._kinds
        if name in kinds:
            raise refusal("its name occurs twice", name)
        parent, _, base = name.rpartition("/")
        above = kinds.get(parent)
        limits = self._limits
        if above is None or len(name) * 4 > limits.name_length or name.count("/") >= limits.depth:
            check_name(name, limits)
            if not name.startswith(self._top):
                raise refusal(f"it is not in “{self._top}”", name)
        else:
            check_component(base, name)
        if above is None:
            self._imply(parent, name)
        elif above > DIRECTORY:
            raise refusal("its parent is not a directory", name)
        kinds[name] = kind
        return parent, base

    def _imply(self, name: str, member: str) -> None:
        """Make the missing directories of a member: real builds have no entries for them."""
        parent = name.rpartition("/")[0]
        above = self._kinds.get(parent)
        if above is None:
            self._imply(parent, member)
        elif above > DIRECTORY:
            raise refusal("it lies below something that is not a directory", member)
        self._kinds[name] = IMPLIED
        self._make_directory(name)

    def _make_directory(self, name: str) -> None:
        if not name.startswith(self._prefix):
            return
        parent, _, base = name.rpartition("/")
        above = self._directory(parent)
        try:
            os.mkdir(base, _DIRECTORY_MODE, dir_fd=above)
        except FileExistsError:
            raise self._collision(name) from None
        if self._plain_directories is not True:  # by name: it may not even be searchable yet
            if self._plain_directories is None:
                given = os.stat(base, dir_fd=above, follow_symlinks=False).st_mode
                self._plain_directories = stat.S_IMODE(given) == _DIRECTORY_MODE
            if not self._plain_directories:
                os.chmod(base, _DIRECTORY_MODE, dir_fd=above)
        self.entries.append(Entry((name[len(self._prefix) :], "dir", 0o755, 0, 0, "")))

    def _copy(self, origin: tuple[str, str], target: tuple[str, str], mode: int) -> None:
        """Copy a file of this tree, each a directory's name and one in it: no links here."""
        from shutil import copyfileobj

        source = os.open(origin[1], os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._directory(origin[0]))
        with open(source, "rb") as read:
            copy = os.open(target[1], _CREATE, 0o600, dir_fd=self._directory(target[0]))
            with open(copy, "wb") as written:
                copyfileobj(read, written)
                os.fchmod(copy, mode)

    def _directory(self, name: str) -> int:
        """Return a descriptor of a directory that this object made."""
        found = self._open.get(name)
        if found is not None:
            return found
        if name == self._base:
            return self._root
        parent, _, base = name.rpartition("/")
        found = os.open(base, _OPEN_DIRECTORY, dir_fd=self._directory(parent))
        self._open[name] = found
        if len(self._open) > MAX_DIRECTORIES:
            os.close(self._open.pop(next(iter(self._open))))
        return found

    def _set_mode(self, file: int, mode: int) -> None:
        """Set a file's mode where the umask or a default ACL gives another: looked at once."""
        if mode not in self._as_asked:
            self._as_asked[mode] = stat.S_IMODE(os.fstat(file).st_mode) == mode
        if not self._as_asked[mode]:
            os.fchmod(file, mode)

    def _collision(self, name: str) -> Exception:
        return refusal("this file system takes its name for another member's", name)

"""Taking a directory from its place: by a rename, or where there is none, by deleting it there.

It goes into the store's trash; from another file system it stays beside its place. A lower layer's
directory on overlayfs can't be renamed at all: it is deleted where it is, after an entry in the
journal and a tombstone in it, and what it is recognised by goes first, so that nobody takes a half
for whole.
"""

from __future__ import annotations

import errno
import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable, shell_word
from bubble.system import journal
from bubble.system.files import flush, fsync_directory
from bubble.system.layout import MARK, RECEIPT
from bubble.system.trees import located, obstacle, remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.journal import Entry
    from bubble.system.layout import Layout

PLACE = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
DIRECTORY = PLACE | os.O_NOFOLLOW


def set_aside(layout: Layout, path: str) -> Remains:
    """Take a directory (absolute) from its place, in one step, for the caller to delete.

    If the caller doesn't live to do so, a sweeper does. It goes into the trash, or stays beside
    its place on another file system; where it can't be renamed at all it stays, and what it is
    recognised by goes first. Raises BubbleError(store) and OSError; then it is as it was.
    """
    parent, name = os.path.split(path)
    where = os.open(parent, PLACE)
    try:
        try:
            remains = _into_trash(layout, path, where)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            remains = _beside(layout, path, where) or _in_place(layout, path, where)
    except OSError as error:
        raise located(error, error.filename if error.filename != name else path) from None
    finally:
        os.close(where)
    fsync_directory(parent)
    return remains


class Remains:
    """What `set_aside` took from its place: at `path`, for the caller to `delete`.

    `in_place`: it is where it was, can't come back, and is recognised by nobody.
    """

    def __init__(self, path: str, was: str, place: int, entry: Entry | None) -> None:
        self.path = path
        self.in_place = path == was
        self._was = was
        self._place = place
        self._entry = entry

    def delete(self) -> None:
        """Delete its bytes. Raises BubbleError(store, permission, io); a sweep tries again then."""
        last = self._entry.begun.tombstone if self._entry and self.in_place else ""
        try:
            remove_tree(self.path, self._place, last=last)
        except OSError as error:
            raise undeletable(self.path, error) from None
        else:
            if self._entry:
                self._entry.end()
        finally:
            os.close(self._place)
            if self._entry:
                self._entry.leave()

    def put_back(self) -> None:
        """Put it where it was, as far as that can be done."""
        if self.in_place:
            return
        os.rename(os.path.basename(self.path), self._was, src_dir_fd=self._place)
        os.close(self._place)
        if self._entry:
            self._entry.end()


def undeletable(path: str, error: OSError) -> BubbleError:
    """Return what to tell of remains at `path` (absolute) that can't be deleted."""
    denied = error.errno in (errno.EACCES, errno.EPERM)
    where = printable(os.fsdecode(error.filename or path), 500)
    return BubbleError(
        "permission" if denied else "io",
        f"what is left of it can't be deleted: {where}: {(error.strerror or str(error)).lower()}",
        hint=f"it is used no more; delete it: {cure(path)}",
    )


def cure(path: str) -> str:
    """Return the command that deletes what `remove_tree` can't, or lets it."""
    from shlex import quote  # it takes `re` along

    found = obstacle(path)
    if found and found.is_mount:
        return f"umount {quote(printable(found.path, 500))}"
    unlock = f"chattr -R -ia {quote(printable(path, 500))} && " if found and found.is_fixed else ""
    delete = f"rm -rf {quote(printable(path, 500))}"
    return f"sudo sh -c {quote(unlock + delete)}" if unlock else f"sudo {delete}"


def _into_trash(layout: Layout, path: str, where: int) -> Remains:
    trash = open_scratch(layout.trash)
    name = os.path.basename(path)
    aside = f"{name}.{os.urandom(6).hex()}"
    try:
        os.rename(name, aside, src_dir_fd=where, dst_dir_fd=trash)
    except BaseException:
        os.close(trash)
        raise
    return Remains(f"{layout.trash}/{aside}", path, trash, None)


def _beside(layout: Layout, path: str, where: int) -> Remains | None:
    """Take it aside where it lies; None if it can't be renamed there either."""
    parent, name = os.path.split(path)
    entry = journal.begin(layout, beside=parent)
    aside = entry.begun.scratch
    try:
        os.rename(name, os.path.basename(aside), src_dir_fd=where, dst_dir_fd=where)
    except OSError as error:
        entry.end()
        if error.errno != errno.EXDEV:
            raise
        return None
    return Remains(aside, path, os.dup(where), entry)


def _in_place(layout: Layout, path: str, where: int) -> Remains:
    if found := obstacle(path):  # now, while it is whole
        if found.is_mount:
            raise BubbleError(
                "store",
                f"{printable(found.path, 500)} is mounted below {printable(path, 500)}",
                hint=f"umount {printable(found.path, 500)}, then try again",
            )
        raise PermissionError(errno.EPERM, found.why, found.path)
    directory = os.open(os.path.basename(path), DIRECTORY, dir_fd=where)
    entry = journal.begin(layout, target=path)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(entry.begun.tombstone, flags, 0o600, dir_fd=directory))
        flush(directory)
        unmark(directory)
    except BaseException:
        entry.leave()  # a sweep sees whether the tombstone is there
        raise
    finally:
        os.close(directory)
    return Remains(path, path, os.dup(where), entry)


def unmark(directory: int) -> None:
    """Delete what the environment or installation in an open directory is recognised by."""
    for parts in (MARK, RECEIPT):
        inside, _, name = parts.rpartition("/")
        try:
            below = os.open(inside or ".", DIRECTORY, dir_fd=directory)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            os.unlink(name, dir_fd=below)
        except FileNotFoundError:
            pass
        finally:
            os.close(below)


def open_scratch(path: str) -> int:
    """Open a scratch directory of the store, made if need be; BubbleError(store) for a link."""
    try:
        os.makedirs(path, exist_ok=True)
        return os.open(path, DIRECTORY)
    except (FileExistsError, NotADirectoryError):
        shown = printable(path, 500)
        raise BubbleError(
            "store",
            f"{shown} is no directory, and bubble didn't make it",
            hint=f"move it away: mv {shell_word(path)} {shell_word(f'{path}.old')}",
        ) from None


def is_there(name: str, directory: int) -> bool:
    """Whether a name is in an open directory, be it a link to nothing."""
    try:
        os.lstat(name, dir_fd=directory)
    except FileNotFoundError:
        return False
    return True

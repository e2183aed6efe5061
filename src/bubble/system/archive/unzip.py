"""Unpack a zip without a top directory, by the rules that tar archives are held to."""

from __future__ import annotations

import os
import stat
import zipfile

from bubble.system.archive.model import Extracted, Limits, refusal
from bubble.system.archive.rules import normal_mode
from bubble.system.archive.rules import text as checked_text
from bubble.system.archive.tree import Tree
from bubble.system.archive.unpack import FLAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_ENCRYPTED = 0x1
_PIECE = 1 << 20
_UNIX = 3


def extract_zip(
    archive: str,
    destination: str,
    *,
    limits: Limits,
    progress: Callable[[int, int], None] | None = None,
) -> Extracted:
    """Unpack the file `archive` into `destination`, an existing, empty directory of this user's.

    Modes and links are those that Unix programs note. Raises BubbleError(archive) at the first
    violation of the rules, and OSError; what was written until then stays.
    """
    tree = Tree(destination, FLAT, FLAT, limits)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            total = sum(info.file_size for info in members)
            _check_size(archive, members, total, limits)
            done = 0
            for info in members:
                _member(opened, info, tree, limits)
                done += info.file_size
                if progress:
                    progress(done, total)
        tree.make_links()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise refusal(f"it is damaged ({error})") from None
    finally:
        tree.close()
    return Extracted(entries=tuple(tree.entries), layout="other")


def _check_size(archive: str, members: list[zipfile.ZipInfo], total: int, limits: Limits) -> None:
    if not members:
        raise refusal("it is empty")
    if len(members) > limits.members:
        raise refusal(f"it has more than {limits.members} members")
    if total > limits.expanded_size or total > max(
        limits.ratio_from, limits.ratio * os.path.getsize(archive)
    ):
        raise refusal("it expands to more than a pack has")


def _member(opened: zipfile.ZipFile, info: zipfile.ZipInfo, tree: Tree, limits: Limits) -> None:
    # what zipfile has cut off a name behind a NUL, or turned round, is looked at as it was written
    name = checked_text(info.orig_filename.encode("utf-8", "surrogateescape"), "its name")
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    if info.flag_bits & _ENCRYPTED:
        raise refusal("it is encrypted", name)
    if name.endswith("/"):
        tree.add_directory(f"{FLAT}/{name[:-1]}")
        return
    path = f"{FLAT}/{name}"
    if stat.S_ISLNK(mode):
        if info.file_size > limits.name_length:
            raise refusal("it links to a name that is too long", name)
        tree.add_link(path, checked_text(opened.read(info), "a link's target"))
        return
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise refusal("it is neither a file nor a link", name)
    kept = normal_mode(stat.S_IMODE(mode) or 0o644, name)
    file = tree.add_file(path, kept)
    try:
        with opened.open(info) as content:
            left = info.file_size
            while piece := content.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise refusal("it is larger than it says", name)
                view = memoryview(piece)
                while view:
                    view = view[os.write(file, view) :]
    finally:
        os.close(file)
    tree.finish_file(path, kept, info.file_size, info.CRC)

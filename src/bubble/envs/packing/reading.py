"""Unpacking a pack, and whether one is what an environment would be packed to."""

from __future__ import annotations

import hashlib
import os
import stat

from bubble.envs.knowing import placing
from bubble.envs.packing.collect import CONTENTS, files, read_contents
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.archive.model import Limits
from bubble.system.files import read_text, sha256_of, write_new
from bubble.system.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bubble.pythons.pack.member import Member
    from bubble.selection.resolve import World
    from bubble.system.layout import Layout

    Progress = Callable[[int, int], None]

# environments of machine learning are larger than any interpreter
_LIMITS = Limits(members=2_000_000, expanded_size=64 << 30, ratio=400)
_ZIP = b"PK"
UNPACKED = ".bubble-unpacked"  # in a directory: the sha256 of what was unpacked there


class Difference(Record):
    """A file that isn't as it should be: `missing`, `extra`, or `changed`."""

    name: str
    what: str


class Unpacked(Record):
    """What the CONTENTS of an unpacked pack says, and whether this call unpacked it."""

    said: dict[str, object]
    fresh: bool


def unpack(archive: str, directory: str, world: World, progress: Progress) -> Unpacked:
    """Unpack a pack into `directory` (absolute), which isn't there or is empty; in one step.

    One without an interpreter gets the store's.

    Where this user has unpacked the very same file before, that is what there is: of many that
    unpack at once, one does, and the others have waited for it. Raises BubbleError (archive: it
    is no pack, or breaks the rules; usage: something else lies there; not_installed: it has no
    Python, and the store none for it) and OSError; then nothing
    has changed.
    """
    _require_file(archive)
    parent = os.path.dirname(directory)
    if not os.path.isdir(parent):
        raise BubbleError(
            "usage",
            f"there is no {printable(parent, 500)}",
            hint="make it first, or unpack elsewhere",
        )
    digest = sha256_of(archive) or ""
    with placing.lock(world.layout, directory):
        if os.path.lexists(directory) and not (
            os.path.isdir(directory) and not os.listdir(directory)
        ):
            if _is_ours(directory) and read_text(f"{directory}/{UNPACKED}", 128) == digest:
                return Unpacked(said=_said(directory, archive), fresh=False)
            raise BubbleError(
                "usage",
                f"there is something else at {printable(directory, 500)}",
                hint="unpack into a directory that is new",
            )
        with Staging(world.layout, directory) as staging:
            said = extract(archive, staging.path, progress)
            if said.get("interpreter", True) is not True:
                from bubble.envs.packing.completing import complete

                said = complete(staging.path, said, world)
            write_new(f"{staging.path}/{UNPACKED}", digest)
            if os.path.isdir(directory):
                os.rmdir(directory)  # an empty one
            staging.publish()
    return Unpacked(said=said, fresh=True)


def _is_ours(directory: str) -> bool:
    """Whether what lies in a directory is this user's or root's word, and nobody else's."""
    info = os.lstat(directory)
    return (
        stat.S_ISDIR(info.st_mode) and info.st_uid in {0, os.geteuid()} and not info.st_mode & 0o022
    )


def extract(archive: str, destination: str, progress: Progress) -> dict[str, object]:
    """Unpack a pack into an empty directory; return what its CONTENTS says."""
    with open(archive, "rb") as file:
        is_zip = file.read(2) == _ZIP
    if is_zip:
        from bubble.system.archive.unzip import extract_zip

        extract_zip(archive, destination, limits=_LIMITS, progress=progress)
    else:
        from bubble.system.archive.unpack import extract as extract_tar

        try:
            extract_tar(archive, destination, limits=_LIMITS, flat=True, progress=progress)
        except BubbleError as error:  # whose hint is about a download
            if error.kind != "archive":
                raise
            hint = "bring the file again; a pack is made by: bubble pack ENV"
            raise error.replace_hint(hint) from None
    return _said(destination, archive)


def _said(directory: str, archive: str) -> dict[str, object]:
    text = read_text(f"{directory}/{CONTENTS}")
    if text is None:
        raise BubbleError(
            "archive",
            f"{printable(archive, 500)} is no pack of bubble's",
            hint="a pack is made by: bubble pack ENV",
        )
    return read_contents(text.encode())


def differences(
    archive: str, members: Mapping[str, Member], layout: Layout, progress: Progress
) -> list[Difference]:
    """Return in which files an archive, or a directory, isn't what `members` are."""
    if os.path.isdir(archive):
        return _compared(archive, members)
    _require_file(archive)
    with Staging(layout, f"{layout.home}/check") as staging:
        extract(archive, staging.path, progress)
        return _compared(staging.path, members)


def _compared(root: str, members: Mapping[str, Member]) -> list[Difference]:
    found = []
    present = set()
    for name, path, info in files(root):
        if name == UNPACKED:
            continue
        present.add(name)
        member = members.get(name)
        if member is None:
            found.append(Difference(name=name, what="extra"))
        elif not _is_same(path, info, member):
            found.append(Difference(name=name, what="changed"))
    found += [Difference(name=name, what="missing") for name in members.keys() - present]
    return sorted(found, key=lambda one: one.name)


def _is_same(path: str, info: os.stat_result, member: Member) -> bool:
    if stat.S_ISLNK(info.st_mode):
        return os.readlink(path) == member.target
    if member.target or not stat.S_ISREG(info.st_mode):
        return False
    if bool(info.st_mode & 0o100) != member.executable:
        return False
    with open(path, "rb") as file, member.open() as other:
        digests = (hashlib.file_digest(f, "sha256").digest() for f in (file, other))  # type: ignore[arg-type]  # plain files
        return next(digests) == next(digests)


def _require_file(archive: str) -> None:
    if os.path.isdir(archive):
        raise BubbleError(
            "usage", f"{printable(archive, 500)} is a directory", hint="it is unpacked already"
        )
    if not os.path.lexists(archive):
        raise BubbleError(
            "usage", f"there is no file {printable(archive, 500)}", hint="check the path"
        )

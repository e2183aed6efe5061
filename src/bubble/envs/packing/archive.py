"""A pack as a file or a directory: the same members are the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.pythons.pack.tar import Written, size_of, stream_tar
from bubble.system.copies import umask
from bubble.system.files import replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from bubble.pythons.pack.member import Member

    Progress = Callable[[int, int], None]

FORMATS = {"tar.gz": (".tar.gz", ".tgz"), "tar.zst": (".tar.zst",), "zip": (".zip",), "dir": ()}
_EPOCH = 315_532_800  # 1980-01-01, the first that a zip can say
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def format_of(path: str, wanted: str) -> str:
    """Return the format that is meant: `wanted`, or by a file's name. Raises BubbleError(usage)."""
    named = next((f for f, ends in FORMATS.items() if path.endswith(ends) and ends), "")
    if not wanted and not named:
        raise BubbleError(
            "usage",
            f"{printable(path, 300)} doesn't say in which format it is to be",
            hint="name it NAME.tar.gz, .tar.zst or .zip, or say --format",
        )
    if wanted and named and wanted != named:
        raise BubbleError(
            "usage", f"{printable(path, 300)} is no name for {wanted}", hint=f"--format {named}"
        )
    return wanted or named


def write(
    path: str,
    members: Mapping[str, Member],
    form: str,
    mtime: int,
    progress: Progress,
    *,
    new: bool,
) -> Written:
    """Write an archive to `path` (absolute) in one step; `new`: nothing may be there yet.

    `mtime` is the files' time in seconds, no earlier than 1980. Raises OSError.
    """
    written: list[Written] = []

    def put(descriptor: int) -> None:
        with open(descriptor, "w+b", closefd=False) as raw:
            if form == "zip":
                written.append(_zip(raw, members, progress))
            else:
                compression = form.partition(".")[2]
                tar = stream_tar(
                    raw, members, mtime=mtime, compression=compression, progress=progress
                )
                written.append(tar)

    replace_file(path, put, new=new)
    return written[0]


def time_of(epoch: str) -> int:
    """Return the files' time: SOURCE_DATE_EPOCH's (reproducible-builds.org), else 1980."""
    return max(int(epoch), _EPOCH) if epoch.isascii() and epoch.isdigit() else _EPOCH


def lay_out(root: str, members: Mapping[str, Member], mtime: int) -> Written:
    """Write members into the staged directory at `root`, with the modes of an archive's."""
    total = 0
    for name in sorted(members):
        member = members[name]
        path = f"{root}/{name}"
        with umask(0o022):  # directories that hold none but directories, too
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if member.target:
            os.symlink(member.target, path)
            continue
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with member.open() as source, open(os.open(path, flags, 0o600), "wb") as file:
            shutil.copyfileobj(source, file)
            os.fchmod(file.fileno(), 0o755 if member.executable else 0o644)
            total += file.tell()
        os.utime(path, (mtime, mtime))
    return Written(sha256="", size=total)


def _zip(raw: IO[bytes], members: Mapping[str, Member], progress: Progress) -> Written:
    import zipfile

    total, done = sum(map(size_of, members.values())), 0
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(members):
            member = members[name]
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.create_system = 3  # Unix, whose modes follow
            info.compress_type = zipfile.ZIP_DEFLATED
            if member.target:
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(info, os.fsencode(member.target))
                continue
            mode = 0o755 if member.executable else 0o644
            info.external_attr = (stat.S_IFREG | mode) << 16
            info.file_size = size_of(member)
            with member.open() as source, archive.open(info, "w") as file:
                shutil.copyfileobj(source, file, 1 << 20)
            done += info.file_size
            progress(done, total)
    raw.seek(0)
    digest = hashlib.file_digest(raw, "sha256")  # type: ignore[arg-type]  # it is a plain file
    return Written(sha256=digest.hexdigest(), size=raw.seek(0, os.SEEK_END))

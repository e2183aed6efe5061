"""Files that an environment shares with others: bubble's earlier versions made hard links.

Whoever owns one of the environments, or edits a file of it, changes the others. What nobody may
write to, its owner included, isn't counted (`envs.making.sharing`), as long as the owner is that
of its directory. What uv installed is left as it is: uv links files to its cache, by its user's
choice.
"""

from __future__ import annotations

import os
import stat
from itertools import accumulate

from bubble.envs.knowing.editables import site_packages
from bubble.system.copies import Copier, umask
from bubble.system.files import read_text, unlink_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.system.layout import Layout

_CACHE = "__pycache__"
_LOOKED_AT = ("METADATA", "top_level.txt")


def is_shared(root: str) -> bool:
    """Whether the environment at `root` (absolute) has links for files, by a look at each package.

    Its metadata is what an installer wrote, and nobody has a reason to link to by hand.
    """
    return any(
        _is_linked(f"{directory}/{name}/{file}")
        for directory, name in _packages(root)
        for file in _LOOKED_AT
    )


def unshare(root: str, layout: Layout) -> int:
    """Give the environment at `root` files of its own for its links; return how many there were.

    Each in one step, with the mode it had and the owner of its directory. The pip that bubble put
    there is the store's again: others may have written into what it shared. Raises OSError.
    """
    count = 0
    copier = Copier()
    with umask(0):
        for directory, name in _packages(root):
            pristine = ""
            if _installer(directory, name) == "bubble":
                pristine = f"{layout.seeds}/{name.removesuffix('.dist-info')}"
            # last what is looked at: killed before, it is still seen to be shared
            for path in sorted(_files(directory, name), key=lambda p: p.endswith(_LOOKED_AT)):
                if _is_linked(f"{directory}/{path}"):
                    original = f"{pristine}/{path}"
                    is_there = bool(pristine) and os.path.isfile(original)
                    _replace(directory, path, original if is_there else "", copier)
                    count += 1
    return count


def _packages(root: str) -> Iterator[tuple[str, str]]:
    """Yield the directory and the name of each `.dist-info` that no other tool than pip wrote."""
    for inside in site_packages(root):
        directory = f"{root}/{inside}"
        above = accumulate(inside.split("/"), "{}/{}".format)
        if any(os.path.islink(f"{root}/{part}") for part in above):
            continue  # it leads out of the environment
        for name in sorted(os.listdir(directory)):
            if name.endswith(".dist-info") and _installer(directory, name) in {"pip", "bubble"}:
                yield directory, name


def _installer(directory: str, name: str) -> str:
    return (read_text(f"{directory}/{name}/INSTALLER", 64) or "").strip()


def _files(directory: str, name: str) -> Iterator[str]:
    """Yield what a package's RECORD lists in `directory`, and the bytecode beside that."""
    text = read_text(f"{directory}/{name}/RECORD", 1 << 26) or ""
    places: dict[str, None] = {}
    for line in text.splitlines():
        path = line.partition(",")[0]
        if path[:1] in {'"', "/", ""} or ".." in path.split("/"):
            continue
        place = os.path.dirname(path)
        if os.path.realpath(f"{directory}/{place}") == os.path.realpath(directory) + (
            f"/{place}" if place else ""
        ):
            places[place] = None
            yield path
    for place in places:
        cache = f"{place}/{_CACHE}".lstrip("/")
        if os.path.islink(f"{directory}/{cache}") or not os.path.isdir(f"{directory}/{cache}"):
            continue
        yield from (f"{cache}/{file}" for file in os.listdir(f"{directory}/{cache}"))


def _is_linked(path: str) -> bool:
    try:
        info = os.lstat(path)
        if not stat.S_ISREG(info.st_mode) or info.st_nlink == 1:
            return False
        return bool(info.st_mode & 0o222) or info.st_uid != os.lstat(os.path.dirname(path)).st_uid
    except OSError:
        return False


def _replace(packages: str, inside: str, original: str, copier: Copier) -> None:
    path = f"{packages}/{inside}"
    # where a repair takes away what a killed one left
    name = os.path.basename(path)
    temporary = f"{packages}/.{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    reading = os.open(original or path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        info, above = os.fstat(reading), os.stat(os.path.dirname(path))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        writing = os.open(temporary, flags, stat.S_IMODE(info.st_mode) & 0o777)
        try:
            copier.content(reading, writing)
            os.utime(writing, ns=(info.st_atime_ns, info.st_mtime_ns))
            if os.geteuid() == 0:
                os.fchown(writing, above.st_uid, above.st_gid)
            os.rename(temporary, path)
        except BaseException:
            unlink_quietly(temporary)
            raise
        finally:
            os.close(writing)
    finally:
        os.close(reading)

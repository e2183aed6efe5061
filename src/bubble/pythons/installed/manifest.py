r"""The manifest of an installation: what every file must be, and what differs.

Format 1: text, UTF-8 (undecodable bytes of names as they are), one line an entry, sorted by path.

    bubble-manifest 1
    d 755 0 00000000 lib/python3.12
    f 644 1234 89abcdef lib/python3.12/os.py
    l 777 0 00000000 bin/python → TAB → python3

The fields are kind (`d`, `f`, `l`), octal mode, size in bytes, CRC-32 in hex, path, and for a link
its target behind a TAB. In paths and targets `\`, TAB, newline and return are `\\`, `\t`, `\n`
and `\r`. Bytecode (`__pycache__`), which interpreters write as they go, and `.bubble` are left
out. A CRC finds decay and edits; it is no defence against somebody who can write here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.system.layout import BUBBLE_DIR, MANIFEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.system.archive import Entry

    Row = tuple[str, str, int, int, int, str]  # path, kind, mode, size, crc32, target

try:
    from isal.isal_zlib import crc32
except ImportError:  # no wheel for this machine
    from zlib import crc32

HEADER = "bubble-manifest 1"
_CACHE = "__pycache__"
_LETTER = {"file": "f", "dir": "d", "link": "l"}
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_BLOCK = 1 << 20
_NO_FOLLOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Problem(Record):
    """One difference between an installation and its manifest.

    `path` is relative to the prefix; `what` is `missing`, `extra`, `type` (a file where a
    directory should be, …), `owner`, `mode`, `size`, `content`, `target` (of a link) or
    `unreadable`.
    """

    path: str
    what: str


def write(root: str, entries: Iterable[Entry], changed: frozenset[str]) -> str:
    """Write the manifest of the prefix `root` and return its sha256, in hex.

    `entries` is what the extractor wrote; `changed` are relative paths changed, added or removed
    since: only these are looked at on the disk.
    """
    rows: list[Row] = [e for e in entries if e[0] not in changed and not _is_ignored(e[0])]
    rows += [row for path in changed if not _is_ignored(path) for row in _on_disk(root, path)]
    rows.sort()
    lines = [HEADER]
    for path, kind, mode, size, crc, target in rows:
        tail = f"\t{target.translate(_ESCAPES)}" if kind == "link" else ""
        name = path if path.isprintable() and "\\" not in path else path.translate(_ESCAPES)
        lines.append(f"{_LETTER[kind]} {mode:o} {size} {crc:08x} {name}{tail}")
    data = os.fsencode("\n".join(lines) + "\n")
    os.makedirs(f"{root}/{BUBBLE_DIR}", exist_ok=True)
    path = f"{root}/{MANIFEST}"
    with open(f"{path}.new", "wb") as file:
        file.write(data)
    os.replace(f"{path}.new", path)
    return hashlib.sha256(data).hexdigest()


def verify(root: str, *, sha256: str = "") -> tuple[Problem, ...]:
    """Compare every file below the prefix `root` with its manifest; return what differs, sorted.

    With `sha256` (from the receipt), the manifest itself is held against it first. No link is
    followed and nothing but regular files is opened. Raises BubbleError(verify) when there is no
    manifest, it can't be read, or it is not the one that was written.
    """
    rows = _read(root, sha256)
    children: dict[str, dict[str, Row]] = {}
    for row in rows:
        parent, _, name = row[0].rpartition("/")
        children.setdefault(parent, {})[name] = row
    problems: list[Problem] = []
    top = os.open(root, _NO_FOLLOW | os.O_DIRECTORY)
    try:
        _compare_directory(top, "", children, problems, os.fstat(top).st_uid)
    finally:
        os.close(top)
    return tuple(sorted(problems, key=lambda p: (p.path, p.what)))


def read_only_files(root: str) -> dict[str, tuple[int, int, int]]:
    """Return mode, size and CRC-32 of the files that nobody may write to, by path.

    Raises BubbleError(verify) when there is no manifest, or it can't be read.
    """
    return {row[0]: row[2:5] for row in _read(root, "") if row[1] == "file" and not row[2] & 0o222}


def _is_ignored(path: str) -> bool:
    if _CACHE in path and _CACHE in path.split("/"):
        return True
    return path == BUBBLE_DIR or path.startswith(f"{BUBBLE_DIR}/")


def _on_disk(root: str, path: str) -> list[Row]:
    """Return the row of `path` as it is on the disk now; nothing if it isn't there."""
    full = f"{root}/{path}"
    try:
        status = os.lstat(full)
    except FileNotFoundError:
        return []
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return [(path, "link", 0o777, 0, 0, os.readlink(full))]
    if stat.S_ISDIR(status.st_mode):
        return [(path, "dir", mode, 0, 0, "")]
    descriptor = os.open(full, _NO_FOLLOW)
    try:
        return [(path, "file", mode, status.st_size, _checksum(descriptor), "")]
    finally:
        os.close(descriptor)


def _checksum(descriptor: int) -> int:
    value = 0
    while block := os.read(descriptor, _BLOCK):
        value = crc32(block, value)
    return value


def _read(root: str, sha256: str) -> list[Row]:
    try:
        with open(f"{root}/{MANIFEST}", "rb") as file:
            data = file.read()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise _unusable(f"there is no readable manifest ({reason})") from None
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise _unusable("its manifest is not the one that was written")
    lines = os.fsdecode(data).split("\n")
    if lines[0] != HEADER or lines[-1]:
        raise _unusable("its manifest is of an unknown format, or cut short")
    try:
        return [_parse(line) for line in lines[1:-1]]
    except (ValueError, KeyError):
        raise _unusable("its manifest is damaged") from None


def _parse(line: str) -> Row:
    letter, mode, size, crc, rest = line.split(" ", 4)
    path, _, target = rest.partition("\t")
    kind = {"f": "file", "d": "dir", "l": "link"}[letter]
    return (_plain(path), kind, int(mode, 8), int(size), int(crc, 16), _plain(target))


def _plain(text: str) -> str:
    if "\\" not in text:
        return text
    parts = text.split("\\\\")
    return "\\".join(
        part.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r") for part in parts
    )


def _unusable(reason: str) -> BubbleError:
    return BubbleError(
        "verify", f"the installation can't be verified: {reason}", hint="reinstall this version"
    )


def _compare_directory(
    descriptor: int,
    path: str,
    children: dict[str, dict[str, Row]],
    problems: list[Problem],
    owner: int,
) -> None:
    """Compare the open directory at `path` ("" is the prefix) with what the manifest has there.

    `owner` has the prefix, and so every file of it.
    """
    expected = children.get(path, {})
    base = f"{path}/" if path else ""
    with os.scandir(descriptor) as entries:
        present = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    present.pop(_CACHE, None)
    if not path:
        present.pop(BUBBLE_DIR, None)
    problems += [Problem(path=base + n, what="extra") for n in present.keys() - expected.keys()]
    problems += [Problem(path=base + n, what="missing") for n in expected.keys() - present.keys()]
    for name in expected.keys() & present.keys():
        row, status = expected[name], present[name]
        what = _difference(descriptor, name, row, status)
        if row[1] == "file" and what in ("", "mode") and status.st_uid != owner:
            what = "owner"
        if what:
            problems.append(Problem(path=base + name, what=what))
        if row[1] == "dir" and what in ("", "mode"):
            below = _open(descriptor, name, os.O_DIRECTORY)
            if below < 0:
                problems.append(Problem(path=base + name, what="unreadable"))
                continue
            try:
                _compare_directory(below, base + name, children, problems, owner)
            finally:
                os.close(below)


def _difference(descriptor: int, name: str, row: Row, status: os.stat_result) -> str:
    """Return what is wrong with one entry, the gravest first; "" if nothing."""
    _, kind, mode, size, crc, target = row
    is_kind = {"file": stat.S_ISREG, "dir": stat.S_ISDIR, "link": stat.S_ISLNK}[kind]
    if not is_kind(status.st_mode):
        return "type"
    if kind == "link":
        return "" if os.readlink(name, dir_fd=descriptor) == target else "target"
    if kind == "file":
        if status.st_size != size:
            return "size"
        file = _open(descriptor, name, 0)
        if file < 0:
            return "unreadable"
        try:
            if _checksum(file) != crc:
                return "content"
        finally:
            os.close(file)
    return "" if stat.S_IMODE(status.st_mode) == mode else "mode"


def _open(directory: int, name: str, flags: int) -> int:
    try:
        return os.open(name, _NO_FOLLOW | flags, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.EIO):
            raise
        return -1

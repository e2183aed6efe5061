"""What is mounted where, as this process sees it (Linux; elsewhere nothing is known)."""

from __future__ import annotations

import os

from bubble.model.record import Record

TABLE = "/proc/self/mountinfo"


class Mount(Record):
    """A mount: its device (`8:1`), its mount point (absolute), what is mounted (`ext4`), and how.

    `options` are those of the file system, a comma between them.
    """

    device: str
    point: str
    kind: str
    options: str


_parsed: dict[bytes, tuple[Mount, ...]] = {}  # of the last table: thousands may ask for the same


def mounts(table: str = "") -> tuple[Mount, ...]:
    """Return what is mounted now, in the order of the table (proc(5)); none where it isn't."""
    try:
        with open(table or TABLE, "rb") as file:
            data = file.read()
    except OSError:
        return ()
    if data not in _parsed:
        found = tuple(mount for line in os.fsdecode(data).split("\n") if (mount := _parse(line)))
        _parsed.clear()
        _parsed[data] = found
    return _parsed[data]


def _parse(line: str) -> Mount | None:
    words = line.split(" ")
    if "-" not in words[6:-1]:
        return None
    kind, *rest = words[words.index("-", 6) + 1 :]
    return Mount(
        device=words[2],
        point=unescaped(words[4]),
        kind=kind,
        options=rest[-1] if rest else "",
    )


def mount_below(path: str) -> str:
    """Return a mount point at or below `path` (absolute), or ""; always "" where /proc isn't."""
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    for mount in mounts():
        if mount.point == real or mount.point.startswith(f"{real}/"):
            return mount.point
    return ""


def locks_alone(directory: str, table: str = "") -> str:
    """Return the NFS mount option by which a directory's locks hold on this machine alone, or "".

    The kernel answers those locks as if they were everybody's (nfs(5), `nolock`, `local_lock`).
    """
    try:
        device = os.stat(directory).st_dev
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    for mount in mounts(table):
        if mount.device == number and mount.kind in {"nfs", "nfs4"}:
            for option in mount.options.split(","):
                if option in {"nolock", "local_lock=all", "local_lock=flock"}:
                    return option
    return ""


def unescaped(field: str) -> str:
    """Undo the octal escapes of a field of the table, or of fstab(5)."""
    if "\\" in field:
        for character in (" ", "\t", "\n", "\\"):
            field = field.replace(f"\\{ord(character):03o}", character)
    return field

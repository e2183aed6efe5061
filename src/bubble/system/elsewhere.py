"""Other machines that work on the same disk: what is alive there can't be seen from here.

A lock on a directory (flock) holds on one machine alone where the disk is a network's, and so may
every other lock, by the way it is mounted. So what is staged, or begun elsewhere, says in its name
on which machine, and since which of its starts: of another one it is left alone, for a week.
"""

from __future__ import annotations

import os
import time

from bubble.system.kernel import file_system_kinds

_MARK = 12  # hexadecimal digits of a machine's present run
_RANDOM = 8  # bytes that nobody guesses
_FORGOTTEN = 7 * 86400.0  # seconds after which nobody is at work in what nobody has touched
# statfs(2), of what several machines can have at a time: NFS, SMB (three), 9P, AFS (two), Ceph,
# Lustre, GPFS, BeeGFS, PanFS, OCFS2, GFS2, and FUSE, of which sshfs is one
_NETWORK = {
    *(0x6969, 0x517B, 0xFF534D42, 0xFE534D42, 0x01021997, 0x5346414F, 0x6B414653, 0x00C36400),
    *(0x0BD00BD0, 0x47504653, 0x19830326, 0xAAD7AAEA, 0x7461636F, 0x01161970, 0x65735546),
}
_here: list[str] = []


def new_token() -> str:
    """Return a name that nobody could guess, hexadecimal, with this machine's mark before it."""
    return f"{here()}{os.urandom(_RANDOM).hex()}"


def here() -> str:
    """Return the mark of this machine since its last start; zeroes where it has none."""
    if not _here:
        try:
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                text = file.read(64).replace("-", "")
        except (OSError, ValueError):
            text = ""
        _here.append(text[:_MARK] if len(text) >= _MARK else "0" * _MARK)
    return _here[0]


def may_be_anothers(token: str, path: str) -> bool:
    """Whether another machine may be at work at `path` (absolute), which was made under a token.

    A shorter one is an older bubble's, which said nothing. On a disk that only one machine can
    have, each of its starts ends what was before.
    """
    if len(token) != _MARK + 2 * _RANDOM or token[:_MARK] == here():
        return False
    if not is_shared(os.path.dirname(path)):
        return False
    try:
        return time.time() - os.lstat(path).st_mtime < _FORGOTTEN
    except OSError:
        return False


def is_shared(directory: str) -> bool:
    """Whether several machines can have the disk of a directory (absolute) at a time."""
    return not _NETWORK.isdisjoint(file_system_kinds(directory))

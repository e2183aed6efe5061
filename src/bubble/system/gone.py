"""Whether something is gone for good, or only can't be seen now.

On an unplugged disk, say, on a dead server, or in a directory that is closed to this user.

Records, kernels and memos are dropped on this word alone, so it needs evidence: somebody who could
remove the thing must be able to, on a file system that is there.
"""

from __future__ import annotations

import os

from bubble.system.trees import unescaped

# below these, a directory comes and goes with the disk or server that is mounted there; the value
# says how many steps below (udisks: /media/USER/NAME, /run/media/USER/NAME)
_BASES = {"/media": 2, "/run/media": 2, "/mnt": 1, "/Volumes": 1, "/net": 2, "/misc": 1, "/": 1}
_FSTAB = "/etc/fstab"
_MOUNTS = "/proc/self/mountinfo"


def is_gone(path: str, store: str) -> bool:
    """Whether the thing at `path` (absolute) was removed; False where that can't be known.

    It is gone if nothing is there and the nearest directory that is there could have lost it: one
    that can be read, that this user may write, that isn't empty (an empty one may be a mount
    point) and that isn't where disks come and go. Links are followed, all but the thing itself.
    In `store` (absolute), which is there itself, an empty directory is no mount point.
    """
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    try:
        os.lstat(real)
    except FileNotFoundError:
        pass
    except OSError:  # a loop, a file as a directory, no permission, a stale handle
        return False
    else:
        return False
    above, missing = os.path.split(real)
    while not os.path.lexists(above):
        above, missing = os.path.split(above)
    try:
        is_empty = not os.listdir(above)
    except OSError:
        return False
    if f"{above}/".startswith(f"{os.path.realpath(store)}/"):
        return True
    return (
        not is_empty
        and os.access(above, os.W_OK | os.X_OK)
        and not _comes_and_goes(f"{above.rstrip('/')}/{missing}")
        and not _is_elsewhere(real, above)
    )


def barred(path: str) -> str:
    """Return what keeps this user from the file at `path` (absolute), or "".

    That is a directory that may not be entered, or the file itself, another user's that may not be
    run; nothing where the way is open, whether something is there or not. Links are followed.
    """
    try:
        found = os.stat(path)
    except PermissionError:
        above = os.path.dirname(os.path.realpath(path))
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        return above
    except OSError:
        return ""
    if os.access(path, os.X_OK) or found.st_uid == os.geteuid() or not os.geteuid():
        return ""
    return path


def _comes_and_goes(lost: str) -> bool:
    """Whether the missing directory is one that appears when something is mounted."""
    for base, steps in _BASES.items():
        head = f"{base.rstrip('/')}/"
        if head.startswith(f"{lost}/"):
            return True  # the last disk took the base along
        if lost.startswith(head) and lost.count("/") - head.count("/") < steps:
            return True
    return False


def _is_elsewhere(path: str, above: str) -> bool:
    """Whether `path` lies on what fstab mounts and isn't mounted, or below an automounter's."""
    mounted = _mounted()
    for point in _listed():
        if f"{path}/".startswith(f"{point}/") and point not in mounted:
            return True
    holder = max(
        (p for p in mounted if f"{above}/".startswith(f"{p.rstrip('/')}/")), key=len, default=""
    )
    return mounted.get(holder) == "autofs"


def _mounted() -> dict[str, str]:
    """Return the mount points (absolute) and what is mounted there; empty where /proc isn't."""
    found = {}
    for line in _lines(_MOUNTS):
        words = line.split(" ")
        if "-" in words[6:-1]:
            found[unescaped(words[4])] = words[words.index("-", 6) + 1]
    return found


def _listed() -> list[str]:
    """Return the mount points of fstab(5), without `/`."""
    words = [line.split() for line in _lines(_FSTAB) if not line.lstrip().startswith("#")]
    points = [unescaped(w[1]).rstrip("/") for w in words if len(w) > 2 and w[1].startswith("/")]
    return [point for point in points if point]


def _lines(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.read()).splitlines()
    except OSError:
        return []

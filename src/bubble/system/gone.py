"""Whether something is gone for good, or only can't be seen now.

On an unplugged disk, say, on a dead server, or in a directory that is closed to this user.

Records, kernels and memos are dropped on this word alone, so it needs evidence: somebody who could
remove the thing must be able to, on a file system that is there.
"""

from __future__ import annotations

import os

from bubble.system.mounts import mounts, unescaped

# below these, a directory comes and goes with the disk or server that is mounted there; the value
# says how many steps below (udisks: /media/USER/NAME, /run/media/USER/NAME)
_BASES = {"/media": 2, "/run/media": 2, "/mnt": 1, "/Volumes": 1, "/net": 2, "/misc": 1, "/": 1}
_FSTAB = "/etc/fstab"


def is_gone(path: str, store: str) -> bool:
    """Whether the thing at `path` (absolute) was removed; False where that can't be known.

    It is gone if nothing is there and the nearest directory that is there could have lost it: one
    that can be read, that this user may write, that isn't empty (an empty one may be a mount
    point) and that isn't where disks come and go. Links are followed, all but the thing itself.
    In `store` (absolute), which is there itself, an empty directory is no mount point.
    """
    if not _is_missing(path):  # of most there is no more to ask
        return False
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    if not _is_missing(real):
        return False
    above, missing = os.path.split(real)
    while not os.path.lexists(above):
        above, missing = os.path.split(above)
    try:
        with os.scandir(above) as entries:  # it may have thousands
            is_empty = next(entries, None) is None
    except OSError:
        return False
    if (
        not is_empty
        and os.access(above, os.W_OK | os.X_OK)
        and not _comes_and_goes(f"{above.rstrip('/')}/{missing}")
        and not _is_elsewhere(real, above)
    ):
        return True
    return f"{above}/".startswith(f"{os.path.realpath(store)}/")


def _is_missing(path: str) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:  # a loop, a file as a directory, no permission, a stale handle
        pass
    return False


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
    mounted = {mount.point: mount.kind for mount in mounts()}
    for point in _listed():
        if f"{path}/".startswith(f"{point}/") and point not in mounted:
            return True
    holder = max(
        (p for p in mounted if f"{above}/".startswith(f"{p.rstrip('/')}/")), key=len, default=""
    )
    return mounted.get(holder) == "autofs"


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

"""Installed interpreters and the store that they lie in, without running anything."""

from __future__ import annotations

import os
from shlex import quote

from bubble.envs.doctor.finding import ERROR, NOTE, WARNING, Finding, Patient
from bubble.envs.making.seed import check_seeds
from bubble.envs.tools.found import is_damaged, own_uv
from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.text import printable, size
from bubble.pythons.installed import store
from bubble.system.gone import barred, is_gone
from bubble.system.layout import layout_from
from bubble.system.mounts import locks_alone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_FREE = 1 << 30  # bytes: two interpreters and the packages of one environment
_FULL = 100 << 20


def shape(patient: Patient) -> Iterator[Finding]:
    """Look whether something else lies where the store's directories belong."""
    layout = patient.layout
    for path in (layout.home, layout.pythons, layout.envs, layout.registry, layout.locks):
        if os.path.lexists(path) and not os.path.isdir(path):
            yield Finding(
                id="store.shape",
                severity=ERROR,
                what=f"{printable(path, 500)} is not a directory",
                where=path,
                fix=f"mv {quote(path)} {quote(path + '.aside')}",
            )


def receipts(patient: Patient) -> Iterator[Finding]:
    """Look for directories of the store that are no whole installations."""
    for key, prefix in _keyed(patient):
        if not os.path.lexists(f"{prefix}/.bubble/receipt.json"):
            what = "has no receipt, so it counts as not installed"
            fix = f"bubble python install {key}"
        else:
            try:
                store.read_receipt(prefix)
            except BubbleError:
                what, fix = "has a damaged receipt", f"bubble python install --reinstall {key}"
            else:
                continue
        yield Finding(
            id="python.receipt",
            severity=ERROR,
            what=f"{key} {what}",
            where=prefix,
            fix=fix,
            automatic=True,
        )


def interpreters(patient: Patient) -> Iterator[Finding]:
    """Look for installations whose interpreter isn't there."""
    for installation in store.installations(patient.layout):
        closed = barred(installation.executable)
        if os.path.exists(installation.executable) and not closed:
            continue
        name = installation.key.name
        if closed:
            yield Finding(
                id="python.closed",
                severity=ERROR,
                what=f"{name} can't be run: this user may not look into {printable(closed, 500)}",
                where=installation.prefix,
                fix=f"ls -ld {quote(closed)}",
            )
            continue
        if installation.is_adopted:
            target = os.readlink(installation.executable)
            yield Finding(
                id="python.adopted-gone",
                severity=ERROR,
                what=f"{name} was adopted, and {printable(target, 500)} is gone",
                where=installation.prefix,
                fix=f"bubble python uninstall {installation.key}",
                automatic=is_gone(target, patient.layout.home),
            )
        else:
            yield Finding(
                id="python.damaged",
                severity=ERROR,
                what=f"{name} has lost its interpreter",
                where=installation.prefix,
                fix=f"bubble python verify --repair {installation.key}",
                automatic=True,
            )


def moved(patient: Patient) -> Iterator[Finding]:
    """Look for installations that lie elsewhere than their configuration says."""
    for installation in store.installations(patient.layout):
        try:
            made = store.made_for(installation)
        except BubbleError:
            continue  # reported as what it is
        if made:
            yield Finding(
                id="python.moved",
                severity=WARNING,
                what=f"{installation.key.name} was made for {printable(made, 500)}, which its "
                "sysconfig still names: extensions are built for what is there",
                where=installation.prefix,
                fix=f"bubble python verify --repair {installation.key}",
                automatic=True,
            )


def seeds(patient: Patient) -> Iterator[Finding]:
    """Look whether the pip that new environments get is as it was unpacked."""
    for checked in check_seeds(patient.layout):
        if checked.problems:
            first = checked.problems[0]
            yield Finding(
                id="seed.damaged",
                severity=WARNING,
                what=f"the pip {checked.seed.version} that new environments get isn't as it was "
                f"unpacked: {printable(first.path, 200)} ({first.what})",
                where=checked.seed.path,
                fix="bubble python verify --repair",
                automatic=True,
            )


def tools(patient: Patient) -> Iterator[Finding]:
    """Look whether the uv that bubble fetched is as it came."""
    if is_damaged(patient.layout):
        yield Finding(
            id="tool.damaged",
            severity=WARNING,
            what="the uv that bubble fetched isn't as it came",
            where=own_uv(patient.layout),
            fix="bubble gc --only tools",
            automatic=True,
        )


def owners(patient: Patient) -> Iterator[Finding]:
    """Look whose the store is: another's can be used, and is nobody else's to change."""
    layout = patient.layout
    try:
        home = os.stat(layout.home)
    except FileNotFoundError:
        return
    user = os.geteuid()
    readable = os.access(layout.home, os.R_OK | os.X_OK)
    if not (readable and os.access(layout.home, os.W_OK)):
        theirs = home.st_uid != user
        can = "it can be used, and not changed" if readable else "it can't be read"
        yield Finding(
            id="store.access",
            severity=NOTE if readable and theirs else WARNING if readable else ERROR,
            what=f"the store {printable(layout.home, 500)} belongs to "
            f"{user_name(home.st_uid)}: {can}"
            if theirs
            else f"{printable(layout.home, 500)} can't be "
            + ("written: nothing can be installed, and no memo is kept" if readable else "read"),
            where=layout.home,
            fix=own_store(patient) if theirs else f"chmod u+rwx {quote(layout.home)}",
        )
        return
    if home.st_mode & 0o020 or user not in (0, home.st_uid):
        return  # several look after it
    strange = [path for path in _places(patient) if _owner(path) not in (home.st_uid, None)]
    if strange:
        sudo = "" if user == 0 else "sudo "
        yield Finding(
            id="store.owner",
            severity=WARNING,
            what=f"not everything in the store is {user_name(home.st_uid)}'s, as the store is",
            where=strange[0],
            fix=f"{sudo}chown -R {home.st_uid}:{home.st_gid} {quote(layout.home)}",
        )


def is_anothers(patient: Patient) -> bool:
    """Whether the store is another user's and can't be changed by this one."""
    try:
        owner = os.stat(patient.layout.home).st_uid
    except OSError:
        return False
    return owner != os.geteuid() and not os.access(patient.layout.home, os.W_OK)


def own_store(patient: Patient) -> str:
    """Return the command by which a user gets a store of their own.

    One in the user's own home was made by a command that root ran there: it's nobody else's.
    """
    user = patient.env.get("HOME", "")
    if user and f"{patient.layout.home}/".startswith(f"{user}/") and _owner(user) == os.geteuid():
        return f"sudo chown -R {os.geteuid()} {quote(patient.layout.home)}"
    home = layout_from({n: v for n, v in patient.env.items() if n != "BUBBLE_HOME"}).home
    if home == patient.layout.home:
        home = f"{home}-{os.geteuid()}"
    return f"export BUBBLE_HOME={quote(home)}"


def user_name(number: int) -> str:
    """Return what a user is called, by the number where there is no name."""
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def locks(patient: Patient) -> Iterator[Finding]:
    """Look whether the store's locks hold between the machines that see it."""
    home = patient.layout.home
    if option := locks_alone(home):
        yield Finding(
            id="disk.locks",
            severity=NOTE,
            what=f"the store is on NFS mounted with {option}: its locks hold on this machine alone",
            where=home,
            fix="change the store from one machine at a time, or have it mounted with locks",
        )


def space(patient: Patient) -> Iterator[Finding]:
    """Look whether the disks are about to be full."""
    seen = set()
    layout = patient.layout
    places = ((layout.cache, "bubble cache prune"), (layout.home, "bubble gc"))
    for place, fix in places:
        path = place
        while not os.path.isdir(path) and path != "/":
            path = os.path.dirname(path)
        device = os.stat(path).st_dev
        if device in seen:
            continue
        seen.add(device)
        disk = os.statvfs(path)
        free = disk.f_bavail * disk.f_frsize
        if free < _FREE:
            yield Finding(
                id="disk.space",
                severity=ERROR if free < _FULL else WARNING,
                what=f"only {size(free)} are free on the disk of {printable(place, 500)}",
                where=place,
                fix=fix,
                automatic=True,
            )


def _keyed(patient: Patient) -> Iterator[tuple[str, str]]:
    """Yield the name and path of each directory that is called like an installation."""
    directory = patient.layout.pythons
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return
    for name in names:
        path = f"{directory}/{name}"
        if name.count("-") < 4 or name.startswith(".") or os.path.islink(path):
            continue
        try:
            yield str(parse_key(name)), path
        except BubbleError:
            continue


def _places(patient: Patient) -> Iterator[str]:
    """Yield what is looked at: the store's directories, and what lies in two of them."""
    layout = patient.layout
    for directory in (layout.home, layout.pythons, layout.envs):
        try:
            names = sorted(os.listdir(directory))
        except OSError:
            continue
        for name in names:
            yield f"{directory}/{name}"


def _owner(path: str) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None

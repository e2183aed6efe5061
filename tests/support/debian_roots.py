"""Roots of Debian by debootstrap, in which no Python is, and commands in them as a plain user."""

from __future__ import annotations

import os
import subprocess

from support.namespace import PREFIX
from support.needs import not_here, which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

USER = 12345
HOME = "/srv/a home"
# what an interpreter of this machine needs, packed; upstream's have it inside
LIBRARIES = ("libssl3", "libffi8", "libsqlite3-0", "libreadline8", "libexpat1", "libuuid1")
_ENTER = """
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot --userspec="$0" "$@"
"""


def debian(directory: str, release: str, packages: Sequence[str] = ()) -> str:
    """Make a root of a release in `directory`/`release`; return it. Skips where none can be had."""
    if os.geteuid():
        not_here("runs as root only")
    if which("debootstrap") is None:
        not_here("no debootstrap")
    root = f"{directory}/{release}"
    more = [f"--include={','.join(packages)}"] if packages else []
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", *more, release, root],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        not_here(f"debootstrap has no archive to take from: {done.stdout[-200:]}")
    return root


def in_root(
    root: str, *command: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a root as an ordinary user whose HOME has a space in its name."""
    home = f"{root}{HOME}"
    if not os.path.isdir(home):
        os.makedirs(home)
        os.chown(home, USER, USER)
    variables = {"HOME": HOME, "PATH": f"{HOME}/.local/bin:/usr/bin:/bin", **(env or {})}
    return subprocess.run(
        [*PREFIX, "sh", "-ec", _ENTER, f"{USER}:{USER}", root, *command],
        env={**variables, "PATH": f"{variables['PATH']}:/usr/sbin:/sbin"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip

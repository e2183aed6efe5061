"""What the system itself has or lacks, and how its packages are called."""

from __future__ import annotations

import os

from bubble.selection.path import find_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.system.layout import Layout

# terminfo(5): where systems keep the descriptions of terminals
TERMINALS = (
    "/etc/terminfo",
    "/lib/terminfo",
    "/usr/share/terminfo",
    "/usr/lib/terminfo",
    "/usr/share/lib/terminfo",
)
# package manager → how it installs, and what the packages are called
_MANAGERS = {
    "apt-get": (
        "apt-get install -y",
        "gcc libc6-dev",
        "ca-certificates",
        "ncurses-base",
        "libcrypt1",
    ),
    "dnf": (
        "dnf install -y",
        "gcc glibc-devel",
        "ca-certificates",
        "ncurses-base",
        "libxcrypt-compat",
    ),
    "yum": (
        "yum install -y",
        "gcc glibc-devel",
        "ca-certificates",
        "ncurses-base",
        "libxcrypt-compat",
    ),
    "zypper": (
        "zypper install -y",
        "gcc glibc-devel",
        "ca-certificates",
        "terminfo-base",
        "libcrypt1",
    ),
    "pacman": ("pacman -S --noconfirm", "gcc", "ca-certificates", "ncurses", "libxcrypt-compat"),
    "apk": ("apk add", "gcc musl-dev", "ca-certificates", "ncurses-terminfo-base", "gcompat"),
}
_PACKAGES = ("compiler", "ca", "terminfo", "libcrypt")


def install_command(what: str, env: Mapping[str, str], layout: Layout) -> str:
    """Return the command line that installs one of _PACKAGES here, by what is on PATH.

    As root, or with sudo. Without a known package manager: the packages of Debian.
    """
    sudo = "" if os.geteuid() == 0 else "sudo "
    here = (program for program in _MANAGERS if find_system(program, env, layout))
    command, *packages = _MANAGERS[next(here, "apt-get")]
    return f"{sudo}{command} {packages[_PACKAGES.index(what)]}"

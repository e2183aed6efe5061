"""Roots of other releases and architectures: Debian's packages unpacked, nothing set up.

They come by apt, with a configuration of their own beside the root, from wherever this machine's
apt takes its packages; nothing of the machine is changed. An architecture that isn't this
machine's runs under qemu, registered in the namespace of the command alone.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

from support.needs import not_here, which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SOURCES = "/etc/apt/sources.list.d/debian.sources"
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
# snapshots of sid are old by their own word, and signed all the same
_CONFIGURATION = """\
Dir::Etc "{apt}/etc"; Dir::Etc::sourcelist "{apt}/etc/sources.list";
Dir::Etc::sourceparts "-"; Dir::State "{apt}/state"; Dir::State::status "{apt}/status";
Dir::Cache "{apt}/cache"; APT::Architecture "{arch}"; APT::Architectures {{ "{arch}"; }};
APT::Install-Recommends "false"; APT::Sandbox::User "root";
Acquire::Languages "none"; Acquire::Check-Valid-Until "false";
"""
_ENTER = r"""
root=$1 binds=$2; shift 2
for place in proc dev tmp; do mkdir -p "$root/$place"; done
if [ -n "$QEMU" ]; then
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    printf '%s' "$QEMU" >/proc/sys/fs/binfmt_misc/register
fi
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
IFS=:
for place in $binds; do
    mkdir -p "$root$place"
    mount --bind "$place" "$root$place"
done
unset IFS QEMU
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Root:
    """A root at `path`; `qemu` is the line that registers what runs its programs, "" for none."""

    path: str
    qemu: str = ""

    def run(
        self, *command: str, binds: Sequence[str], env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the root, with the directories `binds` at their own paths."""
        return subprocess.run(
            ["unshare", "-Urm", "sh", "-euc", _ENTER, "sh", self.path, ":".join(binds), *command],
            env={**env, "QEMU": self.qemu, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip


def unpacked(directory: str, suite: str, packages: Sequence[str], *, arch: str = "amd64") -> Root:
    """Unpack packages and what they need; skip the calling test where they can't be had."""
    if which("apt-get") is None or not os.path.exists(_SOURCES):
        not_here("no Debian, or its sources are elsewhere")
    os.makedirs(directory, exist_ok=True)
    taken = _download(f"{directory}.apt", suite, packages, arch)
    for package in taken:
        subprocess.run(["dpkg-deb", "-x", package, directory], check=True)
    return Root(path=directory, qemu=_qemu(directory) if arch == "arm64" else "")


def _download(apt: str, suite: str, packages: Sequence[str], arch: str) -> list[str]:
    for place in ("etc", "state/lists/partial", "cache/archives/partial"):
        os.makedirs(f"{apt}/{place}")
    with open(_SOURCES, encoding="utf-8") as file:
        found = re.search(r"^URIs:\s*(\S+)", file.read(), re.MULTILINE)
    assert found
    with open(f"{apt}/etc/sources.list", "w", encoding="utf-8") as file:
        file.write(f"deb [signed-by={_KEYS}] {found[1]} {suite} main\n")
    with open(f"{apt}/apt.conf", "w", encoding="utf-8") as file:
        file.write(_CONFIGURATION.format(apt=apt, arch=arch))
    with open(f"{apt}/status", "w", encoding="utf-8"):
        pass
    wanted = (["update"], ["install", "-y", "--download-only", *packages])
    for words in wanted:
        done = subprocess.run(
            ["apt-get", "-qq", *words],
            env={**os.environ, "APT_CONFIG": f"{apt}/apt.conf"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            not_here(f"Debian's {suite} can't be had for {arch}: {done.stderr[-200:]}")
    archives = f"{apt}/cache/archives"
    return [f"{archives}/{name}" for name in sorted(os.listdir(archives)) if name.endswith(".deb")]


def _qemu(directory: str) -> str:
    """Return the line that registers aarch64's qemu, taken from its package."""
    apt = f"{directory}.qemu"
    (host,) = (
        subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
        .stdout.split()
    )  # fmt: skip
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE)
    assert found
    (package,) = (
        path
        for path in _download(apt, found[1], ["qemu-user-static"], host)
        if "/qemu-user-static_" in path
    )
    subprocess.run(["dpkg-deb", "-x", package, f"{apt}/x"], check=True)
    with open(f"{apt}/x/usr/lib/binfmt.d/qemu-aarch64.conf", encoding="utf-8") as file:
        *line, program, _ = file.read().strip().split(":")
    # opened when it is registered (F), and told its own name (P)
    return ":".join([*line, f"{apt}/x{program}", "OPF"])

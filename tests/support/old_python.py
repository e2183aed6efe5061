"""A real CPython that runs on Debian 11, whose C library is older than this machine's.

No index has one, so it is built: Debian 13's source, in a root of Debian 11. Ten minutes on a
machine that has others to serve, once in a day for all tests: for long forms alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from bubble.pythons import pack
from bubble.system.host import host_platform
from bubble.system.layout import Layout
from bubble.system.lock import Lock
from support.builds import TAG, shared_cache
from support.debian_roots import debian
from support.needs import not_here

MINOR = "3.13"
# of Debian 11: what it takes from the system, packed
LIBRARIES = (
    *("libssl1.1", "libffi7", "libsqlite3-0", "libreadline8", "libbz2-1.0", "liblzma5"),
    *("libuuid1", "libncursesw6"),
)
_TO_BUILD = (
    *("gcc", "make", "libc6-dev", "libssl-dev", "libffi-dev", "zlib1g-dev", "libbz2-dev"),
    *("liblzma-dev", "libsqlite3-dev", "libreadline-dev", "uuid-dev", "pkg-config", "xz-utils"),
)
_BUILD = """
cd /build
tar -xf ./*.orig.tar.xz
cd Python-*
./configure --prefix=/opt/python --disable-test-modules
make -j "$0"
make install
/opt/python/bin/python3 -c 'import bz2, ctypes, lzma, readline, sqlite3, ssl, uuid, zlib'
"""


def old_mirror() -> str:
    """Return a mirror's directory (catalogue.json in it) with that one build, or skip the test."""
    cache = shared_cache()
    directory = f"{cache}/on-debian-11"
    with Lock(f"{cache}/.lock-debian-11"):
        if not os.path.exists(f"{directory}/.complete"):
            shutil.rmtree(directory, ignore_errors=True)
            root = debian(directory, "bullseye", _TO_BUILD)
            _fetch(root)
            jobs = str(os.cpu_count() or 1)
            _run(["chroot", root, "sh", "-ec", _BUILD, jobs])
            pack.pack(
                directory,
                f"{root}/opt/python",
                layout=Layout(home=f"{cache}/store", cache=f"{cache}/cache"),
                env=os.environ,
                platform=host_platform(os.environ),
                tag=TAG,
            )
            shutil.rmtree(root)
            with open(f"{directory}/.complete", "w", encoding="ascii"):
                pass
        os.utime(f"{directory}/.complete")
    return directory


def _fetch(root: str) -> None:
    """Bring the source, by this machine's apt, from where the root came from."""
    place = f"{root}/build"
    with open(f"{root}/etc/apt/sources.list", encoding="utf-8") as file:
        url = file.readline().split()[1]
    for directory in ("lists/partial", "archives/partial"):
        os.makedirs(f"{place}/{directory}")
    with open(f"{place}/sources.list", "w", encoding="utf-8") as file:
        file.write(f"deb-src {url} trixie main\n")
    apt = [
        "apt-get", "-q", "-o", f"Dir::Etc::sourcelist={place}/sources.list",
        "-o", "Dir::Etc::sourceparts=/dev/null", "-o", f"Dir::State::lists={place}/lists",
        "-o", f"Dir::Cache={place}", "-o", "APT::Sandbox::User=root",
    ]  # fmt: skip
    done = subprocess.run([*apt, "update"], capture_output=True, text=True, check=False)
    if done.returncode:
        not_here(f"no source of a newer Debian: {done.stderr[-200:]}")
    _run([*apt, "source", "--download-only", f"python{MINOR}"], cwd=place)


def _run(command: list[str], cwd: str | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]

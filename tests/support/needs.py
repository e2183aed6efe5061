"""What a test needs of the machine, and the one way to skip where it isn't there.

Reasons have two forms, which `conftest` tells apart:

- "needs …": something that can be installed or fetched. `.ci/run` provides all of it, and there
  (BUBBLE_TEST_NO_SKIPS=1) such a skip fails the run.
- "not here: …": what this machine or this user can't have (macOS on Linux, root, mounts), and long
  forms that nobody asked for. Listed everywhere, fails nowhere.

`@needs("strace")`, `@NEEDS_REAL_BUILD`, `@ROOT_ONLY`; inside a test or a fixture call
`not_here("…")`, `real_build()` or `real_uv()`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

NEEDS = "needs "
NOT_HERE = "not here: "
FULL = os.environ.get("BUBBLE_TEST_FULL") == "1"

# where a package's name differs from the program's
_PACKAGES = {
    "chattr": "e2fsprogs",
    "ip": "iproute2",
    "mkfs.ext4": "e2fsprogs",
    "strip": "binutils",
    "prlimit": "util-linux",
    "unshare": "util-linux",
    "cc": "gcc",
    "csh": "tcsh",
}


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip the test, and name what is missing, unless every program is on PATH (or in sbin)."""
    missing = [program for program in programs if which(program) is None]
    names = ", ".join(missing)
    packages = " ".join(_PACKAGES.get(program, program) for program in missing)
    return pytest.mark.skipif(bool(missing), reason=f"{NEEDS}{names} (apt install {packages})")


def which(program: str) -> str | None:
    """Return the absolute path of `program`; the system directories count for everybody."""
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(program, path=f"{path}:/usr/sbin:/sbin")


def real_build() -> str:
    """Return the path of a real python-build-standalone archive, or skip the calling test."""
    archive = os.environ.get("BUBBLE_TEST_PBS_ARCHIVE", "")
    if not archive:
        pytest.skip(_REAL_BUILD)
    assert os.path.isfile(archive), f"BUBBLE_TEST_PBS_ARCHIVE: there is no file {archive}"
    return archive


def real_uv() -> str:
    """Return the path of a real uv (BUBBLE_TEST_UV, or on PATH), or skip the calling test."""
    return os.environ.get("BUBBLE_TEST_UV") or which("uv") or not_here("no uv: BUBBLE_TEST_UV")


@contextlib.contextmanager
def other_disk(than: str) -> Iterator[str]:
    """Make a directory on another file system than that of a path, or skip the calling test."""
    for place in ("/dev/shm", "/var/tmp"):
        if os.access(place, os.W_OK) and os.stat(place).st_dev != os.stat(than).st_dev:
            with tempfile.TemporaryDirectory(dir=place) as directory:
                yield directory
            return
    not_here("there is only one disk")


def not_here(reason: str) -> NoReturn:
    """Skip the calling test for something that this machine can't have."""
    pytest.skip(NOT_HERE + reason)


_REAL_BUILD = f"{NEEDS}a real build (scripts/fetch-real-build, BUBBLE_TEST_PBS_ARCHIVE)"
NEEDS_REAL_BUILD = pytest.mark.skipif(
    not os.environ.get("BUBBLE_TEST_PBS_ARCHIVE"), reason=_REAL_BUILD
)
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason=f"{NOT_HERE}runs as root only")
NOT_ROOT = pytest.mark.skipif(
    os.geteuid() == 0, reason=f"{NOT_HERE}root ignores permissions, and this runs as root"
)
LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason=f"{NOT_HERE}Linux only")
FULL_ONLY = pytest.mark.skipif(not FULL, reason=f"{NOT_HERE}a long form, scripts/test --full")

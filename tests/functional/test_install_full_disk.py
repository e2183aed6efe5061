"""install.sh, and a bundle, on small disks that are full: as before or installed, nothing left."""

from __future__ import annotations

import os

import pytest

from support.namespace import on_disks, require_loop, require_mounts
from support.needs import FULL, LINUX_ONLY
from support.small_release import small_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

pytestmark = LINUX_ONLY
CASES = [
    ("tmpfs", "install.sh", "first"),
    ("tmpfs", "bundle", "update"),
    *([("ext4", "install.sh", "update"), ("ext4", "bundle", "first")] if FULL else []),
]
STEP = {"install.sh": 4 if FULL else 12, "bundle": 8 if FULL else 48}  # KiB


@pytest.mark.parametrize(("disk", "what", "when"), CASES)
def test_on_a_full_disk_it_says_so_and_all_is_as_before(
    disk: str, what: str, when: str, tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    require_mounts(str(tmp_path))
    if disk == "ext4":
        require_loop(str(tmp_path))
    new = small_release(f"{tmp_path}/new", version="2.0")
    if what == "bundle":
        new = bundled(bubble, new, f"{tmp_path}/b.sh")
    old = [small_release(f"{tmp_path}/old")] if when == "update" else []
    answer = on_disks(tmp_path, disk, "16", str(STEP[what]), new, "2.0", *old)
    assert answer["problems"] == []
    assert STEP[what] < answer["kib"] < 1024, "it never failed, or never succeeded"


def bundled(bubble: Callable[..., Result], release: str, file: str) -> str:
    """Make a bundle of a release, and return it."""
    os.mkdir(f"{release}/wheels")
    for name in ("requirements.lock", "wheels/nothing-1.0-py3-none-any.whl"):
        with open(f"{release}/{name}", "w", encoding="ascii") as written:
            written.write(f"{name}\n")
    done = bubble("bundle", "create", file, "--release", release)
    assert done.status == 0, done
    return file

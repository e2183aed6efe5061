"""What the mount table says of a store's locks between machines."""

from __future__ import annotations

import os

import pytest

from bubble.system.mounts import locks_alone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

TABLE = {
    "36 35 {d} / /srv rw,relatime shared:1 - nfs srv:/x rw,vers=3,nolock,proto=tcp": "nolock",
    "36 35 {d} / /srv rw - nfs srv:/x rw,vers=3,local_lock=all": "local_lock=all",
    "36 35 {d} / /srv rw - nfs4 srv:/a\\040b rw,local_lock=flock,vers=4.2": "local_lock=flock",
    "36 35 {d} / /srv rw - nfs4 srv:/x rw,vers=4.2,local_lock=none": "",
    "36 35 {d} / /srv rw - nfs srv:/x rw,local_lock=posix": "",
    "36 35 {d} / /srv rw - ext4 /dev/sda1 rw,nolock": "",
    "36 35 0:0 / /srv rw - nfs srv:/x rw,nolock": "",
    "36 35 {d} / /srv rw - nfs": "",
    "36 35 {d}": "",
    "": "",
}


@pytest.mark.parametrize("line", TABLE)
def test_what_is_mounted_without_locks_is_known_by_the_mount_table(
    line: str, tmp_path: Path
) -> None:
    device = os.stat(tmp_path).st_dev
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 0:1 / / rw - tmpfs none rw\n"
        + line.format(d=f"{os.major(device)}:{os.minor(device)}")
        + "\n"
    )
    assert locks_alone(str(tmp_path), str(table)) == TABLE[line]


def test_what_cant_be_looked_at_says_nothing(tmp_path: Path) -> None:
    assert locks_alone(f"{tmp_path}/none") == ""
    assert locks_alone(str(tmp_path), f"{tmp_path}/none") == ""

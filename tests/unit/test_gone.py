"""Gone, or not to be seen now: only evidence of a removal counts."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess

import pytest

from bubble.envs.discarding import gc
from bubble.system import gone, mounts
from bubble.system.gone import is_gone
from support.handmade import environment, machine, write
from support.others import NOBODY, everybodys_bubble, opened, run_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from bubble.system.layout import Layout

STORE = "/nonexistent/store"


def table_of(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """Take a file for the kernel's table of mounts."""
    monkeypatch.setattr(mounts, "TABLE", table)


@pytest.fixture
def full(tmp_path: Path) -> str:
    """Return a directory that isn't empty."""
    write(f"{tmp_path}/full/neighbour")
    return f"{tmp_path}/full"


def test_what_somebody_removed_is_gone_however_much_of_it(full: str) -> None:
    assert is_gone(f"{full}/.venv", STORE)
    assert is_gone(f"{full}/project/.venv", STORE)
    assert is_gone(f"{full}/a/b/c/.venv", STORE)


def test_what_is_there_is_not_gone_a_dangling_link_included(full: str) -> None:
    os.symlink("nowhere", f"{full}/.venv")
    assert not is_gone(f"{full}/.venv", STORE)
    assert not is_gone(f"{full}/neighbour", STORE)


def test_an_empty_directory_may_be_a_mount_point_but_not_in_the_store(full: str) -> None:
    os.makedirs(f"{full}/disk")
    assert not is_gone(f"{full}/disk/project/.venv", STORE)
    assert is_gone(f"{full}/disk/project/.venv", full)


def test_a_link_out_of_the_store_to_a_disk_is_looked_at_where_it_leads(full: str) -> None:
    os.makedirs(f"{full}/disk")
    os.makedirs(f"{full}/store")
    os.symlink(f"{full}/disk/envs", f"{full}/store/envs")
    assert not is_gone(f"{full}/store/envs/train", f"{full}/store")
    write(f"{full}/disk/envs/other")
    assert is_gone(f"{full}/store/envs/train", f"{full}/store")


@pytest.mark.parametrize(
    "path",
    [
        "/media/me/USB1/project/.venv",
        "/media/USB1/project/.venv",
        "/run/media/me/USB1/project/.venv",
        "/mnt/backup/project/.venv",
        "/Volumes/USB1/project/.venv",
        "/net/server/export/project/.venv",
        "/nonexistent-disk/project/.venv",
    ],
)
def test_where_disks_come_and_go_a_missing_directory_says_nothing(path: str) -> None:
    assert not os.path.exists(path), "this machine has what the test invents"
    assert not is_gone(path, STORE)


@pytest.mark.parametrize(
    ("base", "steps"), [("media", 2), ("run/media", 2), ("mnt", 1), ("Volumes", 1)]
)
def test_such_a_place_is_none_below_the_disk_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str, steps: int
) -> None:
    """Other disks are in, so that no directory is empty; the bases are put where one may write."""
    monkeypatch.setattr(gone, "_BASES", {f"{tmp_path}/{base}": steps})
    holder = f"{tmp_path}/{base}/me" if steps == 2 else f"{tmp_path}/{base}"
    write(f"{holder}/other/file")
    assert not is_gone(f"{holder}/USB1/project/.venv", STORE)
    assert not is_gone(f"{holder}/USB1", STORE)
    assert is_gone(f"{holder}/other/project/.venv", STORE)


@pytest.mark.parametrize(
    "error",
    [errno.ESTALE, errno.EACCES, errno.EIO, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN],
)
@pytest.mark.parametrize("at", ["lstat", "scandir"])
def test_an_error_is_no_evidence(
    full: str, monkeypatch: pytest.MonkeyPatch, at: str, error: int
) -> None:
    def fail(path: str) -> object:
        raise OSError(error, os.strerror(error), path)

    monkeypatch.setattr(os, at, fail)
    assert not is_gone(f"{full}/.venv", STORE)


def test_of_a_large_directory_one_name_is_read(full: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a thousand that are gone from among a thousand would take a million."""
    read: list[str] = []

    class Counted:
        def __init__(self, path: str) -> None:
            self._entries = scandir(path)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self._entries.close()

        def __iter__(self) -> Self:
            return self

        def __next__(self) -> os.DirEntry[str]:
            entry = next(self._entries)
            read.append(entry.name)
            return entry

    scandir = os.scandir
    for name in "abcdefgh":
        write(f"{full}/{name}")
    monkeypatch.setattr(os, "scandir", Counted)
    monkeypatch.setattr(os, "listdir", lambda path: pytest.fail(f"all of {path} is read"))
    assert is_gone(f"{full}/project/.venv", STORE)
    assert len(read) == 1


def test_a_loop_a_file_for_a_directory_and_a_name_too_long_are_no_evidence(full: str) -> None:
    os.symlink("loop", f"{full}/loop")
    assert not is_gone(f"{full}/loop/.venv", STORE)
    assert not is_gone(f"{full}/neighbour/.venv", STORE)
    assert not is_gone(f"{full}/{'long' * 99}", STORE)


def test_what_fstab_names_and_is_not_mounted_is_away(
    full: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(f"{full}/left behind below/the mount/point")
    disk = f"{full}/left\\040behind\\040below"
    monkeypatch.setattr(gone, "_FSTAB", write(f"{tmp_path}/fstab", "# none\n/dev/x / ext4\n"))
    path = f"{full}/left behind below/project/.venv"
    assert is_gone(path, STORE)
    write(f"{tmp_path}/fstab", f"# a disk\n/dev/sdb1 {disk} ext4 noauto 0 0\n")
    assert not is_gone(path, STORE)
    line = f"1 0 8:1 / {disk} rw shared:1 - ext4 /dev/sdb1 rw"
    table_of(monkeypatch, write(f"{tmp_path}/mountinfo", f"{line}\n"))
    assert is_gone(path, STORE), "it is mounted now"


def test_below_an_automounter_nothing_is_known(
    full: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = f"1 0 0:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:2 / {full} rw - autofs auto.home rw\n"
    table_of(monkeypatch, write(f"{tmp_path}/mountinfo", lines))
    assert not is_gone(f"{full}/me/project/.venv", STORE)
    table_of(monkeypatch, f"{tmp_path}/no-such-file")
    assert is_gone(f"{full}/me/project/.venv", STORE)


def test_what_this_user_could_not_have_removed_is_not_gone(full: str, tmp_path: Path) -> None:
    """`/media/me` is root's: whoever looks can't have taken USB1 away from there."""
    tool = everybodys_bubble(f"{opened(tmp_path)}/tool")
    code = "import sys; from bubble.system.gone import is_gone; print(is_gone(sys.argv[1], '/x'))"
    argv = [f"{tool}/python", "-I", "-c", code, f"{full}/USB1/project/.venv"]
    assert subprocess.check_output(argv, text=True) == "True\n"
    assert run_as(NOBODY, argv, {}, "/").stdout == "False\n"


def test_records_and_kernels_of_what_is_away_stay(layout: Layout, tmp_path: Path) -> None:
    write(f"{tmp_path}/disk/project/file")
    made = environment(layout, path=f"{tmp_path}/disk/project/.venv")
    home = tmp_path / "home"
    spec = (
        f'{{"argv": ["{made.path}/bin/python"], '
        f'"metadata": {{"bubble": {{"environment": "{made.path}", "identity": "x"}}}}}}'
    )
    write(f"{home}/.local/share/jupyter/kernels/train/kernel.json", spec)
    kinds = ["records", "kernels"]

    def planned() -> list[str]:
        return [item.kind for item in gc.plan(machine(layout), "/", kinds)]

    os.rename(f"{tmp_path}/disk", f"{tmp_path}/away")
    os.mkdir(f"{tmp_path}/disk")
    assert planned() == []
    os.rmdir(f"{tmp_path}/disk")
    found = gc.plan(machine(layout), "/", kinds)
    assert [item.kind for item in found] == kinds
    os.mkdir(f"{tmp_path}/disk")  # plugged in, and out again, since the plan
    assert gc.collect(found, machine(layout)).removed == ()
    shutil.rmtree(f"{tmp_path}/disk")
    assert len(gc.collect(found, machine(layout)).removed) == 2

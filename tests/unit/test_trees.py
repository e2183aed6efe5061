"""Directory trees: deleted without following a link or crossing a mount, and measured."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.system import mounts
from bubble.system.mounts import mount_below
from bubble.system.trees import Obstacle, obstacle, remove_tree, size_of
from support.needs import ROOT_ONLY, needs, not_here
from support.trees import fill, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_tree_is_deleted_without_following_its_links(tmp_path: Path, canary: str) -> None:
    tree = str(tmp_path / "tree")
    fill(tree)
    os.symlink(canary, f"{tree}/deep/link")
    os.symlink(f"{canary}/file", f"{tree}/file")
    remove_tree(tree)
    assert not os.path.lexists(tree)


def test_a_link_to_a_tree_is_unlinked_and_nothing_more(tmp_path: Path, canary: str) -> None:
    link = str(tmp_path / "link")
    os.symlink(canary, link)
    remove_tree(link)
    assert not os.path.lexists(link)


def test_directories_without_permissions_are_deleted_too(tmp_path: Path) -> None:
    tree = str(tmp_path / "tree")
    fill(tree)
    os.chmod(f"{tree}/deep", 0)
    remove_tree(tree)
    assert not os.path.lexists(tree)


def test_what_is_gone_already_is_fine(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "nothing"))
    remove_tree(str(tmp_path / "nothing" / "below"))


@ROOT_ONLY
def test_a_tree_with_a_mount_below_is_refused_untouched(tmp_path: Path) -> None:
    tree = str(tmp_path / "a tree")
    fill(tree)
    script = (
        "import sys\n"
        "from bubble.system.trees import remove_tree\n"
        "from bubble.model.errors import BubbleError\n"
        "try:\n    remove_tree(sys.argv[1])\n"
        "except BubbleError as error:\n    print(error.kind, error.message)\n"
    )
    done = subprocess.run(
        [
            *("unshare", "-m", "sh", "-c"),
            'mount -t tmpfs none "$1/deep/er" && exec "$2" -c "$3" "$1"',
            *("sh", tree, sys.executable, script),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        not_here("no mount namespace of one's own")
    assert done.stdout == f"store {tree}/deep/er is mounted below {tree}\n"
    assert filled(tree) == "new"


def test_no_mount_is_found_below_an_ordinary_directory(tmp_path: Path) -> None:
    assert mount_below(str(tmp_path)) == ""


def test_the_size_of_a_tree_counts_a_hard_linked_file_once(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_bytes(os.urandom(1 << 20))
    once = size_of(str(tmp_path / "tree"))
    os.link(tmp_path / "tree" / "file", tmp_path / "tree" / "again")
    assert size_of(str(tmp_path / "tree")) == once >= 1 << 20


def test_a_directory_that_goes_while_it_is_deleted_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for another one who deletes the same tree, between a look and the opening."""
    fill(str(tmp_path / "tree"))
    opened = os.open

    def late(path: str, flags: int, **options: int) -> int:
        if path == "deep":
            shutil.rmtree(tmp_path / "tree" / "deep")
        return opened(path, flags, **options)

    monkeypatch.setattr("bubble.system.trees.os.open", late)
    remove_tree(str(tmp_path / "tree"))
    assert not os.path.lexists(tmp_path / "tree")


def test_a_mount_error_carries_a_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bubble.system.mounts.mount_below", lambda path: f"{path}/m")
    with pytest.raises(BubbleError) as caught:
        remove_tree(str(tmp_path / "tree"))
    assert caught.value.kind == "store"
    assert caught.value.hint.startswith("umount ")


def test_where_there_is_no_proc_nothing_is_known_to_be_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(path: str, *_: object) -> None:
        raise FileNotFoundError(path)

    assert mount_below("/proc") == "/proc"
    fill(str(tmp_path / "tree"))
    monkeypatch.setattr(mounts, "open", missing, raising=False)
    assert mount_below("/proc") == ""
    remove_tree(str(tmp_path / "tree"))
    assert not os.path.lexists(tmp_path / "tree")


def test_a_mount_point_with_a_space_and_a_backslash_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for the kernel's table, which writes them as octal numbers."""
    table = tmp_path / "mountinfo"
    point = tmp_path / "a b\\c\td"
    escaped = str(point).replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011")
    table.write_text(f"36 35 98:0 /root {escaped} rw - ext3 /dev/root rw\n")
    monkeypatch.setattr(mounts, "open", lambda _, mode: table.open(mode), raising=False)
    assert mount_below(str(point)) == mount_below(str(tmp_path)) == str(point)
    assert mount_below(f"{point}/below") == mount_below(str(tmp_path / "a")) == ""


def test_the_size_of_a_tree_is_without_what_goes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kept", "going"):
        (tmp_path / name).write_bytes(os.urandom(1 << 16))
    looked = os.lstat

    def lstat(path: str, **options: int) -> os.stat_result:
        if path == "going":
            os.unlink(path, **options)
        return looked(path, **options)

    monkeypatch.setattr("bubble.system.trees.os.lstat", lstat)
    assert size_of(str(tmp_path)) == looked(tmp_path / "kept").st_blocks * 512 > 0
    assert not os.path.exists(tmp_path / "going")


@pytest.mark.parametrize("depth", [40, 3000])
def test_a_tree_of_any_depth_is_measured_and_deleted_with_few_descriptors(
    tmp_path: Path, depth: int
) -> None:
    """Also where a path to the bottom would be longer than the system takes."""
    here = os.open(tmp_path, os.O_RDONLY)
    for name in ["top", *["d" * 9] * depth]:
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with open(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=here), "w") as file:
        file.write("x" * 5000)
    os.close(here)
    top = str(tmp_path / "top")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 48, hard))
    try:
        assert size_of(top) >= 5000
        assert obstacle(top) is None
        remove_tree(top)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not os.path.lexists(top)


def test_what_cannot_be_deleted_keeps_nothing_else_and_is_named_in_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for another user's files."""
    fill(str(tmp_path / "tree"))
    (tmp_path / "tree" / "zone").mkdir()
    real = os.unlink

    def unlink(name: str, **options: int) -> None:
        if name == "b":
            raise PermissionError(errno.EACCES, "Permission denied", name)
        real(name, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(PermissionError) as caught:
        remove_tree(str(tmp_path / "tree"))
    assert caught.value.filename == str(tmp_path / "tree/deep/b")
    left = [f"{d}/{n}" for d, _, names in os.walk(tmp_path) for n in names]
    assert left == [str(tmp_path / "tree/deep/b")]


def test_a_link_that_comes_in_the_place_of_a_directory_changes_nothing_where_it_leads(
    tmp_path: Path, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double for another one who is faster, between the listing and the opening."""
    fill(str(tmp_path / "tree"))
    os.chmod(f"{canary}", 0o500)
    opened = os.open

    def late(path: str, flags: int, *mode: int, **options: int) -> int:
        if path == "deep" and not os.path.islink(tmp_path / "tree/deep"):
            shutil.rmtree(tmp_path / "tree/deep")
            os.symlink(canary, tmp_path / "tree/deep")
        return opened(path, flags, *mode, **options)

    monkeypatch.setattr("bubble.system.trees.os.open", late)
    with pytest.raises(NotADirectoryError):
        remove_tree(str(tmp_path / "tree"))
    monkeypatch.undo()
    assert os.stat(canary).st_mode & 0o777 == 0o500
    os.chmod(canary, 0o755)
    remove_tree(str(tmp_path / "tree"))
    assert not os.path.lexists(tmp_path / "tree")


@ROOT_ONLY
@needs("chattr")
@pytest.mark.parametrize("flag", ["i", "a"])
@pytest.mark.parametrize("name", ["deep", "deep/b"])
def test_what_is_immutable_is_told(flag: str, name: str) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as root:
        path = f"{root}/tree"
        fill(path)
        if subprocess.run(["chattr", f"+{flag}", f"{path}/{name}"], check=False).returncode:
            not_here("no file system with flags")
        try:
            found = obstacle(path)
            with pytest.raises(PermissionError) as caught:
                remove_tree(path)
        finally:
            subprocess.run(["chattr", "-R", f"-{flag}", path], check=True)
        assert found == Obstacle(path=f"{path}/{name}", why="it is immutable", is_fixed=True)
        assert caught.value.filename.startswith(f"{path}/deep")
        remove_tree(path)
        assert not os.path.lexists(path)


@ROOT_ONLY
@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_another_users_directory_is_told_and_what_is_ours_goes(mode: int) -> None:
    with tempfile.TemporaryDirectory() as root:
        tree = f"{root}/tree"
        fill(tree)
        for place in (root, tree, f"{tree}/deep"):
            os.chown(place, 65534, 65534)
        stuck = f"{tree}/deep/er"
        os.chmod(stuck, mode)
        os.seteuid(65534)
        try:
            assert obstacle(tree) == Obstacle(path=stuck, why="it belongs to another user")
            with pytest.raises(PermissionError) as caught:
                remove_tree(tree)
        finally:
            os.seteuid(0)
        assert caught.value.filename == (f"{stuck}/c" if mode == 0o755 else stuck)
        left = [f"{place}/{name}" for place, _, names in os.walk(tree) for name in names]
        assert left == [f"{stuck}/c"]


def test_what_another_machine_has_deleted_meanwhile_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over NFS, that is a stale handle and not a missing file."""
    for name in ("tree/a/b", "tree/c"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text("x")
    unlink, rmdir = os.unlink, os.rmdir

    def stale(action: Callable[..., None]) -> Callable[..., None]:
        def do(name: str, *, dir_fd: int | None = None) -> None:
            action(name, dir_fd=dir_fd)  # by the other machine
            raise OSError(errno.ESTALE, "Stale file handle", name)

        return do

    monkeypatch.setattr(os, "unlink", stale(unlink))
    monkeypatch.setattr(os, "rmdir", stale(rmdir))
    remove_tree(str(tmp_path / "tree"))
    assert not (tmp_path / "tree").exists()

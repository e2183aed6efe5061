"""Directory trees: deleted without following a link or crossing a mount, and measured."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.system import trees
from bubble.system.trees import mount_below, remove_tree, size_of
from support.needs import ROOT_ONLY, not_here
from support.trees import fill, filled

if TYPE_CHECKING:
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
        "from bubble.system.trees import mount_below, remove_tree\n"
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
    monkeypatch.setattr("bubble.system.trees.mount_below", lambda path: f"{path}/m")
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
    monkeypatch.setattr(trees, "open", missing, raising=False)
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
    monkeypatch.setattr(trees, "open", lambda _, mode: table.open(mode), raising=False)
    assert mount_below(str(point)) == mount_below(str(tmp_path)) == str(point)
    assert mount_below(f"{point}/below") == mount_below(str(tmp_path / "a")) == ""


def test_the_size_of_a_tree_is_without_what_goes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kept", "going"):
        (tmp_path / name).write_bytes(os.urandom(1 << 16))
    looked = os.lstat

    def lstat(path: str) -> os.stat_result:
        if path.endswith("/going"):
            os.unlink(path)
        return looked(path)

    monkeypatch.setattr("bubble.system.trees.os.lstat", lstat)
    assert size_of(str(tmp_path)) == looked(tmp_path / "kept").st_blocks * 512 > 0
    assert not os.path.exists(tmp_path / "going")

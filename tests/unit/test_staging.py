"""Staging directories, and what a sweep does with the dead ones."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.system import kernel
from bubble.system.staging import Staging, discard, sweep
from bubble.system.trees import mount_below, remove_tree, size_of

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout

STAGE = """
import sys, time
from bubble.system.layout import Layout
from bubble.system.staging import Staging
layout = Layout(home=sys.argv[1], cache=sys.argv[1])
with Staging(layout, "key") as staging:
    open(staging.path + "/file", "w").close()
    print(staging.path, flush=True)
    time.sleep(60)
"""


def fill(path: str, text: str = "new") -> None:
    os.makedirs(f"{path}/deep/er")
    for name in ("a", "deep/b", "deep/er/c"):
        with open(f"{path}/{name}", "w") as file:
            file.write(text)


def content(path: str) -> str:
    with open(f"{path}/deep/er/c") as file:
        return file.read()


def test_what_was_not_published_is_gone(layout: Layout) -> None:
    with Staging(layout, "key") as staging:
        fill(staging.path)
        assert os.stat(staging.path).st_mode & 0o777 == 0o700
    assert os.listdir(layout.staging) == []


def test_publishing_makes_the_target_and_leaves_no_scratch(layout: Layout) -> None:
    target = layout.python("key")
    with Staging(layout, "key") as staging:
        fill(staging.path)
        staging.publish(target)
    assert content(target) == "new"
    assert os.stat(target).st_mode & 0o777 == 0o755
    assert os.listdir(layout.staging) == []


@pytest.mark.parametrize("can_exchange", [True, False])
def test_publishing_replaces_what_is_there(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr(kernel, "exchange", lambda *_: False)
    target = layout.python("key")
    fill(target, "old")
    with Staging(layout, "key") as staging:
        fill(staging.path)
        staging.publish(target)
    assert content(target) == "new"
    assert os.listdir(layout.staging) == []
    assert not os.path.exists(layout.trash) or os.listdir(layout.trash) == []


def test_without_exchange_a_failed_replacement_puts_the_old_one_back(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "exchange", lambda *_: False)
    target = layout.python("key")
    fill(target, "old")
    with Staging(layout, "key") as staging:
        remove_tree(staging.path)  # so that the second of the two renames fails
        os.mkdir(staging.path)
        real = os.rename

        def rename(source: str, to: str) -> None:
            if source == staging.path:
                raise OSError(28, "No space left on device")
            real(source, to)

        monkeypatch.setattr(os, "rename", rename)
        with pytest.raises(OSError, match="No space"):
            staging.publish(target)
    assert content(target) == "old"


def test_a_sweep_puts_back_what_a_dead_process_had_set_aside(layout: Layout) -> None:
    fill(f"{layout.trash}/replaced.pythons|key.0123456789ab", "old")
    os.makedirs(layout.pythons)
    sweep(layout)
    assert content(layout.python("key")) == "old"
    assert os.listdir(layout.trash) == []


def test_a_sweep_deletes_what_was_set_aside_once_the_new_one_is_there(layout: Layout) -> None:
    fill(f"{layout.trash}/replaced.pythons|key.0123456789ab", "old")
    fill(layout.python("key"))
    sweep(layout)
    assert content(layout.python("key")) == "new"
    assert os.listdir(layout.trash) == []


def test_a_sweep_takes_dead_staging_and_leaves_live_staging(layout: Layout) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STAGE, layout.home], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    path = process.stdout.readline().strip()
    try:
        sweep(layout)
        assert os.path.exists(f"{path}/file")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert os.path.exists(f"{path}/file")
    sweep(layout)
    assert os.listdir(layout.staging) == []


def test_a_sweep_of_a_store_that_is_not_there_does_nothing(layout: Layout) -> None:
    sweep(layout)
    assert not os.path.exists(layout.home)


def test_a_discarded_directory_is_gone(layout: Layout) -> None:
    fill(layout.python("key"))
    discard(layout, layout.python("key"))
    assert os.listdir(layout.pythons) == []
    assert os.listdir(layout.trash) == []


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


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: only root mounts")
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
        pytest.skip("no own mount namespace to be had here")
    assert done.stdout == f"store {tree}/deep/er is mounted below {tree}\n"
    assert content(tree) == "new"


def test_no_mount_is_found_below_an_ordinary_directory(tmp_path: Path) -> None:
    assert mount_below(str(tmp_path)) == ""


def test_the_size_of_a_tree_counts_a_hard_linked_file_once(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").write_bytes(os.urandom(1 << 20))
    once = size_of(str(tmp_path / "tree"))
    os.link(tmp_path / "tree" / "file", tmp_path / "tree" / "again")
    assert size_of(str(tmp_path / "tree")) == once >= 1 << 20


def test_the_system_calls_are_found_without_ctypes() -> None:
    if sys.platform != "linux":
        pytest.skip("not here: they are Linux's")
    syncfs = kernel._libc("syncfs")
    assert syncfs is not None
    assert syncfs(-1) == errno.EBADF
    assert kernel._libc("renameat2") is not None
    assert kernel._libc("no_such_function") is None


def test_an_exchange_swaps_two_directories(tmp_path: Path) -> None:
    fill(str(tmp_path / "one"), "1")
    fill(str(tmp_path / "two"), "2")
    if not kernel.exchange(str(tmp_path / "one"), str(tmp_path / "two")):
        pytest.skip("no renameat2 on this file system")
    assert content(str(tmp_path / "one")) == "2"
    assert content(str(tmp_path / "two")) == "1"


def test_an_exchange_with_nothing_is_an_error(tmp_path: Path) -> None:
    fill(str(tmp_path / "one"))
    with pytest.raises(FileNotFoundError):
        kernel.exchange(str(tmp_path / "one"), str(tmp_path / "nothing"))


def test_without_the_c_library_sync_and_exchange_fall_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_libc", lambda _: None)
    kernel.sync_file_system(str(tmp_path))
    assert kernel.exchange(str(tmp_path), str(tmp_path)) is False


def test_a_mount_error_carries_a_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bubble.system.trees.mount_below", lambda path: f"{path}/m")
    with pytest.raises(BubbleError) as caught:
        remove_tree(str(tmp_path / "tree"))
    assert caught.value.kind == "store"
    assert caught.value.hint.startswith("umount ")

"""syncfs and renameat2 by way of the C library, and what is done where the system has neither."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.system import kernel
from bubble.system.files import replace_file
from support.needs import not_here
from support.trees import fill, filled

if TYPE_CHECKING:
    from pathlib import Path


def test_the_system_calls_are_found_without_ctypes() -> None:
    if sys.platform != "linux":
        not_here("they are Linux's")
    syncfs = kernel._libc("syncfs")
    assert syncfs is not None
    assert syncfs(-1) == errno.EBADF
    assert kernel._libc("renameat2") is not None
    assert kernel._libc("no_such_function") is None


def test_an_exchange_swaps_two_directories(tmp_path: Path) -> None:
    fill(str(tmp_path / "one"), "1")
    fill(str(tmp_path / "two"), "2")
    if not kernel.exchange(str(tmp_path / "one"), str(tmp_path / "two")):
        not_here("no renameat2 on this file system")
    assert filled(str(tmp_path / "one")) == "2"
    assert filled(str(tmp_path / "two")) == "1"


def test_an_exchange_with_nothing_is_an_error(tmp_path: Path) -> None:
    fill(str(tmp_path / "one"))
    with pytest.raises(FileNotFoundError):
        kernel.exchange(str(tmp_path / "one"), str(tmp_path / "nothing"))


@pytest.mark.parametrize("with_renameat2", [True, False])
def test_a_new_name_is_given_only_where_nothing_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_renameat2: bool
) -> None:
    if not with_renameat2:
        monkeypatch.setattr(kernel, "_libc", lambda _: None)
    path = tmp_path / "file"
    replace_file(str(path), b"one", new=True)
    with pytest.raises(FileExistsError):
        replace_file(str(path), b"two", new=True)
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        replace_file(str(tmp_path / "link"), b"two", new=True)
    assert path.read_bytes() == b"one"
    assert set(os.listdir(tmp_path)) - {"home"} == {"file", "link"}


def test_without_the_c_library_sync_and_exchange_fall_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_libc", lambda _: None)
    kernel.sync_file_system(str(tmp_path))
    assert kernel.exchange(str(tmp_path), str(tmp_path)) is False


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP])
def test_where_the_kernel_or_the_file_system_lacks_them_they_fall_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(kernel, "_libc", lambda _: lambda *_: number)
    monkeypatch.setattr(os, "sync", lambda: synced.append(True))
    kernel.sync_file_system(str(tmp_path))
    assert synced == [True]
    assert kernel.exchange(str(tmp_path), str(tmp_path)) is False


def test_a_write_out_that_fails_is_an_error_that_names_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A double: a disk that fails then."""
    synced: list[bool] = []
    monkeypatch.setattr(kernel, "_libc", lambda _: lambda *_: errno.EIO)
    monkeypatch.setattr(os, "sync", lambda: synced.append(True))
    files = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match="Input/output error") as caught:
        kernel.sync_file_system(str(tmp_path))
    assert (caught.value.errno, caught.value.filename) == (errno.EIO, str(tmp_path))
    assert not synced, "a sync of everything would say nothing of the failure"
    assert len(os.listdir("/dev/fd")) == files

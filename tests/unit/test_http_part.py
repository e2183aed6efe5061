"""The partial file and the disk below it: an error names the file, and the next call goes on."""

from __future__ import annotations

import errno
import json
import os
import time

import pytest

from bubble.model.errors import BubbleError
from bubble.system.http.download import download
from bubble.system.http.part import SAVE_EVERY, Part, PartClosedError
from support.needs import LINUX_ONLY
from support.transfers import ALONE, Target, sha256, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

DATA = some_bytes(600_000)
SOON = ALONE.replace(deadline=0.2)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "downloads").mkdir()
    return Target(str(tmp_path / "downloads" / "file"), DATA)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return path


def failing(real: Callable[..., Any], number: int, suffix: str = "") -> Callable[..., Any]:
    """Return a function that fails, for paths that end in `suffix`, as the system's own does."""

    def call(first: Any, *arguments: Any, **options: Any) -> Any:
        if suffix and not str(first).endswith(suffix):
            return real(first, *arguments, **options)
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize(
    ("name", "number", "kind", "said"),
    [
        ("open", errno.EACCES, "permission", "BUBBLE_CACHE_DIR"),
        ("open", errno.EROFS, "permission", "BUBBLE_CACHE_DIR"),
        ("open", errno.EDQUOT, "no_space", "free some space"),
        ("open", errno.EIO, "io", "check the disk"),
        ("stat", errno.EIO, "io", "check the disk"),
        ("ftruncate", errno.EIO, "io", "check the disk"),
        ("preadv", errno.EIO, "io", "check the disk"),
        ("rename", errno.EROFS, "permission", "BUBBLE_CACHE_DIR"),
    ],
)
def test_an_error_of_the_disk_names_the_file_and_leaves_no_lock(
    target: Target,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: int,
    kind: str,
    said: str,
) -> None:
    suffix = "" if name in {"ftruncate", "preadv"} else ".part"
    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing(getattr(os, name), number, suffix))
        error = target.fails(source.as_uri())
    assert error.kind == kind
    assert target.path in error.message
    assert said in error.hint
    target.get(source.as_uri(), settings=SOON)


def test_a_directory_in_the_place_of_the_file_is_an_error_and_stays(
    target: Target, source: Path
) -> None:
    os.mkdir(target.path)
    with pytest.raises(BubbleError) as caught:
        target.get(source.as_uri())
    assert caught.value.kind == "io"
    assert target.path in caught.value.message
    assert os.path.isdir(target.path)


@LINUX_ONLY
@pytest.mark.parametrize("after", [0, 200_000, None])
def test_a_local_file_is_copied_where_the_kernel_does_not_copy(
    target: Target, source: Path, monkeypatch: pytest.MonkeyPatch, after: int | None
) -> None:
    real = os.copy_file_range

    def copy(a: int, b: int, count: int, start: int, to: int) -> int:
        if start == after:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return real(a, b, min(count, 200_000), start, to)

    if after is None:  # as on macOS
        monkeypatch.delattr(os, "copy_file_range")
    else:
        monkeypatch.setattr(os, "copy_file_range", copy)
    target.get(source.as_uri())


@LINUX_ONLY
@pytest.mark.parametrize("copied", [0, 200_000])
def test_a_local_file_cut_while_it_is_copied_is_refused(
    target: Target, source: Path, monkeypatch: pytest.MonkeyPatch, copied: int
) -> None:
    real = os.copy_file_range

    def copy(a: int, b: int, count: int, start: int, to: int) -> int:
        os.truncate(source, copied)
        return real(a, b, count, start, to)

    monkeypatch.setattr(os, "copy_file_range", copy)
    error = target.fails(source.as_uri())
    assert error.kind == "checksum"
    assert "a file of another size" in error.message
    assert target.left() == []


@LINUX_ONLY
def test_a_disk_that_fills_up_while_a_local_file_is_copied_is_said(
    target: Target, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for name in ("copy_file_range", "pwrite"):
            patch.setattr(os, name, failing(getattr(os, name), errno.ENOSPC))
        assert target.fails(source.as_uri()).kind == "no_space"
    assert target.left() == []
    target.get(source.as_uri())


def test_an_empty_local_file_is_a_file(target: Target, source: Path) -> None:
    source.write_bytes(b"")
    target.data = b""
    target.get(source.as_uri())


@pytest.mark.parametrize(
    ("urls", "name", "digest", "kind"),
    [
        (["file:///x"], "/none/file", "0" * 63, "usage"),
        (["file:///x"], "/none/file", "g" * 64, "usage"),
        ([], "/none/file", "0" * 64, "internal"),
        (["file:///x"], "file", "0" * 64, "internal"),
    ],
)
def test_what_is_no_order_for_a_download_is_refused_before_anything_is_done(
    urls: list[str], name: str, digest: str, kind: str
) -> None:
    with pytest.raises(BubbleError) as caught:
        download(urls, name, sha256=digest, env={})
    assert caught.value.kind == kind
    assert not os.path.exists(f"{name}.part")


def test_a_state_that_could_not_be_written_whole_does_not_replace_the_last(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(target.path, sha256(DATA), deadline=time.monotonic())
    part.write(0, DATA[:1000])
    part.save()
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, data[:10]))  # a disk that is full
        part.write(1000, DATA[1000:2000])
        part.save()
    with open(part.state_path, encoding="ascii") as file:
        assert json.load(file)["done"] == [[0, 1000]]
    part.close()
    with open(part.state_path, encoding="ascii") as file:
        assert json.load(file)["done"] == [[0, 2000]]
    assert target.left() == ["file.part", "file.part.json"]


def test_a_closed_part_takes_nothing_more_and_stays_fit_for_a_resume(target: Target) -> None:
    part = Part(target.path, sha256(DATA), deadline=time.monotonic())
    part.write(0, DATA[:SAVE_EVERY])
    part.close()
    part.close()
    with pytest.raises(PartClosedError):
        part.write(0, b"late")
    with pytest.raises(PartClosedError):
        part.start_over()
    part.save()
    again = Part(target.path, sha256(DATA), deadline=time.monotonic())
    assert again.resumed == len(DATA)
    again.total = len(DATA)
    assert again.digest() == sha256(DATA)
    again.discard()
    assert target.left() == []

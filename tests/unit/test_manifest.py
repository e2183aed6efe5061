from __future__ import annotations

import errno
import hashlib
import os
import runpy
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubble.model.errors import BubbleError
from bubble.pythons.installed import manifest
from bubble.pythons.installed.manifest import Problem
from bubble.system.archive import Entry
from support.needs import NOT_ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOTHING: frozenset[str] = frozenset()
ODD = "lib/a\tb\\t \\n\\\\ \u2028 ü"


def entry(path: str, content: bytes | None = None, mode: int = 0o644, target: str = "") -> Entry:
    if target:
        return Entry((path, "link", 0o777, 0, 0, target))
    if content is None:
        return Entry((path, "dir", 0o755, 0, 0, ""))
    return Entry((path, "file", mode, len(content), zlib.crc32(content), ""))


ENTRIES = (
    entry("lib"),
    entry("bin"),
    entry("bin/run", b"#!/bin/sh\n", 0o755),
    entry("bin/link", target="run"),
    entry("lib/data", b"x" * 5000),
    entry("lib/empty", b""),
    entry(ODD, b"odd"),
    entry("lib/__pycache__"),
    entry("lib/__pycache__/data.pyc", b"pyc"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a directory that has ENTRIES, without a manifest."""
    root = tmp_path / "root"
    root.mkdir()
    content = {"bin/run": b"#!/bin/sh\n", "lib/data": b"x" * 5000, ODD: b"odd"}
    for item in sorted(ENTRIES):
        path = root / item.path
        if item.kind == "dir":
            path.mkdir()
            path.chmod(item.mode)
        elif item.kind == "link":
            path.symlink_to(item.target)
        else:
            path.write_bytes(content.get(item.path, b"pyc" if "pyc" in item.path else b""))
            path.chmod(item.mode)
    return root


@pytest.fixture
def sealed(root: Path) -> Path:
    """Return the same with its manifest."""
    manifest.write(str(root), ENTRIES, NOTHING)
    return root


def problems(root: Path) -> list[tuple[str, str]]:
    return [(p.path, p.what) for p in manifest.verify(str(root))]


def test_what_was_written_verifies(root: Path) -> None:
    digest = manifest.write(str(root), ENTRIES, NOTHING)
    assert digest == hashlib.sha256((root / ".bubble/manifest").read_bytes()).hexdigest()
    assert manifest.verify(str(root), sha256=digest) == ()


def test_the_format_is_one_sorted_line_an_entry(sealed: Path) -> None:
    lines = (sealed / ".bubble/manifest").read_bytes().decode().split("\n")
    assert lines[:4] == [
        "bubble-manifest 1",
        "d 755 0 00000000 bin",
        "l 777 0 00000000 bin/link\trun",
        f"f 755 10 {zlib.crc32(b'#!/bin/sh' + bytes([10])):08x} bin/run",
    ]
    assert lines[-1] == ""
    assert not [line for line in lines if "__pycache__" in line]


def test_the_order_of_the_entries_doesnt_matter(root: Path) -> None:
    first = manifest.write(str(root), ENTRIES, NOTHING)
    assert manifest.write(str(root), reversed(ENTRIES), NOTHING) == first


def test_changed_added_and_removed_files_are_read_from_the_disk(root: Path) -> None:
    (root / "lib/data").write_bytes(b"patched")
    (root / "lib/new").write_bytes(b"new")
    (root / "bin/python").symlink_to("run")
    (root / "lib/empty").unlink()
    changed = frozenset(("lib/data", "lib/new", "bin/python", "lib/empty"))
    manifest.write(str(root), ENTRIES, changed)
    assert problems(root) == []


def test_a_directory_that_came_since_is_listed_as_one(root: Path) -> None:
    (root / "lib/pkg").mkdir(mode=0o755)
    manifest.write(str(root), ENTRIES, frozenset(("lib/pkg",)))
    assert problems(root) == []
    (root / "lib/pkg").rmdir()
    (root / "lib/pkg").write_bytes(b"")
    assert problems(root) == [("lib/pkg", "type")]


def test_an_unchanged_file_is_not_read_again(root: Path) -> None:
    (root / "lib/data").write_bytes(b"x" * 4999 + b"y")
    manifest.write(str(root), ENTRIES, NOTHING)
    assert problems(root) == [("lib/data", "content")]


def flip(root: Path) -> None:
    (root / "lib/data").write_bytes(b"x" * 4999 + b"y")


def fifo(root: Path) -> None:
    (root / "lib/data").unlink()
    os.mkfifo(root / "lib/data")


def replaced_directory(root: Path) -> None:
    (root / "lib").rename(root.parent / "moved")
    (root / "lib").symlink_to(root.parent / "moved")


def link_to_file(root: Path) -> None:
    (root / "lib/data").rename(root.parent / "data")
    (root / "lib/data").symlink_to(root.parent / "data")


def retarget(root: Path) -> None:
    (root / "bin/link").unlink()
    (root / "bin/link").symlink_to("/bin/sh")


def remove_directory(root: Path) -> None:
    (root / "bin").rename(root.parent / "gone")


def fifo_extra(root: Path) -> None:
    os.mkfifo(root / "bin/pipe")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (flip, ("lib/data", "content")),
        (lambda r: (r / "lib/data").write_bytes(b""), ("lib/data", "size")),
        (lambda r: (r / "lib/data").unlink(), ("lib/data", "missing")),
        (lambda r: (r / ODD).unlink(), (ODD, "missing")),
        (lambda r: (r / "bin/run").chmod(0o644), ("bin/run", "mode")),
        (lambda r: (r / "lib/data").chmod(0o4644), ("lib/data", "mode")),
        (lambda r: (r / "lib").chmod(0o777), ("lib", "mode")),
        (fifo, ("lib/data", "type")),
        (link_to_file, ("lib/data", "type")),
        (replaced_directory, ("lib", "type")),
        (retarget, ("bin/link", "target")),
        (remove_directory, ("bin", "missing")),
        (lambda r: (r / "lib/more").write_bytes(b""), ("lib/more", "extra")),
        (lambda r: (r / "bin/extra").symlink_to("/"), ("bin/extra", "extra")),
        (lambda r: (r / "lib/pkg/sub").mkdir(parents=True), ("lib/pkg", "extra")),
        (fifo_extra, ("bin/pipe", "extra")),
    ],
)
def test_one_damage_is_one_problem(
    damage: Callable[[Path], object], found: tuple[str, str], sealed: Path
) -> None:
    damage(sealed)
    assert problems(sealed) == [found]


def test_several_problems_come_sorted_by_path(sealed: Path) -> None:
    (sealed / "bin/run").chmod(0o600)
    (sealed / "bin/b").write_bytes(b"")
    (sealed / "lib/data").unlink()
    assert manifest.verify(str(sealed)) == (
        Problem(path="bin/b", what="extra"),
        Problem(path="bin/run", what="mode"),
        Problem(path="lib/data", what="missing"),
    )


def test_bytecode_and_our_own_directory_are_not_looked_at(sealed: Path) -> None:
    (sealed / "lib/__pycache__/more.pyc").write_bytes(b"")
    (sealed / "lib/__pycache__/data.pyc").unlink()
    (sealed / "bin/__pycache__").mkdir()
    (sealed / ".bubble/receipt.json").write_text("{}")
    assert problems(sealed) == []


@NOT_ROOT
def test_a_file_that_cant_be_opened_is_told(sealed: Path) -> None:
    (sealed / "lib/data").chmod(0)
    assert problems(sealed) == [("lib/data", "unreadable")]


def refuse(monkeypatch: pytest.MonkeyPatch, refused: str, number: int) -> None:
    """Have every opening of a name in a directory fail, as it does for somebody else's files."""
    real = os.open

    def opened(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == refused:
            raise OSError(number, os.strerror(number), path)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", opened)


@pytest.mark.parametrize(("name", "path"), [("data", "lib/data"), ("lib", "lib")])
def test_what_this_user_may_not_open_is_told_and_the_rest_is_looked_at(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    (sealed / "bin/link").unlink()
    refuse(monkeypatch, name, errno.EACCES)
    assert problems(sealed) == [("bin/link", "missing"), (path, "unreadable")]


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENFILE])
def test_what_a_failing_disk_or_a_full_table_hides_is_no_damage_but_an_error(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    descriptors = len(os.listdir("/dev/fd"))
    refuse(monkeypatch, "data", number)
    with pytest.raises(OSError, match="data") as caught:
        manifest.verify(str(sealed))
    assert caught.value.errno == number
    monkeypatch.undo()
    assert len(os.listdir("/dev/fd")) == descriptors


def test_without_isal_the_manifest_is_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = manifest.write(str(root), ENTRIES, frozenset(("lib/data",)))
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    other = runpy.run_path(manifest.__file__)
    assert other["crc32"] is zlib.crc32
    assert other["write"](str(root), ENTRIES, frozenset(("lib/data",))) == with_it
    assert other["verify"](str(root), sha256=with_it) == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"bubble-manifest 2\n",
        b"bubble-manifest 1",
        b"bubble-manifest 1\nf 644 1\n",
        b"bubble-manifest 1\nx 644 1 00000000 a\n",
        b"bubble-manifest 1\nf 888 1 00000000 a\n",
        b"bubble-manifest 1\nf 644 1 00000000 a\nf 644 ",
    ],
)
def test_a_damaged_manifest_is_an_error(content: bytes, sealed: Path) -> None:
    (sealed / ".bubble/manifest").write_bytes(content)
    with pytest.raises(BubbleError) as caught:
        manifest.verify(str(sealed))
    assert caught.value.kind == "verify"


def test_a_missing_or_another_manifest_is_an_error(root: Path) -> None:
    with pytest.raises(BubbleError, match="no readable manifest"):
        manifest.verify(str(root))
    manifest.write(str(root), ENTRIES[:4], NOTHING)
    with pytest.raises(BubbleError, match="not the one that was written"):
        manifest.verify(str(root), sha256="0" * 64)


def test_a_missing_installation_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BubbleError, match="no readable manifest"):
        manifest.verify(str(tmp_path / "none"))


@given(st.sets(st.binary(min_size=1).filter(lambda b: not set(b) & {0, 47})))
def test_any_name_and_target_come_back(
    tmp_path_factory: pytest.TempPathFactory, names: set[bytes]
) -> None:
    root = tmp_path_factory.mktemp("names")
    decoded = sorted(os.fsdecode(name) for name in names)
    entries = [Entry((name, "link", 0o777, 0, 0, f"to/{name}")) for name in decoded]
    manifest.write(str(root), entries, NOTHING)
    assert manifest._read(str(root), "") == entries

"""Copying an environment: nothing is shared, what is left out, and nothing half in its place."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import socket

import pytest

from bubble.envs.knowing import placing
from bubble.envs.making.clone import both_locks, clone
from bubble.envs.making.duplicate import duplicate
from bubble.selection import registry
from bubble.system.descent import directories
from bubble.system.lock import Lock, is_held
from bubble.system.pyvenv_cfg import read_configuration
from bubble.system.staging import Staging
from bubble.system.trees import remove_tree, sizes_of
from support.handmade import environment, installation, refused, write
from support.needs import LINUX_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout


@pytest.fixture
def root(layout: Layout) -> str:
    """Return an environment with a package of one module, which its RECORD lists."""
    path = environment(layout, "train").path
    packages = f"{path}/lib/python3.11/site-packages"
    write(f"{packages}/tool.py", "tool\n")
    write(f"{packages}/tool-1.0.dist-info/RECORD", "tool.py,,\n")
    return path


def test_what_is_no_file_is_left_out_of_a_copy(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(f"{root}/pipe")
    monkeypatch.chdir(root)  # a socket's path is a short one
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
    target = tmp_path / "copy"
    target.mkdir()
    duplicate(root, str(target))
    assert sorted(os.listdir(target)) == sorted(set(os.listdir(root)) - {"pipe", "socket"})
    assert os.readlink(target / "bin" / "python") == os.readlink(f"{root}/bin/python")


def test_a_file_that_becomes_a_pipe_meanwhile_stops_nobody(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(f"{root}/notes")
    opened = os.open

    def late(at: str, flags: int, *rest: int, dir_fd: int | None = None) -> int:
        if at == os.path.basename(path):
            os.unlink(path)
            os.mkfifo(path)
        return opened(at, flags, *rest, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", late)
    (tmp_path / "copy").mkdir()
    duplicate(root, f"{tmp_path}/copy")
    assert not os.path.lexists(tmp_path / "copy" / "notes")


def test_a_tree_of_any_depth_is_copied_with_few_open_files(root: str, tmp_path: Path) -> None:
    """Deeper than Python recurses, and than a path may be long."""
    deep = 1500
    directory = os.open(f"{root}/lib", os.O_RDONLY)
    for _ in range(deep):
        os.mkdir("deep", dir_fd=directory)
        below = os.open("deep", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, 0o640, dir_fd=directory))
    os.symlink("file", "link", dir_fd=directory)
    os.close(directory)
    os.mkdir(tmp_path / "copy")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 80, before[1]))
    try:
        duplicate(root, f"{tmp_path}/copy")
        found = sizes_of(f"{tmp_path}/copy")
        copy = directories(f"{tmp_path}/copy/lib", [])
        (bottom,) = ((way.path, way.here.files) for way in copy if len(way.here.files) > 1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found == sizes_of(root)
    assert sorted(bottom[1]) == [("file", True), ("link", False)]
    assert bottom[0].endswith("/deep" * deep)
    for tree in (root, f"{tmp_path}/copy"):
        remove_tree(tree)  # nor does pytest get so deep


def test_nothing_that_is_done_to_a_copy_shows_in_the_original(root: str, tmp_path: Path) -> None:
    write(f"{root}/lib/python3.11/site-packages/__pycache__/tool.cpython-311.pyc")
    os.mkdir(tmp_path / "copy")
    found = duplicate(root, f"{tmp_path}/copy")
    files = [
        os.path.relpath(f"{above}/{name}", root)
        for above, _, names in os.walk(root)
        for name in names
        if not os.path.islink(f"{above}/{name}")
    ]
    assert found.copied + found.cloned == len(files)
    for file in files:
        with open(f"{root}/{file}", "rb") as one, open(tmp_path / "copy" / file, "rb") as other:
            before = one.read()
            assert other.read() == before
        with open(tmp_path / "copy" / file, "ab") as other:
            other.write(b"by hand\n")
        os.chmod(tmp_path / "copy" / file, 0o600)
        with open(f"{root}/{file}", "rb") as one:
            assert one.read() == before, file
            assert os.fstat(one.fileno()).st_mode & 0o777 == 0o644, file


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_the_modes_of_a_copy_are_those_of_the_original(
    root: str, tmp_path: Path, mask: int
) -> None:
    modes = {"bin/tool": 0o755, "notes": 0o664, "secret": 0o600, "read-only": 0o444}
    for name, mode in modes.items():
        os.chmod(write(f"{root}/{name}"), mode)
    os.chmod(f"{root}/lib", 0o775)
    os.mkdir(tmp_path / "copy")
    before = os.umask(mask)
    try:
        duplicate(root, f"{tmp_path}/copy")
    finally:
        assert os.umask(before) == mask
    for name, mode in {**modes, "lib": 0o775, "bin": 0o755}.items():
        assert os.stat(tmp_path / "copy" / name).st_mode & 0o777 == mode, name


def test_a_clone_under_a_narrow_umask_is_as_open_as_its_original(layout: Layout) -> None:
    installation(layout)
    made = environment(layout, "train")
    packages = f"{made.path}/lib/python3.11/site-packages"
    os.chmod(write(f"{made.path}/bin/tool", f"#!{made.path}/bin/python\n"), 0o755)
    write(f"{packages}/tool-1.0.dist-info/RECORD", "../../../bin/tool,sha256=x,1\n")
    before = os.umask(0o077)
    try:
        other = clone(made, "other", "/", layout).environment
    finally:
        os.umask(before)
    for above, below, names in os.walk(made.path):
        inside = os.path.relpath(above, made.path)
        for name in (*below, *names):
            one, two = f"{above}/{name}", f"{other.path}/{inside}/{name}"
            if not os.path.islink(one):
                assert os.stat(one).st_mode == os.stat(two).st_mode, two
    with open(f"{other.path}/bin/tool") as file:
        assert file.read() == f"#!{other.path}/bin/python\n", "it was rewritten"


@LINUX_ONLY
def test_where_files_can_be_cloned_all_are(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ioctl(writing: int, _: int, reading: int) -> int:  # a double of Btrfs and XFS
        return os.sendfile(writing, reading, 0, 1 << 20) * 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    os.mkdir(tmp_path / "copy")
    found = duplicate(root, f"{tmp_path}/copy")
    files = sum(
        not os.path.islink(f"{place}/{name}") for place, _, names in os.walk(root) for name in names
    )
    assert (found.cloned, found.copied) == (files, 0)
    assert (tmp_path / "copy/lib/python3.11/site-packages/tool.py").read_text() == "tool\n"


@LINUX_ONLY
def test_a_disk_that_fails_while_a_file_is_cloned_is_told(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ioctl(*_: object) -> int:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    os.mkdir(tmp_path / "copy")
    with pytest.raises(OSError, match="input/output error"):
        duplicate(root, f"{tmp_path}/copy")


@pytest.mark.parametrize("chosen", [False, True])
def test_a_prompt_that_somebody_chose_is_the_clones_as_well(
    layout: Layout, *, chosen: bool
) -> None:
    installation(layout)
    made = environment(layout, "train")
    prompt = "(train)" if chosen else "train"
    write(f"{made.path}/pyvenv.cfg", f"home = /x\nprompt = {prompt}\n")
    write(f"{made.path}/bin/activate", f"VIRTUAL_ENV='{made.path}'\nPS1='({prompt}) '\n")
    other = clone(made, "other", "/", layout).environment
    expected = "(train)" if chosen else "other"
    assert read_configuration(other.path)["prompt"] == expected
    with open(f"{other.path}/bin/activate") as file:
        assert f"PS1='({expected}) '" in file.read()


def test_a_path_into_the_store_makes_a_named_clone(layout: Layout, tmp_path: Path) -> None:
    installation(layout)
    made = environment(layout, "train")
    other = clone(made, f"{layout.envs}/other", "/", layout).environment
    assert registry.of_name(layout, "other") == other
    assert refused(lambda: clone(made, f"{layout.envs}/3.12", "/", layout)).kind == "usage"
    error = refused(lambda: clone(made, f"{tmp_path}/no/such", "/", layout))
    assert error.message == f"there is no directory {tmp_path}/no"


def test_a_clone_that_can_not_take_its_place_is_not_registered(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation(layout)
    made = environment(layout, "train")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Staging, "publish", full)
    with pytest.raises(OSError, match="no space"):
        clone(made, "other", "/", layout)
    assert registry.environments(layout) == [made]
    assert os.listdir(layout.staging) == []


def test_who_gets_the_second_lock_in_vain_lets_go_of_the_first(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sorted(placing.lock(layout, path).path for path in ("/a", "/b"))
    enter = Lock.__enter__

    def stopped(lock: Lock) -> Lock:
        if lock.path == second:
            assert is_held(first)
            raise KeyboardInterrupt
        return enter(lock)

    monkeypatch.setattr(Lock, "__enter__", stopped)
    with pytest.raises(KeyboardInterrupt), both_locks(layout, "/a", "/b"):
        pass
    assert not is_held(first)

"""Files that trees share through a pool: one on the disk, or each its own, whatever lies there."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import stat
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.system import pool
from bubble.system.pool import Pool, may_link
from bubble.system.pool_upkeep import contents, drop
from support.needs import ROOT_ONLY
from support.swaps import a_directory, a_link, a_pipe, another, gone, setuid, writable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout

CONTENT = random.Random(13).randbytes(3 << 20)  # doesn't come in one piece
KEY = sha256(CONTENT).hexdigest()
NAME = "module.py"


class Trees:
    """A pool, and trees that are filled one after the other with the same file."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.pool = f"{root}/pool"
        self._count = 0

    @property
    def pooled(self) -> str:
        return f"{self.pool}/{KEY}"

    def fill(self, content: bytes = CONTENT, mode: int = 0o644, *, links: bool = True) -> str:
        """Make a tree with the file, let it be shared, and return the file's path.

        It must have what it had, and nothing else may be in the tree.
        """
        self._count += 1
        tree = f"{self.root}/tree{self._count}"
        os.mkdir(tree)
        path = f"{tree}/{NAME}"
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        shared = Pool(self.pool, tree, links=links)
        directory = os.open(tree, os.O_RDONLY)
        try:
            shared.share(directory, NAME, KEY)
        finally:
            os.close(directory)
            shared.close()
        assert os.listdir(tree) == [NAME]
        assert stat.S_ISREG(os.lstat(path).st_mode)
        with open(path, "rb") as file:
            is_same = file.read() == content  # of which nobody wants to see a comparison
        assert is_same
        return path


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    os.chmod(tmp_path, 0o755)
    return Trees(str(tmp_path))


def mode_of(path: str) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


@pytest.mark.parametrize(
    ("mode", "after"), [(0o644, 0o444), (0o755, 0o555), (0o664, 0o444), (0o444, 0o444)]
)
def test_the_same_file_is_one_and_nobody_may_write_to_it(
    trees: Trees, mode: int, after: int
) -> None:
    one, other, third = (trees.fill(mode=mode) for _ in range(3))
    assert os.path.samefile(one, other)
    assert os.path.samefile(one, third)
    assert mode_of(one) == after
    assert os.lstat(one).st_nlink == 4
    assert mode_of(trees.pool) == 0o755


@pytest.mark.parametrize("mode", [0o600, 0o666, 0o777, 0o640, 0o4755, 0o200])
def test_what_has_a_mode_on_purpose_keeps_it_and_is_its_own(trees: Trees, mode: int) -> None:
    trees.fill()
    if mode == 0o200 and os.geteuid() != 0:
        pytest.skip("nobody could read it")
    path = trees.fill(mode=mode)
    assert (mode_of(path), os.lstat(path).st_nlink) == (mode, 1)


def test_what_can_be_executed_is_never_what_can_not(trees: Trees) -> None:
    one, other = trees.fill(mode=0o755), trees.fill(mode=0o644)
    assert not os.path.samefile(one, other)
    assert (mode_of(one), mode_of(other)) == (0o555, 0o444)


def test_what_has_another_name_already_is_left(trees: Trees) -> None:
    trees.fill()
    os.mkdir(f"{trees.root}/tree2")  # as uv links to its cache
    before = f"{trees.root}/cached"
    with open(before, "wb") as file:
        file.write(CONTENT)
    os.link(before, f"{trees.root}/tree2/{NAME}")
    shared = Pool(trees.pool, f"{trees.root}/tree2", links=True)
    directory = os.open(f"{trees.root}/tree2", os.O_RDONLY)
    assert shared.share(directory, NAME, KEY) is None
    os.close(directory)
    shared.close()
    assert os.path.samefile(before, f"{trees.root}/tree2/{NAME}")


def test_without_links_there_is_no_pool_where_nothing_is_cloned(trees: Trees) -> None:
    with pytest.raises(OSError, match=r"not supported"):
        trees.fill(links=False)
    assert not os.path.lexists(trees.pool)


def edited(path: str) -> None:
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        file.write(b"!")
    os.chmod(path, 0o444)


def longer(path: str) -> None:
    os.chmod(path, 0o644)
    with open(path, "ab") as file:
        file.write(b"!")
    os.chmod(path, 0o444)


def given_away(path: str) -> None:
    os.chown(path, 65534, 65534)


KINDS = (edited, longer, writable, setuid, another, a_link, a_pipe, a_directory, gone)


@pytest.mark.parametrize("change", [*KINDS, pytest.param(given_away, marks=ROOT_ONLY)])
def test_what_is_not_what_it_was_in_the_pool_is_given_to_nobody(
    trees: Trees, change: Callable[[str], None]
) -> None:
    before = trees.fill()
    change(trees.pooled)
    fresh = trees.fill()
    assert not os.path.samefile(before, fresh)
    assert os.lstat(fresh).st_uid == os.geteuid()
    if change is a_directory:
        assert os.listdir(trees.pooled) == []
        assert os.lstat(fresh).st_nlink == 1
    else:  # the name is the right one's again
        assert os.path.samefile(fresh, trees.fill())


def test_a_name_that_lies_about_what_it_is_of_changes_nothing(trees: Trees) -> None:
    wrong = trees.fill(b"not what the name says")
    assert os.path.samefile(wrong, trees.pooled)
    right = trees.fill()
    assert os.path.samefile(right, trees.pooled)
    with open(wrong, "rb") as file:
        assert file.read() == b"not what the name says"


@pytest.mark.parametrize("what", ["link", "writable", pytest.param("owner", marks=ROOT_ONLY)])
def test_a_pool_that_is_not_this_users_alone_is_not_used(trees: Trees, what: str) -> None:
    os.mkdir(f"{trees.root}/elsewhere", 0o700)
    if what == "link":
        os.symlink(f"{trees.root}/elsewhere", trees.pool)
    else:
        os.mkdir(trees.pool)
        if what == "writable":
            os.chmod(trees.pool, 0o777)
        else:
            os.chown(trees.pool, 65534, 65534)
    with pytest.raises(OSError, match=r"."):
        trees.fill()
    assert os.listdir(f"{trees.root}/elsewhere") == []


@pytest.mark.parametrize(
    "number",
    [errno.EMLINK, errno.EXDEV, errno.EPERM, errno.ENOSPC, errno.EOPNOTSUPP, errno.ENOENT],
    ids=errno.errorcode.get,
)
@pytest.mark.parametrize("first", [True, False])
def test_where_a_link_is_refused_each_has_its_own(
    trees: Trees, monkeypatch: pytest.MonkeyPatch, number: int, *, first: bool
) -> None:
    before = "" if first else trees.fill()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    path = trees.fill()
    assert (os.lstat(path).st_nlink, mode_of(path)) == (1, 0o644)
    assert not before or os.path.exists(before)


def test_a_file_that_can_have_no_more_names_makes_room_for_another(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = trees.fill()
    link = os.link

    def refuse(source: str, target: str, **options: object) -> None:
        if source == KEY and os.path.samefile(full, trees.pooled):
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))
        link(source, target, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", refuse)
    fresh = trees.fill()
    assert not os.path.samefile(full, fresh)
    assert os.path.samefile(fresh, trees.fill())


def test_what_takes_the_place_of_a_file_that_was_compared_is_not_kept(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.fill()
    link = os.link

    def exchanged(source: str, target: str, **options: object) -> None:
        if source == KEY:
            another(trees.pooled)
        link(source, target, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", exchanged)
    assert os.lstat(trees.fill()).st_nlink == 1


def test_where_files_can_be_cloned_none_is_linked_and_what_differs_is_not_kept(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloned: list[int] = []

    def clone(file: int, request: int, source: int) -> int:
        assert request == 0x40049409  # FICLONE
        data = os.pread(source, 1 << 24, 0)
        if not data:  # whether it can be done
            return 0
        os.write(file, b"!" * len(data) if len(cloned) == 2 else data)  # changed meanwhile
        cloned.append(file)
        return 0

    monkeypatch.setattr(fcntl, "ioctl", clone)
    paths = [trees.fill(mode=0o640 if n == 9 else 0o644) for n in range(4)]
    assert {os.lstat(path).st_nlink for path in paths} == {1}
    assert {mode_of(path) for path in paths} == {0o644}
    # founded; given; not kept, so founded anew; given
    assert len(cloned) == 5
    assert os.lstat(paths[0]).st_mtime_ns == os.lstat(paths[1]).st_mtime_ns


def test_what_nobody_has_any_more_is_known_and_dropped(trees: Trees) -> None:
    one, other = trees.fill(), trees.fill()
    assert [(name, others) for name, others, _ in contents(trees.pool)] == [(KEY, 2)]
    os.unlink(one)
    os.unlink(other)
    os.mkfifo(f"{trees.pool}/pipe")
    found = {name: others for name, others, _ in contents(trees.pool)}
    assert found == {KEY: 0, "pipe": 0}
    drop(trees.pool, [*found, "gone already"])
    assert list(contents(trees.pool)) == []
    assert list(contents(f"{trees.root}/nowhere")) == []


@pytest.mark.parametrize(
    ("said", "system", "root", "expected"),
    [
        ("", "", False, True),
        ("auto", "", False, True),
        ("", "", True, False),
        ("links", "", True, True),
        ("none", "", False, None),
        ("links", "1", True, False),
        ("", "1", False, False),
    ],
)
def test_who_may_link(
    layout: Layout,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    system: str,
    *,
    root: bool,
    expected: bool | None,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    env = {"BUBBLE_SHARED_PACKAGES": said, "BUBBLE_SYSTEM": system}
    assert may_link(layout, env) is expected


def test_another_word_is_refused(layout: Layout) -> None:
    with pytest.raises(BubbleError) as caught:
        may_link(layout, {"BUBBLE_SHARED_PACKAGES": "all"})
    assert caught.value.kind == "usage"


def test_a_planted_bug_that_compares_nothing_is_seen(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.fill()
    another(trees.pooled)
    monkeypatch.setattr(pool, "same_content", lambda *_: True)
    with pytest.raises(AssertionError):
        trees.fill()

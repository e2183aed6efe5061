"""Environments with the same packages share their files; what is done to one shows in no other."""

from __future__ import annotations

import errno
import os
import py_compile
import random
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.envs.changing.unshare import is_shared, unshare
from bubble.envs.discarding.gc import collect, plan
from bubble.envs.making import sharing
from bubble.envs.making.duplicate import duplicate
from bubble.system import pool
from bubble.system.trees import size_of
from support.handmade import machine, write
from support.needs import ROOT_ONLY
from support.sharing import (
    FILES,
    INFO,
    PACKAGES,
    SOURCES,
    TEXTS,
    Shelf,
    compiled,
    contents,
    require_fresh,
    shared,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bubble.system.layout import Layout


@pytest.fixture
def shelf(layout: Layout) -> Shelf:
    return Shelf(layout)


def test_the_same_packages_are_one_on_the_disk_and_their_bytecode_is(shelf: Shelf) -> None:
    roots = [shelf.add() for _ in range(3)]
    for root in roots[1:]:
        assert shared(roots[0], root) == FILES
    for root in roots:
        require_fresh(root)
        made = contents(root)
        for path, text in TEXTS.items():
            if not path.endswith("INSTALLER"):
                assert made[f"{PACKAGES}/{path}"][0] == text.encode()
        assert made[f"{PACKAGES}/unlisted.py"] == (
            b"mine = 1\n",
            made[f"{PACKAGES}/unlisted.py"][1],
        )
    for path in FILES:
        assert stat.S_IMODE(os.lstat(f"{roots[0]}/{PACKAGES}/{path}").st_mode) == 0o444
    with open(f"{roots[1]}/{PACKAGES}/{compiled('single.py')}", "rb") as file:
        assert b".token" not in file.read(), "it would name where somebody else's was made"
    assert not is_shared(roots[0]), "the doctor would have it mended"


def test_an_import_takes_the_shared_bytecode_and_knows_where_it_is(shelf: Shelf) -> None:
    shelf.add()
    root = shelf.add()
    before = os.lstat(f"{root}/{PACKAGES}/{compiled('single.py')}").st_ino
    code = (
        f"import sys; sys.path.insert(0, {root + '/' + PACKAGES!r}); import single, tool;"
        "print(single.single.__code__.co_filename); print(single.__cached__)"
    )
    said = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    place = f"{root}/{PACKAGES}"
    assert said.split() == [f"{place}/single.py", f"{place}/{compiled('single.py')}"]
    assert os.lstat(f"{root}/{PACKAGES}/{compiled('single.py')}").st_ino == before


def test_one_more_adds_next_to_nothing(shelf: Shelf) -> None:
    shelf.add()
    before = size_of(shelf.layout.home)
    alone = size_of(shelf.filled())
    one = size_of(shelf.layout.home)
    shelf.add()
    assert one - before == alone
    assert size_of(shelf.layout.home) - one < alone / 2


def test_what_differs_is_each_ones_own(shelf: Shelf) -> None:
    one = shelf.add()
    other = shelf.add({"single.py": "def single():\n    return 2\n"})
    assert shared(one, other) == FILES - {"single.py", compiled("single.py")}
    require_fresh(other)


def test_a_record_that_lies_shares_nothing_false(shelf: Shelf) -> None:
    one = shelf.add()
    other = shelf.filled()
    for path in ("single.py", "tool/data.txt"):  # as long as before
        text = TEXTS[path].replace("e", "E").replace("d", "D")
        write(f"{other}/{PACKAGES}/{path}", text)
    before = contents(one)
    shelf.share(other)
    assert contents(one) == before
    with open(f"{other}/{PACKAGES}/tool/data.txt") as file:
        assert file.read() == "Data\n".replace("d", "D") * 3000
    assert not shared(one, other) & {"single.py", "tool/data.txt"}
    assert shared(one, shelf.add()) >= FILES - {"single.py", "tool/data.txt", compiled("single.py")}


def test_bytecode_that_is_not_of_its_source_is_left(shelf: Shelf) -> None:
    one = shelf.add()
    other = shelf.filled()
    os.utime(f"{other}/{PACKAGES}/single.py", (1, 1))  # written after it was compiled
    before = contents(other)[f"{PACKAGES}/{compiled('single.py')}"]
    shelf.share(other)
    assert "single.py" in shared(one, other)
    assert contents(other)[f"{PACKAGES}/{compiled('single.py')}"] == before


@pytest.mark.parametrize("mode", [0o600, 0o666])
def test_bytecode_that_is_not_shared_is_of_its_shared_source(shelf: Shelf, mode: int) -> None:
    one, other = shelf.add(), shelf.filled()
    for path in SOURCES:
        os.chmod(compiled(f"{other}/{PACKAGES}/{path}"), mode)
    shelf.share(other)
    assert shared(one, other) == FILES - {compiled(path) for path in SOURCES}
    require_fresh(other)
    assert stat.S_IMODE(os.lstat(compiled(f"{other}/{PACKAGES}/single.py")).st_mode) == mode


def test_what_uv_linked_to_its_cache_is_left(shelf: Shelf) -> None:
    shelf.add()
    other = shelf.filled(installer="uv")
    os.link(f"{other}/{PACKAGES}/{INFO}/METADATA", f"{shelf.layout.home}/cached")
    before = contents(other)
    shelf.share(other)
    assert contents(other) == before


def test_bytecode_that_came_later_is_shared_as_well(shelf: Shelf) -> None:
    """pip is planted from the pool, and then runs."""
    roots = [shelf.add() for _ in range(2)]
    for root in roots:
        for path in SOURCES:
            source = f"{root}/{PACKAGES}/{path}"
            os.unlink(compiled(source))
            py_compile.compile(source, compiled(source), doraise=True)
            os.chmod(compiled(source), 0o644)
        shelf.share(root)
        require_fresh(root)
    assert shared(*roots) == FILES


def test_nothing_is_followed_out_of_the_environment(shelf: Shelf) -> None:
    shelf.add()
    other = shelf.filled()
    away = f"{shelf.layout.home}/away"
    os.rename(f"{other}/{PACKAGES}/tool", away)
    os.symlink(away, f"{other}/{PACKAGES}/tool")
    before = contents(away)
    shelf.share(other)
    assert contents(away) == before


def test_in_what_is_no_directory_of_this_user_nothing_is_shared(shelf: Shelf) -> None:
    write(shelf.layout.packages, "a file")
    other = shelf.filled()
    before = contents(other)
    shelf.share(other)
    assert contents(other) == before


@pytest.mark.parametrize("text", ["", ",", '"', "tool/data.txt", "a,sha256=\n", "\0,sha256=x,1\n"])
def test_a_record_of_any_text_is_read_through(shelf: Shelf, text: str) -> None:
    other = shelf.filled()
    write(f"{other}/{PACKAGES}/{INFO}/RECORD", text)
    shelf.share(other)
    assert os.lstat(f"{other}/{PACKAGES}/tool/data.txt").st_nlink == 1


def replaced(path: str, rng: random.Random) -> None:
    """As an editor or `sed -i` writes, and an installer."""
    with open(f"{path}~", "wb") as file:
        file.write(rng.randbytes(100))
    os.rename(f"{path}~", path)


def removed(path: str, _: random.Random) -> None:
    os.unlink(path)


def written(path: str, rng: random.Random) -> None:
    """As nobody means to; refused, except to root."""
    if os.geteuid() != 0 and os.lstat(path).st_nlink > 1:
        with pytest.raises(PermissionError):
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
    replaced(path, rng)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_done_to_one_the_others_are_as_before(shelf: Shelf, seed: int) -> None:
    rng = random.Random(seed)
    roots = [shelf.add() for _ in range(10)]
    before = {root: contents(root) for root in roots}
    acts: list[Callable[[str, random.Random], None]] = [replaced, removed, written]
    for _ in range(20):
        changed = rng.choice(roots)
        path = f"{changed}/{PACKAGES}/{rng.choice(sorted(FILES))}"
        if os.path.exists(path):
            rng.choice(acts)(path, rng)
        before[changed] = contents(changed)
        if rng.random() < 0.2:  # one goes, another comes
            gone = roots.pop(rng.randrange(len(roots)))
            shutil.rmtree(gone)
            fresh = shelf.add()
            require_fresh(fresh)
            roots.append(fresh)
            before[fresh] = contents(fresh)
        if rng.random() < 0.2:
            collect(plan(machine(shelf.layout), "/", ["packages"]), machine(shelf.layout))
        for root in roots:
            assert contents(root) == before[root]


def test_on_a_full_disk_no_bytecode_is_of_another_time(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = shelf.add(), shelf.filled()
    shutil.rmtree(shelf.layout.packages)
    changed = shelf.filled({"single.py": "changed = 1\n"})  # whose bytecode would be written anew

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = contents(one)
    monkeypatch.setattr(pool, "write_all", full)
    for root in (other, changed):
        shelf.share(root)
        assert not any(name.startswith(".bubble") for name in os.listdir(root))
    assert contents(one) == before
    for root in (other, changed):
        for path in SOURCES:
            source = f"{root}/{PACKAGES}/{path}"
            if os.path.exists(compiled(source)):
                with open(compiled(source), "rb") as file:
                    assert file.read()[8:12] == int(os.stat(source).st_mtime).to_bytes(4, "little")


class Killed(BaseException):
    """What no handler expects."""


@pytest.mark.parametrize("first", [False, True])
def test_killed_at_any_step_the_others_are_as_before_and_the_next_shares(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    one = "" if first else shelf.add()
    steps = 0
    while True:
        before = contents(one) if one else {}
        other = shelf.filled()
        left = iter(range(steps))
        for name in ("link", "rename", "unlink", "fchmod", "mkdir"):
            monkeypatch.setattr(os, name, mortal(getattr(os, name), left))
        try:
            shelf.share(other)
        except Killed:
            steps += 1
        else:
            break
        finally:
            monkeypatch.undo()
        shutil.rmtree(other)  # as a sweep does
        assert not one or contents(one) == before
        again, last = shelf.add(), shelf.add()
        assert shared(again, last) == FILES
        require_fresh(last)
        assert not one or shared(one, last) == FILES
        for root in (again, last):
            shutil.rmtree(root)
        if first:
            shutil.rmtree(shelf.layout.packages)
    assert steps >= 2 * len(FILES)


def mortal(real: Callable[..., object], left: Iterator[int]) -> Callable[..., object]:
    """Return a function that is killed before it does anything, when nothing is left."""

    def act(*arguments: object, **named: object) -> object:
        if next(left, None) is None:
            raise Killed
        return real(*arguments, **named)

    return act


def test_the_pool_goes_with_the_last_that_has_its_files_and_gc_tells_what_is_freed(
    shelf: Shelf,
) -> None:
    one, other = shelf.add(), shelf.add()
    on = machine(shelf.layout)
    assert plan(on, "/", ["packages"]) == []
    shutil.rmtree(one)
    assert plan(on, "/", ["packages"]) == []
    shutil.rmtree(other)
    [item] = plan(on, "/", ["packages"])
    before = size_of(shelf.layout.home)
    assert f"{len({TEXTS.get(path, path) for path in FILES})} files" in item.why
    done = collect([item], on)
    assert [i.kind for i in done.removed] == ["packages"]
    assert before - size_of(shelf.layout.home) == item.size
    assert os.listdir(shelf.layout.packages) == []


def test_a_clone_shares_what_its_original_shares(shelf: Shelf) -> None:
    one = shelf.add()
    os.mkdir(f"{shelf.layout.home}/clone")
    found = duplicate(one, f"{shelf.layout.home}/clone", links=True)
    assert shared(one, f"{shelf.layout.home}/clone") == FILES
    assert found.linked == len(FILES)
    os.mkdir(f"{shelf.layout.home}/copy")
    assert duplicate(one, f"{shelf.layout.home}/copy").linked == 0
    assert contents(f"{shelf.layout.home}/copy") == contents(one)


@ROOT_ONLY
def test_what_somebody_was_given_is_told_and_mended(shelf: Shelf) -> None:
    """By `chown -R app ENV`, of one that root lets share links."""
    one, other = shelf.add(), shelf.add()
    for above, names, files in os.walk(one):
        for name in ("", *names, *files):
            os.lchown(f"{above}/{name}".rstrip("/"), 65534, 65534)
    assert is_shared(other)
    before = {path: data for path, (data, _) in contents(other).items()}
    unshare(other, shelf.layout)
    assert not shared(one, other)
    assert {path: data for path, (data, _) in contents(other).items()} == before
    assert not shared(one, shelf.add()), "and nobody gets them from there"


def test_a_planted_bug_that_keeps_the_old_time_is_seen(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.add()
    monkeypatch.setattr(sharing._Packages, "_compiled", lambda *_: {})
    with pytest.raises(AssertionError):
        require_fresh(shelf.add())


def test_a_planted_bug_that_believes_the_name_is_seen(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = shelf.add()
    other = shelf.filled()
    text = TEXTS["tool/data.txt"].replace("d", "D")
    write(f"{other}/{PACKAGES}/tool/data.txt", text)
    monkeypatch.setattr(pool, "same_content", lambda *_: True)
    shelf.share(other)
    assert "tool/data.txt" in shared(one, other), "what the tests above would see"

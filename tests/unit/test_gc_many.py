"""Many directories and Pythons: looked at once, and still nothing wrong is missed or accused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bubble.envs.discarding import gc
from bubble.envs.discarding.gc import memos
from bubble.envs.doctor import Patient, scraps
from bubble.envs.knowing import users
from bubble.envs.knowing.users import uses
from bubble.pythons.installed import store
from bubble.selection.known import directory_memos, known_directories
from bubble.selection.memos import leave_here
from support.handmade import PLATFORM, environment, installation, machine, world, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bubble.selection.resolve import World
    from bubble.system.layout import Layout


@pytest.fixture
def place(layout: Layout, tmp_path: Path) -> str:
    installation(layout, "3.11.8")
    store.publish_changes(layout, PLATFORM)
    return str(tmp_path)


def pinned(layout: Layout, directory: str, text: str = "3.11") -> str:
    """Make a directory with a pin, and return its memo."""
    write(f"{directory}/.python-version", f"{text}\n")
    os.utime(f"{directory}/.python-version", (1, 1))
    leave_here(world(layout, directory))
    memo = layout.answer(directory)
    assert os.path.exists(memo)
    return memo


def planned(layout: Layout) -> list[str]:
    return [item.path for item in gc.plan(machine(layout), "/", ["memos"])]


def test_every_memo_that_says_something_else_goes(layout: Layout, place: str) -> None:
    wrong = [pinned(layout, f"{place}/{name}") for name in "abc"]
    pinned(layout, f"{place}/exact", "3.11.8")
    assert planned(layout) == []
    installation(layout, "3.11.9")  # behind bubble's back: as if it was copied there
    assert sorted(planned(layout)) == wrong
    patient = Patient(**machine(layout).as_dict(), cwd="/", python="/no/such/python")
    found = [f for f in scraps.memos(patient) if f.id == "store.contradiction"]
    assert sorted(f.where for f in found) == wrong
    gc.collect(gc.plan(machine(layout), "/", ["memos"]), machine(layout))
    assert planned(layout) == []
    assert os.path.exists(layout.answer(f"{place}/exact"))


@pytest.mark.parametrize("asked", ["memos", "uses"])
def test_what_the_store_has_is_asked_once_for_all_directories(
    layout: Layout, place: str, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """Else a thousand directories and three hundred interpreters took three hundred thousand."""
    listed: list[str] = []
    listdir = os.listdir

    def counted(path: str) -> list[str]:
        listed.append(path)
        return listdir(path)

    def count() -> int:
        listed.clear()
        if asked == "memos":
            assert planned(layout) == []
        else:
            assert any(use.kind == "pin" for use in uses(machine(layout)))
        return listed.count(layout.pythons)

    pinned(layout, f"{place}/first")
    monkeypatch.setattr(os, "listdir", counted)
    before = count()
    for n in range(10):
        pinned(layout, f"{place}/{n}")
    assert count() == before > 0


def test_what_changes_while_it_is_looked_at_accuses_nobody(
    layout: Layout, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `>=3.11` means was looked up before, what `>= 3.11` selects comes after."""
    for name, text in (("a", ">=3.11"), ("b", ">= 3.11")):
        pinned(layout, f"{place}/{name}", text)
    first, second = sorted(directory_memos(layout))

    def late(_: Layout) -> Iterator[tuple[str, str]]:
        yield first
        with store.changing(layout, PLATFORM):
            installation(layout, "3.12.1")
        yield second

    monkeypatch.setattr(memos, "directory_memos", late)
    suspected: list[str] = []
    confirm = memos._is_wrong

    def noted(on: World, memo: str) -> bool:
        suspected.append(memo)
        return confirm(on, memo)

    monkeypatch.setattr(memos, "_is_wrong", noted)
    assert planned(layout) == []
    assert suspected == [second[1]]


def test_for_several_pythons_directories_are_looked_through_once(
    layout: Layout, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [installation(layout, f"3.11.{n}") for n in range(5)]
    store.publish_changes(layout, PLATFORM)
    pinned(layout, f"{place}/project", "3.11.3")
    plan = gc.plan(machine(layout), "/", ["pythons"])
    assert len(plan) == 4
    looked: list[str] = []

    def counted(layout: Layout) -> Iterator[str]:
        looked.append("once")
        return known_directories(layout)

    monkeypatch.setattr(users, "known_directories", counted)
    done = gc.collect(plan, machine(layout))
    assert (len(done.removed), looked) == (4, ["once"])
    assert os.path.exists(old[3].prefix)


def test_who_comes_while_several_pythons_go_is_seen(layout: Layout, place: str) -> None:
    ask = users.Users(machine(layout), place).of
    key = str(installation(layout, "3.11.7").key)
    assert ask(key) == []
    made = environment(layout, "late", prefix=layout.python(key))
    assert ask(key) == [made.title]

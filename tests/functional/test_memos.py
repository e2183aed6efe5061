"""Memos: what a call leaves for the next one, where it can't, and what `explain` makes of them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.envs.adopt import adopt
from bubble.selection.recall import recall
from support.shimworld import ShimWorld, write

if TYPE_CHECKING:
    from pathlib import Path

PIN = ".python-version"
ENV = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path))
    made.install("cpython-3.11.7")
    os.utime(made.layout.generation, (1, 1))
    pin(made, "3.11\n")
    return made


def pin(world: ShimWorld, text: str, name: str = PIN) -> None:
    """Write a version file as it was long ago: a memo of now is newer."""
    write(f"{world.tree}/{name}", text)
    os.utime(f"{world.tree}/{name}", (1, 1))


def leave(world: ShimWorld, cwd: str = "") -> str:
    """Resolve as the slow path does, which leaves the memo; return the answer."""
    return world.resolve("python", cwd or world.tree, ENV, leave=True)


def state(world: ShimWorld, cwd: str = "") -> str:
    """Return the memo's state as `explain` tells it, after the shim was seen to act on it."""
    told = recall(world.world(cwd or world.tree, ENV)).state
    asks = world.run("python", cwd or world.tree, ENV).stdout == "slow\n"
    assert asks == (told != "present")
    return told


def foreign(directory: str) -> str:
    """Make what another tool would make in a project: its .venv."""
    path = f"{directory}/.venv"
    write(f"{path}/pyvenv.cfg", "home = /usr/bin\n")
    write(f"{path}/bin/python", '#!/bin/sh\necho "$0"\n', 0o755)
    return path


def test_an_environment_whose_path_a_memo_cannot_say_works_without_one(world: ShimWorld) -> None:
    project = f"{world.tree}/a:b"
    path = foreign(project)
    adopt(path, "/", world.layout)
    assert leave(world, project) == f"{path}/bin/python"
    assert not os.path.lexists(world.layout.answer(project))
    assert state(world, project) == "none"


def test_a_store_that_takes_no_memo_gives_the_answer_all_the_same(world: ShimWorld) -> None:
    write(f"{world.layout.home}/projects", "in the way")
    assert leave(world).endswith("cpython-3.11.7-linux-x86_64-gnu/bin/python")
    assert state(world) == "none"


@pytest.mark.parametrize(
    ("name", "text", "asked"),
    [
        (PIN, "3.11\n", "3.11\n"),
        (".tool-versions", "python 3.11\n", ""),  # told by its time alone
    ],
)
def test_the_memo_of_an_environment_says_which_file_it_was_made_for(
    world: ShimWorld, name: str, text: str, asked: str
) -> None:
    os.unlink(f"{world.tree}/{PIN}")
    pin(world, text, name)
    path = foreign(world.tree)
    adopt(path, "/", world.layout)
    os.utime(world.layout.generation, (1, 1))
    assert leave(world) == f"{path}/bin/python"
    with open(world.layout.answer(world.tree)) as file:
        assert file.read() == f"{path}\n1 {name}\n{name if asked else '-'}\n{asked}"
    assert state(world) == "present"
    pin(world, "python 3.12\n", name)
    os.utime(f"{world.tree}/{name}")
    assert state(world) == "stale"


def test_what_is_in_the_memos_place_stays_and_nothing_is_left_beside_it(world: ShimWorld) -> None:
    memo = world.layout.answer(world.tree)
    os.makedirs(f"{memo}/mine")
    assert leave(world)
    assert os.listdir(os.path.dirname(memo)) == [os.path.basename(memo)]
    assert os.listdir(memo) == ["mine"]
    assert state(world) == "stale"


def test_a_writer_at_work_is_left_alone_and_one_that_was_killed_is_swept(world: ShimWorld) -> None:
    memo = world.layout.answer(world.tree)
    half = f"{os.path.dirname(memo)}/.{os.path.basename(memo)}.tmp"
    write(half, "half")
    leave(world)
    assert not os.path.exists(memo)
    with open(half) as file:
        assert file.read() == "half"
    os.utime(half, (1, 1))
    leave(world)
    assert os.listdir(os.path.dirname(memo)) == [os.path.basename(memo)]
    assert state(world) == "present"


@pytest.mark.parametrize(
    "change", ["a directory", "another text", "no file", "a link to nothing", "a longer file"]
)
def test_a_memo_is_void_when_the_file_says_anything_else(world: ShimWorld, change: str) -> None:
    leave(world)
    path = f"{world.tree}/{PIN}"
    match change:
        case "a directory":
            os.unlink(path)
            os.mkdir(path)
            os.utime(path, (1, 1))
        case "another text":
            pin(world, "3.12\n")
        case "no file":
            os.unlink(path)
        case "a longer file":
            pin(world, "3.11\n" + "#" * 5000)
        case "a link to nothing":
            os.unlink(path)
            os.symlink("nothing", path)
    assert state(world) == "stale"


def test_without_a_generation_no_memo_holds(world: ShimWorld) -> None:
    leave(world)
    assert state(world) == "present"
    os.unlink(world.layout.generation)
    # not `state`: the shells don't agree on what is newer than nothing
    assert recall(world.world(world.tree, ENV)).state == "stale"


def test_a_memo_that_is_gone_is_asked_for_again(world: ShimWorld) -> None:
    leave(world)
    shutil.rmtree(f"{world.layout.home}/projects")
    assert state(world) == "none"

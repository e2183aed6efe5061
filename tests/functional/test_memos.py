"""Memos: what a call leaves for the next one, where it can't, and what `explain` makes of them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.envs.making.adopt import adopt
from bubble.pythons.installed import meanings
from bubble.selection import facts, memos, registry
from bubble.selection.facts import NOTHING
from bubble.selection.identity import identity_of_file, mark_file
from bubble.selection.resolve import select
from support.answers import (
    ENV,
    PIN,
    a_large_file,
    a_pin,
    a_pin_above_what_says_nothing,
    a_range_below_a_pin,
    leave,
    put,
    same_size_a_second_later,
    state,
    the_global_pin,
    the_variable,
    told,
)
from support.shimworld import PLATFORM, ShimWorld, in_its_place, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Making = Callable[[ShimWorld], str]


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path))
    made.install("cpython-3.11.7")
    made.install("cpython-3.12.1")
    return made


def placed(world: ShimWorld, cwd: str = "") -> tuple[str, ...]:
    """Return the installations that the memo answers with, whatever links lead there."""
    return tuple(map(in_its_place, told(world, cwd).prefixes))


@pytest.mark.parametrize(
    "making",
    [a_pin, a_pin_above_what_says_nothing, the_global_pin, the_variable, a_range_below_a_pin],
)
def test_a_request_means_what_is_best_now_and_the_memo_stays(
    making: Making, world: ShimWorld
) -> None:
    cwd = making(world)
    leave(world, cwd)
    for name in ("cpython-3.11.9", "cpython-3.11.10"):
        prefix = world.install(name)
        assert placed(world, cwd) == (prefix,)
    world.remove("cpython-3.11.10")
    assert placed(world, cwd) == (world.layout.python(f"cpython-3.11.9-{PLATFORM}"),)


def test_a_request_that_nothing_satisfies_is_passed_over_until_something_does(
    world: ShimWorld,
) -> None:
    put(f"{world.tree}/{PIN}", "3.13\n3.11\n")
    first = leave(world)
    assert told(world).prefixes == (os.path.dirname(os.path.dirname(first)),)
    prefix = world.install("cpython-3.13.0")
    assert placed(world)[0] == prefix
    world.remove("cpython-3.13.0")
    world.remove("cpython-3.11.7")
    assert told(world).prefixes == ()
    assert world.run("python", world.tree, ENV).stdout == "slow\n"


def test_a_change_between_the_answer_and_its_memo_leaves_no_memo(
    world: ShimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    cwd = a_pin(world)
    found = facts.memos_of

    def then_changed(*given: object) -> object:
        seen = found(*given)  # type: ignore[arg-type] # passed on as it came
        put(f"{cwd}/{PIN}", "3.12\n")
        return seen

    monkeypatch.setattr(memos, "memos_of", then_changed)
    given = world.world(cwd, ENV)
    memos.leave(select(given), given)
    assert state(world) == "none"


def test_what_is_remembered_of_before_a_change_is_not_remembered_after_it(
    world: ShimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody installs after the second look, and before what was found is written down."""
    cwd = a_pin(world)
    remember = meanings.remember
    prefixes = []

    def too_late(*given: str) -> None:
        prefixes.append(world.install("cpython-3.11.9"))
        remember(*given)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(meanings, "remember", too_late)
    leave(world)
    monkeypatch.undo()
    assert state(world) != "present"
    leave(world)
    assert placed(world, cwd) == tuple(prefixes)


def test_an_environment_in_which_nothing_can_be_written_works_without_a_memo(
    world: ShimWorld,
) -> None:
    path = f"{world.tree}/.venv"
    world.environment(path, "cpython-3.11.7", "uv")
    environment = world.register(path, "uv")
    os.unlink(mark_file(environment))
    registry.register(world.layout, environment.replace(identity=identity_of_file(path)))
    assert leave(world) == f"{path}/bin/python"
    assert state(world) == "none"


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
    a_pin(world)
    write(world.layout.answers, "in the way")
    assert in_its_place(leave(world)).endswith("cpython-3.11.7-linux-x86_64-gnu/bin/python")
    assert state(world) == "none"


def test_what_is_in_the_memos_place_stays_and_nothing_is_left_beside_it(world: ShimWorld) -> None:
    memo = world.layout.answer(a_pin(world))
    os.makedirs(f"{memo}/mine")
    assert leave(world)
    assert os.listdir(os.path.dirname(memo)) == [os.path.basename(memo)]
    assert os.listdir(memo) == ["mine"]
    assert state(world) == "stale"


def test_a_directory_that_says_nothing_has_a_memo_of_that(world: ShimWorld) -> None:
    a_pin_above_what_says_nothing(world)
    leave(world, f"{world.tree}/a")
    with open(world.layout.answer(f"{world.tree}/a")) as file:
        assert file.read().splitlines()[1:3] == [NOTHING, ".tool-versions pyproject.toml"]


def test_a_stamp_that_no_memo_has_any_more_goes(world: ShimWorld) -> None:
    a_large_file(world)
    leave(world)
    place = os.path.dirname(world.layout.answer(world.tree))
    (first,) = (name for name in os.listdir(place) if name != "answer")
    same_size_a_second_later(world)
    leave(world)
    assert state(world) == "present"
    (second,) = (name for name in os.listdir(place) if name != "answer")
    assert first != second


def test_a_memo_that_is_gone_is_asked_for_again(world: ShimWorld) -> None:
    a_pin(world)
    leave(world)
    shutil.rmtree(world.layout.answers)
    assert state(world) == "none"
    shutil.rmtree(world.layout.requests)
    assert state(world) == "none"
    leave(world)
    assert state(world) == "present"


def test_a_time_behind_which_there_is_none_costs_the_memo_alone(
    world: ShimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OverflowError("timestamp out of range for platform time_t")

    write(f"{world.tree}/.python-version", "3.12\n")
    monkeypatch.setattr(os, "utime", refuse)  # as for a file of the last second that a disk can say
    assert world.resolve("python", world.tree, ENV, leave=True).endswith("/bin/python")


def test_a_directory_reached_through_a_link_is_known_by_its_own_name_as_well(
    world: ShimWorld,
) -> None:
    """So that a shell's hook enters the environment there, with which nobody has worked yet."""
    real, link = f"{world.tree}/real", f"{world.tree}/link"
    world.environment(f"{real}/.venv", "cpython-3.11.7", "tool")
    environment = world.register(f"{real}/.venv", "bubble")
    os.symlink("real", link)
    memos.leave_here(world.world(f"{link}", ENV))
    for cwd in (link, real):
        assert told(world, cwd).prefixes == (environment.path,)

"""Memos: what a call leaves for the next one, what voids it, and what `explain` makes of them."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from bubble.envs.adopt import adopt
from bubble.pythons import remembered
from bubble.selection import facts, memos, registry
from bubble.selection.facts import NOTHING
from bubble.selection.identity import identity_of_file, mark_file
from bubble.selection.recall import Recall, recall
from bubble.selection.resolve import select
from support.shimworld import PLATFORM, ShimWorld, shells, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Making = Callable[["ShimWorld"], str]
    Change = Callable[["ShimWorld"], None]

PIN = ".python-version"
ENV = {"PATH": "/usr/bin:/bin"}
OLD = (1, 1)


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path))
    made.install("cpython-3.11.7")
    made.install("cpython-3.12.1")
    return made


def put(path: str, text: str) -> None:
    """Write a file as it was long ago: no fact may need the time to tell that it is another."""
    write(path, text)
    os.utime(path, OLD)


def variables(world: ShimWorld) -> dict[str, str]:
    """Return the environment, with the variable where a test put one into the world's root."""
    path = f"{world.root}/variable"
    if not os.path.exists(path):
        return ENV
    with open(path) as file:
        return {**ENV, "BUBBLE_PYTHON": file.read()}


def leave(world: ShimWorld, cwd: str = "") -> str:
    """Resolve as the slow path does, which leaves the memo; return the answer."""
    return world.resolve("python", cwd or world.tree, variables(world), leave=True)


def told(world: ShimWorld, cwd: str = "") -> Recall:
    """Return the memo as `explain` tells it, after the shims of all shells were seen to agree."""
    cwd, env = cwd or world.tree, variables(world)
    found = recall(world.world(cwd, env))
    ran = {name: world.run("python", cwd, env, shell).stdout for name, shell in shells().items()}
    is_known = found.state == "present" and found.prefixes
    expected = f"{found.prefixes[0]}/bin/python\n" if is_known else "slow\n"
    assert ran == dict.fromkeys(ran, expected)
    return found


def state(world: ShimWorld, cwd: str = "") -> str:
    return told(world, cwd).state


# what an answer is made from: each of these leaves a memo for the directory that it returns


def a_pin(world: ShimWorld) -> str:
    put(f"{world.tree}/{PIN}", "# mine\n\n3.11\n")
    return world.tree


def a_large_file(world: ShimWorld) -> str:
    path = f"{world.tree}/pyproject.toml"
    text = '[project]\nrequires-python = "==3.11.*"\n' + "# and more\n" * 500
    write(path, text)
    then = time.time_ns() // 10**9 * 10**9 - 10**10 + 7
    os.utime(path, ns=(then, then))
    return world.tree


def a_pin_above_what_says_nothing(world: ShimWorld) -> str:
    a_pin(world)
    put(f"{world.tree}/a/pyproject.toml", "[tool.x]\n")
    put(f"{world.tree}/a/.tool-versions", "nodejs 20\n")
    os.makedirs(f"{world.tree}/a/b")
    return f"{world.tree}/a/b"


def a_directory_in_a_files_place(world: ShimWorld) -> str:
    a_pin(world)
    os.makedirs(f"{world.tree}/a/pyproject.toml")
    return f"{world.tree}/a"


def a_range_below_a_pin(world: ShimWorld) -> str:
    a_pin(world)
    put(f"{world.tree}/a/b/pyproject.toml", '[project]\nrequires-python = ">=3.9"\n')
    return f"{world.tree}/a/b"


def a_range_alone(world: ShimWorld) -> str:
    put(f"{world.tree}/a/pyproject.toml", '[project]\nrequires-python = ">=3.9"\n')
    return f"{world.tree}/a"


def a_range_and_the_global_pin(world: ShimWorld) -> str:
    the_global_pin(world)
    return a_range_alone(world)


def an_unknown_name_before_a_version(world: ShimWorld) -> str:
    put(f"{world.tree}/{PIN}", "site\n3.11\n")
    return world.tree


def a_name(world: ShimWorld) -> str:
    put(f"{world.tree}/{PIN}", "site\n")
    name_environment(world)
    return world.tree


def its_environment(world: ShimWorld) -> str:
    path = f"{world.tree}/.venv"
    world.environment(path, "cpython-3.11.7", "bubble")
    world.register(path, "bubble")
    return world.tree


def its_environment_and_a_pin(world: ShimWorld) -> str:
    a_pin(world)
    return its_environment(world)


def its_environment_through_a_link(world: ShimWorld) -> str:
    path = f"{world.tree}/real/.venv"
    world.environment(path, "cpython-3.11.7", "bubble")
    world.register(path, "bubble")
    os.symlink("real", f"{world.tree}/link")
    return f"{world.tree}/link"


def another_tools_environment(world: ShimWorld) -> str:
    path = f"{world.tree}/.venv"
    world.environment(path, "cpython-3.11.7", "uv")
    world.register(path, "uv")
    return world.tree


def a_strangers_environment_beside_a_pin(world: ShimWorld) -> str:
    world.environment(f"{world.tree}/.venv", "cpython-3.12.1", "nobody")
    return a_pin(world)


def the_global_pin(world: ShimWorld) -> str:
    put(world.layout.global_pin, "3.11\n")
    return world.tree


def the_variable(world: ShimWorld) -> str:
    write(f"{world.root}/variable", "3.11")
    return world.tree


def the_variable_with_a_name(world: ShimWorld) -> str:
    write(f"{world.root}/variable", "site")
    name_environment(world)
    return world.tree


# what happens to it


def name_environment(world: ShimWorld) -> None:
    path = f"{world.layout.envs}/site"
    world.environment(path, "cpython-3.11.7", "bubble")
    world.register(path, "bubble", name="site")


def known(world: ShimWorld) -> registry.Environment:
    (found,) = registry.environments(world.layout)
    return found


def text(path: str, new: str) -> Change:
    """Another text in a file below the tree, with a time of long ago."""
    return lambda world: put(f"{world.tree}/{path}", new)


def gone(path: str) -> Change:
    return lambda world: os.unlink(f"{world.tree}/{path}")


def linked(path: str, target: str) -> Change:
    def change(world: ShimWorld) -> None:
        if os.path.lexists(f"{world.tree}/{path}"):
            os.unlink(f"{world.tree}/{path}")
        os.symlink(target, f"{world.tree}/{path}")

    return change


def directory(path: str) -> Change:
    def change(world: ShimWorld) -> None:
        if os.path.lexists(f"{world.tree}/{path}"):
            os.unlink(f"{world.tree}/{path}")
        os.mkdir(f"{world.tree}/{path}")
        os.utime(f"{world.tree}/{path}", OLD)

    return change


def pipe(path: str) -> Change:
    def change(world: ShimWorld) -> None:
        os.unlink(f"{world.tree}/{path}")
        os.mkfifo(f"{world.tree}/{path}")
        os.utime(f"{world.tree}/{path}", OLD)

    return change


def same_size_a_second_later(world: ShimWorld) -> None:
    same_size_later(world, 10**9)


def same_size_later(world: ShimWorld, nanoseconds: int) -> None:
    path = f"{world.tree}/pyproject.toml"
    then = os.stat(path).st_mtime_ns + nanoseconds
    with open(path) as file:
        text = file.read()
    write(path, text.replace("3.11", "3.12"))
    os.utime(path, ns=(then, then))


def older(world: ShimWorld) -> None:
    path = f"{world.tree}/pyproject.toml"
    with open(path) as file:
        text = file.read()
    put(path, text.replace("3.11", "3.12"))


def another_mark(world: ShimWorld) -> None:
    put(mark_file(known(world)), "0" * 32 + "\n")


def no_mark(world: ShimWorld) -> None:
    os.unlink(mark_file(known(world)))


def a_mark_appears(world: ShimWorld) -> None:
    put(f"{world.tree}/.venv/.bubble-environment", "0" * 32 + "\n")


def another_thing_in_its_place(world: ShimWorld) -> None:
    path = known(world).path
    shutil.rmtree(path)
    world.environment(path, "cpython-3.11.7", "bubble")


def no_record(world: ShimWorld) -> None:
    registry.forget(world.layout, known(world))


def a_record_with_another_identity(world: ShimWorld) -> None:
    registry.register(world.layout, known(world).replace(identity="0" * 32))


def adopted(world: ShimWorld) -> None:
    world.register(f"{world.tree}/.venv", "virtualenv")


def another_interpreter(world: ShimWorld) -> None:
    path = f"{known(world).path}/bin/python"
    os.unlink(path)
    os.symlink(f"{world.layout.python(f'cpython-3.12.1-{PLATFORM}')}/bin/python", path)


def no_interpreter(world: ShimWorld) -> None:
    os.unlink(f"{known(world).path}/bin/python")


def another_configuration(world: ShimWorld) -> None:
    put(f"{known(world).path}/pyvenv.cfg", "home = /usr/bin\nversion = 3.12.1\n")


def no_environment(world: ShimWorld) -> None:
    shutil.rmtree(known(world).path)


def a_copy_behind_the_link(world: ShimWorld) -> None:
    shutil.copytree(f"{world.tree}/real", f"{world.tree}/copy", symlinks=True)
    linked("link", "copy")(world)


def another_global_pin(world: ShimWorld) -> None:
    put(world.layout.global_pin, "3.12\n")


def no_global_pin(world: ShimWorld) -> None:
    os.unlink(world.layout.global_pin)


def a_change_of_what_is_installed_begins(world: ShimWorld) -> None:
    assert remembered.withhold(world.layout)


VOID: list[tuple[Making, Change]] = [
    # contents, whatever the time
    (a_pin, text(PIN, "# mine\n\n3.12\n")),
    (a_pin, text(PIN, "# mine\n\n3.11\n3.12\n")),
    (a_pin, text(PIN, "# mine\n\n3.11\n\n")),
    (a_pin, text(PIN, "# mine\n\n")),
    (a_pin, text(PIN, "")),
    (a_pin, text(PIN, "# mine\n\n3.11\n" + "#" * 5000)),
    (a_pin, text(PIN, "# mine\r\n\r\n3.11\r\n")),
    (a_pin, text(PIN, "# mine\n\n3.11 \n")),
    (a_pin, gone(PIN)),
    (a_pin, directory(PIN)),
    (a_pin, pipe(PIN)),
    (a_pin, linked(PIN, "nothing")),
    (a_pin, linked(PIN, "/dev/zero")),
    (the_global_pin, another_global_pin),
    (the_global_pin, no_global_pin),
    # the time of a larger file: equal, no other
    (a_large_file, same_size_a_second_later),
    (a_large_file, older),
    (a_large_file, gone("pyproject.toml")),
    (a_large_file, directory("pyproject.toml")),
    # the names that are there
    (a_pin, text(".tool-versions", "nodejs 20\n")),
    (a_pin, text(".python-versions", "")),
    (a_pin, linked("pyproject.toml", "nothing")),
    (a_pin, directory(".venv")),
    (a_pin, linked(".venv", "nothing")),
    # what says nothing
    (a_pin_above_what_says_nothing, text("a/.tool-versions", "python 3.12\n")),
    (a_pin_above_what_says_nothing, text("a/pyproject.toml", "[tool.y]\n")),
    (a_pin_above_what_says_nothing, text(f"a/b/{PIN}", "3.12\n")),
    (a_pin_above_what_says_nothing, text(PIN, "3.12\n")),
    (a_directory_in_a_files_place, text(PIN, "3.12\n")),
    # what a range prefers
    (a_range_below_a_pin, text(PIN, "3.12\n")),
    (a_range_below_a_pin, gone(PIN)),
    (a_range_below_a_pin, text(f"a/{PIN}", "3.12\n")),
    (a_range_below_a_pin, text("a/.python-versions", "3.12\n")),
    (a_range_below_a_pin, text("a/.tool-versions", "python 3.12\n")),
    (a_range_alone, text(PIN, "3.11\n")),
    (a_range_alone, another_global_pin),
    (a_range_and_the_global_pin, another_global_pin),
    (a_range_and_the_global_pin, no_global_pin),
    # environments
    (an_unknown_name_before_a_version, name_environment),
    *[
        (making, change)
        for making in (
            a_name,
            the_variable_with_a_name,
            its_environment,
            its_environment_and_a_pin,
            its_environment_through_a_link,
            another_tools_environment,
        )
        for change in (
            another_mark,
            no_mark,
            another_thing_in_its_place,
            no_record,
            a_record_with_another_identity,
            another_interpreter,
            no_interpreter,
            no_environment,
        )
    ],
    (another_tools_environment, another_configuration),
    (its_environment_and_a_pin, text(PIN, "3.12\n")),
    (its_environment_and_a_pin, text("pyproject.toml", "")),
    (its_environment_through_a_link, a_copy_behind_the_link),
    (a_strangers_environment_beside_a_pin, adopted),
    (a_strangers_environment_beside_a_pin, a_mark_appears),
    # what requests mean
    (a_pin, a_change_of_what_is_installed_begins),
    (the_variable, a_change_of_what_is_installed_begins),
    (the_global_pin, a_change_of_what_is_installed_begins),
]


@pytest.mark.parametrize("number", range(len(VOID)))
def test_an_answer_is_void_when_anything_that_it_was_made_from_is_not_so_any_more(
    number: int, world: ShimWorld
) -> None:
    making, change = VOID[number]
    cwd = making(world)
    assert state(world, cwd) == "none"
    answer = leave(world, cwd)
    assert told(world, cwd).prefixes[0] == os.path.dirname(os.path.dirname(answer))
    change(world)
    assert state(world, cwd) != "present", f"{making.__name__} and {change}"


def test_a_larger_file_is_another_one_with_any_other_time_that_the_shell_can_tell(
    world: ShimWorld,
) -> None:
    a_large_file(world)
    leave(world)
    same_size_later(world, 1)
    assert recall(world.world(world.tree, ENV)).state == "stale"
    for name, shell in shells().items():
        if name != "busybox":  # it compares seconds; by the clock, a change comes 3 s later
            assert world.run("python", world.tree, ENV, shell).stdout == "slow\n", name


def a_file_that_is_not_looked_at(world: ShimWorld) -> None:
    put(f"{world.tree}/README", "3.12\n")
    put(f"{world.tree}/.tool-versionsx", "python 3.12\n")


def any_time(world: ShimWorld) -> None:
    for place, _, names in os.walk(world.tree):
        for name in names:
            os.utime(f"{place}/{name}", (2, 2), follow_symlinks=False)


def written_again(world: ShimWorld) -> None:
    """As a checkout of another branch and back, or an editor that saves what it has."""
    for place, _, names in os.walk(world.tree):
        for name in names:
            path = f"{place}/{name}"
            if not os.path.islink(path):
                os.rename(path, f"{path}.old")
                shutil.copy(f"{path}.old", path)
                os.utime(path, OLD)
                os.unlink(f"{path}.old")


@pytest.mark.parametrize("change", [a_file_that_is_not_looked_at, any_time, written_again])
@pytest.mark.parametrize(
    "making",
    [
        a_pin,
        a_pin_above_what_says_nothing,
        a_range_below_a_pin,
        its_environment_and_a_pin,
        its_environment_through_a_link,
        another_tools_environment,
    ],
)
def test_an_answer_holds_while_all_that_it_was_made_from_is_so(
    making: Making, change: Change, world: ShimWorld
) -> None:
    cwd = making(world)
    answer = leave(world, cwd)
    change(world)
    assert told(world, cwd).state == "present"
    assert leave(world, cwd) == answer


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
        assert told(world, cwd).prefixes == (prefix,)
    world.remove("cpython-3.11.10")
    assert told(world, cwd).prefixes == (world.layout.python(f"cpython-3.11.9-{PLATFORM}"),)


def test_a_request_that_nothing_satisfies_is_passed_over_until_something_does(
    world: ShimWorld,
) -> None:
    put(f"{world.tree}/{PIN}", "3.13\n3.11\n")
    first = leave(world)
    assert told(world).prefixes == (os.path.dirname(os.path.dirname(first)),)
    prefix = world.install("cpython-3.13.0")
    assert told(world).prefixes[0] == prefix
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
    remember = remembered.remember
    prefixes = []

    def too_late(*given: str) -> None:
        prefixes.append(world.install("cpython-3.11.9"))
        remember(*given)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(remembered, "remember", too_late)
    leave(world)
    monkeypatch.undo()
    assert state(world) != "present"
    leave(world)
    assert told(world, cwd).prefixes == tuple(prefixes)


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
    assert leave(world).endswith("cpython-3.11.7-linux-x86_64-gnu/bin/python")
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

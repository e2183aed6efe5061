"""An answer holds while each thing that it was made from is so: what voids it, and what doesn't."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.pythons.installed import meanings
from bubble.selection import registry
from bubble.selection.identity import mark_file
from bubble.selection.replay import replay
from bubble.system.layout import ADOPTED, MARK
from support.answers import (
    ENV,
    OLD,
    PIN,
    a_directory_in_a_files_place,
    a_large_file,
    a_name,
    a_pin,
    a_pin_above_what_says_nothing,
    a_range_alone,
    a_range_and_the_global_pin,
    a_range_below_a_pin,
    a_strangers_environment_beside_a_pin,
    an_unknown_name_before_a_version,
    another_tools_environment,
    its_environment,
    its_environment_and_a_pin,
    its_environment_through_a_link,
    leave,
    name_environment,
    put,
    same_size_a_second_later,
    same_size_later,
    state,
    the_global_pin,
    the_variable,
    the_variable_with_a_name,
    told,
)
from support.needs import NOT_ROOT
from support.shimworld import PLATFORM, ShimWorld, shells

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Making = Callable[[ShimWorld], str]
    Change = Callable[[ShimWorld], None]


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path))
    made.install("cpython-3.11.7")
    made.install("cpython-3.12.1")
    return made


# what happens to it


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
    assert meanings.withhold(world.layout)


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
    assert f"{told(world, cwd).prefixes[0]}/bin/python" == answer
    change(world)
    assert state(world, cwd) != "present", f"{making.__name__} and {change}"


def test_a_larger_file_is_another_one_with_any_other_time_that_the_shell_can_tell(
    world: ShimWorld,
) -> None:
    a_large_file(world)
    leave(world)
    same_size_later(world, 1)
    assert replay(world.world(world.tree, ENV)).state == "stale"
    for name, shell in shells().items():
        if name != "busybox":  # it compares seconds; by the clock, a change comes 3 s later
            assert world.run("python", world.tree, ENV, shell).stdout == "slow\n", name


@NOT_ROOT
def test_a_larger_file_that_can_be_read_or_not_is_another_one_though_its_time_stays(
    world: ShimWorld,
) -> None:
    a_large_file(world)
    put(world.layout.global_pin, "3.12\n")
    path = f"{world.tree}/pyproject.toml"
    for mode in (0o644, 0o000, 0o644, 0o000):
        os.chmod(path, mode)
        chosen = world.resolve("python", world.tree, ENV)
        for shell in shells().values():
            ran = world.run("python", world.tree, ENV, shell).stdout.strip()
            assert ran in {"slow", chosen}, (mode, shell)
        assert replay(world.world(world.tree, ENV)).prefixes in {
            (),
            (chosen[: -len("/bin/python")],),
        }
        world.resolve("python", world.tree, ENV, leave=True)


def a_file_that_is_not_looked_at(world: ShimWorld) -> None:
    put(f"{world.tree}/README", "3.12\n")
    put(f"{world.tree}/.tool-versionsx", "python 3.12\n")


def any_time(world: ShimWorld) -> None:
    for place, _, names in os.walk(world.tree):
        for name in names:
            os.utime(f"{place}/{name}", (2, 2), follow_symlinks=False)


def written_again(world: ShimWorld) -> None:
    """As a checkout of another branch and back, or an editor that saves what it has.

    But for marks: one that is written again is another file, which is what they are known by.
    """
    for place, _, names in os.walk(world.tree):
        for name in names:
            path = f"{place}/{name}"
            if not os.path.islink(path) and name not in {MARK, ADOPTED}:
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

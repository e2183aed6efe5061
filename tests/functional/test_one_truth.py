"""What a directory gets: the same from resolver and shim, at each moment of a project's life.

Each test is the story of one kind of change: what belongs to a directory, how the directory is
called, what its files mean. After every step the shim says what the resolver says, or asks.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.installed import meanings, store
from bubble.selection import registry
from bubble.selection.base import selected_request
from bubble.selection.resolve import select
from bubble.selection.shims import rehash
from bubble.selection.sources import unreadable
from bubble.system.layout import MARK
from bubble.system.version_file import read_requires_python
from support.shimworld import PLATFORM, ShimWorld, in_its_place, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENV = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path))
    for name in ("cpython-3.11.7", "cpython-3.12.1", "cpython-3.13.0"):
        made.install(name)
    write(made.layout.global_pin, "3.11\n")
    return made


def agreed(world: ShimWorld, cwd: str) -> str:
    """Return what `python` is in `cwd`, relative to the root; the message where it is an error.

    The shim must never say anything else, with the memos that happen to be there or with its own.
    """
    try:
        chosen = world.resolve("python", cwd, ENV)
    except BubbleError as error:
        assert world.run("python", cwd, ENV).stdout == "slow\n"
        return error.message
    assert world.run("python", cwd, ENV).stdout in {"slow\n", f"{chosen}\n"}
    world.resolve("python", cwd, ENV, leave=True)
    assert world.run("python", cwd, ENV).stdout == f"{chosen}\n"
    return os.path.relpath(in_its_place(chosen), world.root)


def python(version: str) -> str:
    return f"store/pythons/cpython-{version}-{PLATFORM}/bin/python"


def hint(world: ShimWorld, cwd: str) -> str:
    with pytest.raises(BubbleError) as caught:
        select(world.world(cwd, ENV))
    return str(caught.value.hint)


def made(world: ShimWorld, directory: str, version: str = "3.12.1", maker: str = "bubble") -> str:
    """Put a registered environment into a directory; return its path."""
    path = f"{directory}/.venv"
    world.environment(path, f"cpython-{version}", maker)
    world.register(path, maker)
    return path


def test_an_environment_counts_from_the_moment_at_which_it_is_registered(world: ShimWorld) -> None:
    project, below = f"{world.tree}/g", f"{world.tree}/g/src/a"
    os.makedirs(below)
    write(f"{world.tree}/.python-version", "3.13\n")
    assert agreed(world, below) == python("3.13.0")
    assert agreed(world, world.tree) == python("3.13.0")
    path = made(world, project)
    # no memo of it was left: those above must not answer for it
    assert world.run("python", below, ENV).stdout == "slow\n"
    assert agreed(world, below) == "tree/g/.venv/bin/python"
    registry.forget(world.layout, world.resolved_environment(project))
    assert agreed(world, below) == python("3.13.0")
    shutil.rmtree(path)
    assert agreed(world, below) == python("3.13.0")


def test_a_directory_is_itself_however_its_path_is_spelled(world: ShimWorld) -> None:
    real, link, above = f"{world.tree}/real/p", f"{world.tree}/l", f"{world.tree}/above"
    os.makedirs(f"{real}/src")
    os.symlink(real, link)
    os.symlink("real", above)
    made(world, real)
    for cwd in (real, link, f"{above}/p", f"{link}/src", f"{above}/p/src"):
        assert agreed(world, cwd) == "tree/real/p/.venv/bin/python"
    # the link leads somewhere else now, where a memo for its name is already
    os.makedirs(f"{world.tree}/other")
    os.unlink(link)
    os.symlink("other", link)
    assert agreed(world, link) == python("3.11.7")


def test_what_was_moved_or_copied_is_told_and_never_passed_over(world: ShimWorld) -> None:
    first, second, third = (f"{world.tree}/{name}" for name in ("one", "my two", "three"))
    os.makedirs(first)
    made(world, first)
    assert agreed(world, first) == "tree/one/.venv/bin/python"
    os.rename(first, second)
    assert "was at" in agreed(world, second)
    assert hint(world, second).endswith(f"bubble repair '{second}/.venv'")
    os.rename(second, first)
    shutil.copytree(first, third, symlinks=True)
    assert "is a copy of" in agreed(world, third)
    assert agreed(world, first) == "tree/one/.venv/bin/python"


@pytest.mark.parametrize("named", [False, True])
def test_something_else_at_a_registered_path_is_never_run(world: ShimWorld, named: bool) -> None:
    project = f"{world.tree}/p"
    os.makedirs(project)
    if named:
        path = f"{world.layout.envs}/site"
        write(f"{project}/.python-version", "site\n")
        world.environment(path, "cpython-3.12.1", "bubble")
        world.register(path, "bubble", name="site")
    else:
        path = made(world, project)
    assert agreed(world, project).endswith("/bin/python")
    shutil.rmtree(path)
    assert "is gone" in agreed(world, project)
    world.environment(path, "cpython-3.12.1", "bubble")
    write(f"{path}/{MARK}", "0123456789abcdef0123456789abcdef\n")
    assert "something else lies in its place" in agreed(world, project)
    os.unlink(f"{path}/{MARK}")
    assert "something else lies in its place" in agreed(world, project)


@pytest.mark.parametrize("maker", ["bubble", "uv"])
def test_an_environment_fits_while_its_interpreter_is_what_is_asked_for(
    world: ShimWorld, maker: str
) -> None:
    project = f"{world.tree}/p"
    write(f"{project}/pyproject.toml", '[project]\nrequires-python = ">=3.8"\n')
    made(world, project, maker=maker)
    own = "tree/p/.venv/bin/python"
    assert agreed(world, project) == own
    for text in (">=3.9", ">= 3.8, <4", "==3.12.*"):
        write(f"{project}/pyproject.toml", f'[project]\nrequires-python = "{text}"\n')
        assert agreed(world, project) == own
    for text in ("3.12", "3.12.1", "3.10\n3.12", "cpython-3.12", "3.12  # why"):
        write(f"{project}/.python-version", f"{text}\n")
        assert agreed(world, project) == own
    write(f"{project}/.python-version", "3.13\n")
    assert "has cpython-3.12.1" in agreed(world, project)
    assert ("bubble repair" in hint(world, project)) == (maker == "bubble")
    write(f"{project}/.python-version", "3.10\n")
    assert ("bubble python install 3.10" in hint(world, project)) == (maker == "bubble")


def test_a_range_prefers_the_pin_above_it_that_is_in_it(world: ShimWorld) -> None:
    above, project = f"{world.tree}/above", f"{world.tree}/above/p"
    write(f"{project}/pyproject.toml", '[project]\nrequires-python = ">=3.8"\n')
    assert agreed(world, project) == python("3.11.7")  # the global pin
    assert selected_request(world.world(project, ENV)) == "3.11"
    write(f"{above}/.python-version", "3.12\n")
    assert agreed(world, project) == python("3.12.1")
    world.install("cpython-3.14.0")
    assert agreed(world, project) == python("3.12.1")
    world.install("cpython-3.12.9")
    assert agreed(world, project) == python("3.12.9")
    write(f"{project}/pyproject.toml", '[project]\nrequires-python = ">=3.13"\n')
    assert agreed(world, project) == python("3.14.0")
    write(f"{above}/.python-version", "3.13\n")
    assert agreed(world, project) == python("3.13.0")
    os.unlink(f"{above}/.python-version")
    assert agreed(world, project) == python("3.14.0")
    write(world.layout.global_pin, "3.13\n")
    assert agreed(world, project) == python("3.13.0")
    os.unlink(world.layout.global_pin)
    assert agreed(world, project) == python("3.14.0")


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nrequires-python = "^3.9"\n',
        '[project]\nrequires-python = ">=3.8"\n<<<<<<< HEAD\n',
        '[project]\nrequires-python = ">=3.8"\n' + ".".join("a" * 16000) + " = 1\n",
        '[project]\nrequires-python = ">=3.8"\n[' + ".".join('"a"' for _ in range(9000)) + "]\n",
        '[project]\nrequires-python = ">=3.8"\nx = ' + "[" * 9000,
        '[project]\nrequires-python = ">=3.8"\n# ' + "x" * (1 << 18),
        "[project]\nrequires-python = 3.9\n",
    ],
    ids=["caret", "merge", "dotted", "quoted", "nested", "large", "number"],
)
def test_a_pyproject_that_cannot_be_understood_says_nothing_but_a_word(
    world: ShimWorld, text: str
) -> None:
    write(f"{world.tree}/pyproject.toml", text)
    chosen = world.resolve("python", world.tree, ENV, leave=True)
    assert in_its_place(chosen).endswith(python("3.11.7"))
    selection = select(world.world(world.tree, ENV))
    (word,) = unreadable(world.tree, selection.source)
    assert word.startswith(f"{world.tree}/pyproject.toml can't be used: ")
    assert len(word) < 400


def test_hostile_keys_are_refused_before_they_are_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tomllib

    monkeypatch.setattr(tomllib, "loads", lambda _: pytest.fail("it was parsed"))
    path = f"{tmp_path}/pyproject.toml"
    write(path, '[project]\nrequires-python = ">=3.8"\n' + ".".join("a" * 16000) + " = 1\n")
    with pytest.raises(BubbleError, match="too many parts"):
        read_requires_python(path)


def test_of_several_lines_the_first_that_is_there_counts_and_none_is_an_error(
    world: ShimWorld,
) -> None:
    pin = f"{world.tree}/.python-version"
    write(pin, "ghost\n3.12\n")
    assert agreed(world, world.tree) == python("3.12.1")
    path = f"{world.layout.envs}/ghost"
    world.environment(path, "cpython-3.13.0", "bubble")
    world.register(path, "bubble", name="ghost")
    assert agreed(world, world.tree) == "store/envs/ghost/bin/python"
    write(pin, "3.99\n3.12\n")
    assert agreed(world, world.tree) == python("3.12.1")
    world.install("cpython-3.99.0")
    assert agreed(world, world.tree) == python("3.99.0")
    write(pin, "phantom\n3.98\n")
    assert "phantom" in agreed(world, world.tree)


def test_the_long_name_of_an_environment_means_the_environment(world: ShimWorld) -> None:
    path = f"{world.layout.envs}/site"
    world.environment(path, "cpython-3.12.1", "bubble")
    world.register(path, "bubble", name="site")
    for text in ("3.12.1/envs/site", "3.11/envs/site"):
        write(f"{world.tree}/.python-version", f"{text}\n")
        assert agreed(world, world.tree) == "store/envs/site/bin/python"
    write(f"{world.tree}/.python-version", "../envs/site\n")
    assert "is a path" in agreed(world, world.tree)


def test_a_change_of_what_is_installed_voids_what_it_changes_and_nothing_else(
    world: ShimWorld,
) -> None:
    project, other = f"{world.tree}/p", f"{world.tree}/o"
    write(f"{project}/.python-version", "3.12\n")
    os.makedirs(other)
    made(world, other)
    assert agreed(world, project) == python("3.12.1")
    assert agreed(world, other) == "tree/o/.venv/bin/python"
    world.install("cpython-3.10.4")
    made(world, world.tree)
    for cwd, expected in ((project, python("3.12.1")), (other, "tree/o/.venv/bin/python")):
        said = world.run("python", cwd, ENV).stdout.strip()  # still fast
        assert in_its_place(said) == f"{world.root}/{expected}"
    world.install("cpython-3.12.2")
    said = world.run("python", project, ENV).stdout.strip()
    assert in_its_place(said) == f"{world.root}/{python('3.12.2')}"


def test_a_change_that_is_killed_leaves_no_answer_that_it_made_wrong(world: ShimWorld) -> None:
    write(f"{world.tree}/.python-version", "3.12\n")
    assert agreed(world, world.tree) == python("3.12.1")
    before = meanings.epoch(world.layout)
    meanings.withhold(world.layout)  # and killed here, or after the next line
    shutil.copytree(
        world.layout.python(f"cpython-3.12.1-{PLATFORM}"),
        world.layout.python(f"cpython-3.12.8-{PLATFORM}"),
    )
    assert world.run("python", world.tree, ENV).stdout == "slow\n"
    # who had looked before it changed writes where nobody looks
    meanings.remember(world.layout, before, "3.12", "/wrong")
    assert agreed(world, world.tree) == python("3.12.8")


def test_nothing_is_remembered_while_what_is_installed_changes(world: ShimWorld) -> None:
    write(f"{world.tree}/.python-version", "3.12\n")
    with store.changing(world.layout, PLATFORM):
        world.resolve("python", world.tree, ENV, leave=True)
        assert meanings.epoch(world.layout) == ""
        assert world.run("python", world.tree, ENV).stdout == "slow\n"
    assert agreed(world, world.tree) == python("3.12.1")


@pytest.mark.parametrize("pwd", ["{0}/sub/../other", "{0}//other", "{0}/./other", "{0}/other/"])
def test_a_working_directory_that_is_named_oddly_is_still_the_one_that_it_is(
    world: ShimWorld, pwd: str
) -> None:
    write(f"{world.tree}/sub/.python-version", "3.12\n")
    write(f"{world.tree}/other/.python-version", "3.13\n")
    agreed(world, f"{world.tree}/sub")
    agreed(world, f"{world.tree}/other")
    done = world.run("python", f"{world.tree}/other", ENV, pwd=pwd.format(world.tree))
    assert done.stdout in {"slow\n", f"{world.root}/{python('3.13.0')}\n"}


def test_a_directory_called_bubble_makes_nothing_slow(world: ShimWorld) -> None:
    inner = f"{world.tree}/.bubble/@answer/answer"
    write(f"{inner}/.python-version", "3.12\n")
    write(f"{world.tree}/.python-version", "3.13\n")
    assert agreed(world, inner) == python("3.12.1")
    assert agreed(world, world.tree) == python("3.13.0")
    assert agreed(world, inner) == python("3.12.1")


def test_an_environment_is_itself_by_every_way_to_it(world: ShimWorld) -> None:
    old, new, other = (f"{world.tree}/{name}" for name in ("old", "new", "other"))
    os.makedirs(old)
    os.makedirs(other)
    made(world, old)
    own = "tree/old/.venv/bin/python"
    # moved to a larger disk, with a link where it was
    os.rename(old, new)
    assert "was at" in agreed(world, new)
    os.symlink("new", old)
    assert agreed(world, old) == agreed(world, new) == own
    # shared with another directory, whose own files count there
    os.symlink("../new/.venv", f"{other}/.venv")
    assert agreed(world, other) == own
    write(f"{other}/.python-version", "3.13\n")
    assert "has cpython-3.12.1" in agreed(world, other)
    assert f"remove the link to it: {other}/.venv" in hint(world, other)
    write(f"{other}/.python-version", "3.12\n")
    assert agreed(world, other) == own
    # the directory gets one of its own, and what the link leads to is another one
    shutil.rmtree(f"{new}/.venv")
    made(world, new, "3.13.0")
    assert agreed(world, new) == agreed(world, old) == "tree/new/.venv/bin/python"
    assert "3.13.0" in agreed(world, other)  # which it has, and 3.12 is asked for


def test_a_link_to_a_named_environment_is_that_environment(world: ShimWorld) -> None:
    path = f"{world.layout.envs}/site"
    world.environment(path, "cpython-3.12.1", "bubble")
    known = world.register(path, "bubble", name="site")
    os.symlink(path, f"{world.tree}/.venv")
    assert agreed(world, world.tree) == "store/envs/site/bin/python"
    write(f"{world.tree}/.python-version", "site\n")
    assert agreed(world, world.tree) == "store/envs/site/bin/python"
    registry.forget(world.layout, known)
    assert "names “site”" in agreed(world, world.tree)


@pytest.mark.parametrize("carry", [shutil.move, lambda a, b: shutil.copytree(a, b, symlinks=True)])
def test_a_store_that_lies_elsewhere_answers_for_itself(
    world: ShimWorld, tmp_path: Path, carry: Callable[[str, str], object]
) -> None:
    project, named = f"{world.tree}/p", f"{world.tree}/n"
    write(f"{project}/.python-version", "3.12:3.11\n")
    write(f"{named}/.python-version", "site:3.11\n")
    path = f"{world.layout.envs}/site"
    world.environment(path, "cpython-3.12.1", "bubble")
    world.register(path, "bubble", name="site")
    agreed(world, project)
    agreed(world, named)
    carry(world.layout.home, f"{tmp_path}/elsewhere")
    world.layout = world.layout.replace(home=f"{tmp_path}/elsewhere")
    rehash(world.layout, world.slow)
    assert agreed(world, project) == python("3.12.1").replace("store/", "elsewhere/")
    agreed(world, named)
    os.unlink(f"{world.layout.registry}/n.site")
    assert agreed(world, named) == python("3.11.7").replace("store/", "elsewhere/")


def test_an_interpreter_from_elsewhere_that_became_another_version_is_that_version(
    world: ShimWorld,
) -> None:
    interpreter = f"{world.root}/usr/bin/python3.12"  # which the system's packages replace in place
    write(interpreter, '#!/bin/sh\necho "$0"\n', 0o755)

    def adopt(version: str) -> None:
        prefix = world.install(f"cpython-{version}")
        os.unlink(f"{prefix}/bin/python")
        os.symlink(interpreter, f"{prefix}/bin/python")

    adopt("3.12.5")
    project = f"{world.tree}/p"
    write(f"{project}/.python-version", "3.12.5\n")
    path = f"{project}/.venv"
    world.environment(path, "cpython-3.12.5", "bubble")
    os.unlink(f"{path}/bin/python")
    os.symlink(f"{world.layout.pythons}/3.12/bin/python", f"{path}/bin/python")
    world.register(path, "bubble")
    assert agreed(world, project) == "tree/p/.venv/bin/python"
    adopt("3.12.6")
    assert "has cpython-3.12.6" in agreed(world, project)

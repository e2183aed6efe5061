"""What a request comes to: an environment that is whole, an interpreter's path, or an error."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.selection import become
from bubble.selection.explain import explain
from support.shimworld import ShimWorld, write

if TYPE_CHECKING:
    from pathlib import Path

    from bubble.selection.resolve import World

ENV = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path))
    made.install("cpython-3.11.7", "black")
    made.install("cpython-3.12.1")
    return made


def asking(world: ShimWorld, request: str, command: str = "python") -> str:
    return world.resolve(command, world.tree, {**ENV, "BUBBLE_PYTHON": request})


def refused(world: ShimWorld, request: str, command: str = "python") -> BubbleError:
    with pytest.raises(BubbleError) as caught:
        asking(world, request, command)
    return caught.value


def test_an_environment_that_is_not_whole_is_named_with_what_helps(world: ShimWorld) -> None:
    path = f"{world.layout.envs}/train"
    write(f"{path}/bin/python", "#!/bin/sh\n", 0o755)
    world.register(path, "bubble", name="train")
    assert asking(world, "train") == f"{path}/bin/python"
    os.chmod(f"{path}/bin/python", 0o644)
    lost = refused(world, "train")
    assert lost.kind == "environment"
    assert lost.message == "the environment train has lost its interpreter"
    assert lost.hint == "bubble repair train"
    shutil.rmtree(path)
    gone = refused(world, "train")
    assert gone.message == "the environment train is gone"
    assert gone.hint.endswith(", or forget it: bubble remove train")


def test_the_variable_may_name_an_interpreter_or_the_directory_above_its_bin(
    world: ShimWorld,
) -> None:
    prefix = world.install("cpython-3.13.0")
    for text in (prefix, f"{prefix}/bin/python3.13", f"{prefix}/bin/../bin/python"):
        assert asking(world, text) == f"{prefix}/bin/python"
    error = refused(world, f"{prefix}/lib")
    assert error.kind == "not_installed"
    assert error.message == f"BUBBLE_PYTHON: there is no interpreter at {prefix}/lib"


def test_what_lies_among_the_shims_is_not_the_systems_by_whatever_path(world: ShimWorld) -> None:
    """The directory itself is a link, and PATH has what it leads to."""
    place = f"{world.root}/programs"
    os.rename(world.layout.shims, place)
    os.symlink(place, world.layout.shims)
    for directory in (place, f"{world.root}/own"):
        write(f"{directory}/tool", "#!/bin/sh\n", 0o755)
    env = {"PATH": f"{place}:{world.root}/own", "BUBBLE_PYTHON": "system"}
    assert world.resolve("tool", world.tree, env) == f"{world.root}/own/tool"


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("python3.8", "install it: bubble python install python3.8"),
        ("python3.8-config", "install it: bubble python install python3.8"),
        ("python3", "see how the choice was made: bubble explain"),
        ("python3é", "see how the choice was made: bubble explain"),
    ],
)
def test_an_interpreter_that_is_missing_is_installed_only_if_its_name_is_a_version(
    world: ShimWorld, command: str, hint: str
) -> None:
    os.unlink(f"{world.layout.pythons}/cpython-3.11.7-linux-x86_64-gnu/bin/python3")
    os.unlink(f"{world.layout.pythons}/cpython-3.12.1-linux-x86_64-gnu/bin/python3")
    assert refused(world, "3.11", command).hint == hint


def asks(world: ShimWorld, command: str, cwd: str = "", **more: str) -> str:
    """Return why the shim asks bubble, "" where it doesn't, after seeing that it does or not."""
    env = {**ENV, **more}
    told = explain(command, world.world(cwd or world.tree, env)).shim.asks
    if os.path.exists(f"{world.layout.shims}/{command}"):
        slow = world.run(command, cwd or world.tree, env).stdout == "slow\n"
        assert slow == bool(told)
    return told


def test_explain_says_why_the_shim_asks(world: ShimWorld) -> None:
    write(f"{world.tree}/.python-version", "3.12\n3.11\n")
    assert asks(world, "black") == "the first call here leaves a memo"
    world.resolve("python", world.tree, ENV, leave=True)
    assert asks(world, "black") == "", "the second of the two has it"
    assert asks(world, "ruff") == "no selected Python has this command"
    assert asks(world, "pip") == "what it installs gets shims at once"
    assert asks(world, "black", BUBBLE_PYTHON="./x") == "no memo can say it"


def test_a_locale_is_left_alone_where_nobody_can_tell_who_set_it(
    world: ShimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without /proc: macOS."""

    def unreadable(path: str, *_: object) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr(become, "open", unreadable, raising=False)
    given: World = world.world(world.tree, {**ENV, "LC_CTYPE": "C.UTF-8"})
    assert become.child_environment("/bin/true", given)["LC_CTYPE"] == "C.UTF-8"

"""Directories whose answer is made from each kind of fact, and what a memo of it is told to be."""

from __future__ import annotations

import os
import time

from bubble.selection.replay import Replay, replay
from support.shimworld import ShimWorld, shells, write

PIN = ".python-version"
ENV = {"PATH": "/usr/bin:/bin"}
OLD = (1, 1)


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


def told(world: ShimWorld, cwd: str = "") -> Replay:
    """Return the memo as `explain` tells it, after the shims of all shells were seen to agree."""
    cwd, env = cwd or world.tree, variables(world)
    found = replay(world.world(cwd, env))
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


def name_environment(world: ShimWorld) -> None:
    path = f"{world.layout.envs}/site"
    world.environment(path, "cpython-3.11.7", "bubble")
    world.register(path, "bubble", name="site")


def same_size_a_second_later(world: ShimWorld) -> None:
    same_size_later(world, 10**9)


def same_size_later(world: ShimWorld, nanoseconds: int) -> None:
    path = f"{world.tree}/pyproject.toml"
    then = os.stat(path).st_mtime_ns + nanoseconds
    with open(path) as file:
        text = file.read()
    write(path, text.replace("3.11", "3.12"))
    os.utime(path, ns=(then, then))

"""A git worktree lacks the environment of the main one: everybody who is asked says so, once."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.selection import registry
from bubble.system.layout import MARK
from support.needs import needs
from support.shimworld import ShimWorld, write
from support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

ENDS = ["", "/pkg/deep"]


class Repository:
    """A project with an environment in its main worktree, and another worktree without one."""

    def __init__(self, world: ShimWorld, env: dict[str, str]) -> None:
        self.world = world
        self.main = f"{world.root}/main"
        self.tree = f"{world.root}/the tree"
        self.env = {**env, "HOME": world.root, "GIT_CONFIG_NOSYSTEM": "1"}
        write(f"{self.main}/pkg/deep/x", "")
        write(f"{self.main}/.gitignore", ".venv\n")
        for words in (
            ("init", "-q"),
            ("add", "."),
            ("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-m", "x"),
            ("worktree", "add", "-q", "-b", "side", self.tree),
        ):
            self.git(*words)
        world.environment(f"{self.main}/.venv", "cpython-3.11.9", "bubble")
        world.register(f"{self.main}/.venv", "bubble")
        world.changed()

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.main, env=self.env, check=True)

    @property
    def admin(self) -> str:
        (name,) = os.listdir(f"{self.main}/.git/worktrees")
        return f"{self.main}/.git/worktrees/{name}"

    @property
    def word(self) -> str:
        return (
            f"{self.tree} is of a git worktree and has no environment; "
            f"that of the main one is {self.main}/.venv"
        )

    @property
    def command(self) -> str:
        return shlex.join(["bubble", "clone", f"{self.main}/.venv", f"{self.tree}/.venv"])


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    for name in ("cpython-3.11.9", "cpython-3.12.1"):
        made.install(name)
    write(made.layout.global_pin, "3.12\n")
    return made


@pytest.fixture
def repository(world: ShimWorld, env: dict[str, str]) -> Repository:
    return Repository(world, env)


pytestmark = needs("git")


@pytest.mark.parametrize("below", ENDS)
@pytest.mark.parametrize("pinned", [False, True])
@pytest.mark.parametrize("words", [("current",), ("which", "python"), ("explain",)])
def test_who_is_asked_says_it_and_names_the_command(
    repository: Repository, bubble: Bubble, words: tuple[str, ...], below: str, *, pinned: bool
) -> None:
    if pinned:
        write(f"{repository.tree}/.python-version", "3.11\n")
    done = bubble(*words, cwd=repository.tree + below)
    assert done.status == 0
    assert f"{repository.word}; for the same one here: {repository.command}" in done.err


def test_the_command_gives_it_one_of_its_own_and_then_nothing_is_said(
    repository: Repository, bubble: Bubble
) -> None:
    asked = bubble("run", ".venv", "python", cwd=repository.tree)
    assert asked.status == 1
    assert repository.word in asked.err
    assert repository.command in asked.err
    assert repository.word in bubble("info", cwd=f"{repository.tree}/pkg").err
    write(f"{repository.main}/.venv/bin/python3", "#!/bin/sh\n", 0o755)
    done = bubble(*shlex.split(repository.command)[1:], cwd=repository.tree)
    assert done.status == 0, done.err
    told = bubble("which", "python", cwd=f"{repository.tree}/pkg/deep")
    assert (told.out, told.err) == (f"{repository.tree}/.venv/bin/python\n", "")


def test_the_shim_says_it_to_who_types_it_once_and_to_no_program(
    repository: Repository, world: ShimWorld, env: dict[str, str]
) -> None:
    shim = f"{world.layout.shims}/python"
    for _ in range(2):
        done = world.run("python", repository.tree, env)
        assert done.stderr == ""
    shutil.rmtree(world.layout.answers)
    said = []
    for _ in range(2):
        with Terminal([shim], {**env, "TERM": "dumb"}, repository.tree) as screen:
            assert screen.finish() == 0
            said.append("is of a git worktree" in screen.typed)
            assert "/pythons/3.12/bin/python" in screen.typed
    assert said == [True, False]


def own_environment(repository: Repository) -> None:
    repository.world.environment(f"{repository.tree}/.venv", "cpython-3.12.1", "bubble")
    repository.world.register(f"{repository.tree}/.venv", "bubble")


def not_registered(repository: Repository) -> None:
    known = repository.world.resolved_environment(repository.main)
    registry.forget(repository.world.layout, known)


def not_what_was_registered(repository: Repository) -> None:
    write(f"{repository.main}/.venv/{MARK}", "another\n")


def only_one_side(repository: Repository) -> None:
    """Have it said by what anybody may ship."""
    os.unlink(f"{repository.admin}/gitdir")


def pipe(repository: Repository) -> None:
    os.unlink(f"{repository.tree}/.git")
    os.mkfifo(f"{repository.tree}/.git")


def large(repository: Repository) -> None:
    write(f"{repository.tree}/.git", f"gitdir: {repository.admin}\n" + "x" * 10**6)


def not_text(repository: Repository) -> None:
    write(f"{repository.tree}/.git", "gitdir: \0\x1b]0;x\x07\n")


def submodule(repository: Repository) -> None:
    write(f"{repository.tree}/.git", f"gitdir: {repository.main}/.git/modules/tree\n")


def repository_of_its_own(repository: Repository) -> None:
    os.unlink(f"{repository.tree}/.git")
    os.mkdir(f"{repository.tree}/.git")


def this_shell_asks(repository: Repository) -> None:
    repository.env["BUBBLE_PYTHON"] = "3.11"


@pytest.mark.parametrize(
    "change",
    [
        own_environment, not_registered, not_what_was_registered, only_one_side, pipe, large,
        not_text, submodule, repository_of_its_own, this_shell_asks,
    ],
)  # fmt: skip
def test_nothing_is_said_where_nothing_is_missing_or_only_a_file_says_so(
    repository: Repository, bubble: Bubble, change: Callable[[Repository], None]
) -> None:
    change(repository)
    env = {"BUBBLE_PYTHON": repository.env.get("BUBBLE_PYTHON", "")}
    for words in (("current",), ("which", "python"), ("explain",), ("doctor",)):
        done = bubble(*words, cwd=repository.tree, env=env)
        assert "git worktree" not in done.err + done.out, words


def test_a_path_of_git_relative_to_its_file_is_understood(
    repository: Repository, bubble: Bubble
) -> None:
    """As git writes it since 2.48 where worktree.useRelativePaths is set."""
    admin = repository.admin
    write(f"{repository.tree}/.git", f"gitdir: {os.path.relpath(admin, repository.tree)}\n")
    write(f"{admin}/gitdir", f"{os.path.relpath(f'{repository.tree}/.git', admin)}\n")
    assert repository.word in bubble("current", cwd=repository.tree).err


def test_a_worktree_inside_the_main_one_gets_its_environment_by_the_search_upwards(
    repository: Repository, bubble: Bubble
) -> None:
    repository.git("worktree", "add", "-q", "inner")
    done = bubble("current", cwd=f"{repository.main}/inner")
    assert done.out.startswith(f"{repository.main}/.venv ")
    assert done.err == ""

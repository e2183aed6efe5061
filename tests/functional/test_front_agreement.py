"""What the front answers by itself is what the program says, whatever a directory tree looks like.

As `test_shim_agreement`, with the questions of `bubble`: after every change of a random world the
front says what the program says now, where that has nothing else to tell, or becomes the program.
"""

from __future__ import annotations

import os
import random
from argparse import Namespace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from bubble.cli.commands import current, python_find, which
from bubble.model.errors import BubbleError
from bubble.projects.running import environment_for
from bubble.selection.resolve import select
from bubble.selection.run import environment, find_command
from support.needs import FULL, LINUX_ONLY
from support.shimcase import Case
from support.shimworld import PLATFORM, shells, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

pytestmark = [LINUX_ONLY]
WORLDS = 50 if FULL else 5
STEPS = 100
QUESTIONS = ("which", "find", "current", "exec", "run")
SLOW = "slow"  # what the double of the program says


def words_of(question: str, command: str) -> list[str]:
    return {
        "which": ["which", command],
        "find": ["python", "find"],
        "current": ["current"],
        "exec": ["exec", command],
        "run": ["run", "site", command],
    }[question]


def truth(case: Case, question: str, command: str, cwd: str) -> str:
    """Return what the program prints or runs, SLOW where it fails or has more to tell."""
    world = case.shims.world(cwd, case.env)
    context: Any = SimpleNamespace(
        world=lambda: world, layout=world.layout, env=case.env, platform=lambda: PLATFORM
    )
    try:
        match question:
            case "exec":
                selection = select(world)
                path = find_command(command, selection, world)
                environment(path, selection, world, looked_up=True, chosen=False)
                return path
            case "run":
                path = f"{environment_for('site', world).path}/bin/{command}"
                return path if os.access(path, os.X_OK) else SLOW
            case "which":
                done = which.execute(Namespace(command=command), context)
            case "find":
                done = python_find.execute(Namespace(request=""), context)
            case _:
                done = current.execute(Namespace(), context)
    except BubbleError:
        return SLOW
    return SLOW if done.warnings or done.errors else "\n".join(done.lines)


def ask(case: Case, question: str, command: str, cwd: str, shell: list[str]) -> str:
    done = case.shims.run("bubble", cwd, case.env, shell, words_of(question, command))
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout.strip()


def check(case: Case, question: str, shell: list[str]) -> bool:
    """Hold front and program against each other; return whether the front answered."""
    cwd = case.rng.choice(case.directories)
    command = case.rng.choice(("python", "python", "python3", "python3.11", "black"))
    before = ask(case, question, command, cwd, shell)  # before the program leaves anything
    expected = truth(case, question, command, cwd)
    assert before in {SLOW, expected}, f"{question} {command} in {cwd}: stale answer"
    try:
        case.shims.resolve(command, cwd, case.env, leave=True)
    except BubbleError:
        pass
    after = ask(case, question, command, cwd, shell)
    assert after in {SLOW, expected}, f"{question} {command} in {cwd}: with what is remembered"
    return after != SLOW


def play(root: str, seed: int) -> dict[str, int]:
    """Return how often the front answered each of the questions by itself."""
    available = shells()
    name = list(available)[seed % len(available)]
    case = Case(random.Random(seed), root)
    case.env["BUBBLE_HOME"] = case.shims.layout.home
    answered = dict.fromkeys(QUESTIONS, 0)
    for step in range(STEPS):
        case.change()
        question = QUESTIONS[step % len(QUESTIONS)]
        try:
            answered[question] += check(case, question, available[name])
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {step}, {name}: {error}") from error
    return answered


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_front_and_the_program_say_the_same(seed: int, tmp_path: Path) -> None:
    answered = play(str(tmp_path), seed)
    assert sum(answered.values()) > 0, "the front was never asked something that it knew"


def old(path: str, text: str) -> None:
    """Write a file whose time is older than any memo's."""
    write(path, text)
    os.utime(path, (1, 1))


def moments(case: Case) -> dict[str, Callable[[], object]]:
    """Return changes, one after the other, of which each gives another answer, or a warning."""
    tree, layout = case.shims.tree, case.shims.layout
    early = f"{case.shims.root}/early"
    return {
        "a version file that comes before": lambda: old(f"{tree}/.python-version", "3.11\n"),
        "another version": lambda: old(f"{tree}/.python-version", "3.12\n"),
        "no such file": lambda: os.unlink(f"{tree}/.python-version"),
        "what a request means": lambda: case.shims.install("cpython-3.12.9"),
        "another python before the shims": lambda: write(f"{early}/python", "#!/bin/sh\n", 0o755),
        "nothing of the store": lambda: os.rename(layout.requests, f"{layout.requests}.away"),
    }


def watch(root: str, bug: tuple[str, str]) -> None:
    """Hold a front with a bug to the program through these moments."""
    case = Case(random.Random(0), root)
    env = {"BUBBLE_HOME": case.shims.layout.home, "PATH": f"{root}/early:{case.env['PATH']}"}
    case.env |= env
    for version in ("cpython-3.11.7", "cpython-3.12.1"):
        case.shims.install(version)
    old(f"{case.shims.tree}/.tool-versions", "python 3.12\n")
    shell, tree = next(iter(shells().values())), case.shims.tree
    for what, change in {"nothing": lambda: None, **moments(case)}.items():
        change()
        with open(case.shims.layout.front) as file:
            text = file.read()
        write(case.shims.layout.front, text.replace(*bug), 0o755)
        for question in ("which", "find", "current"):
            before = ask(case, question, "python", tree, shell)
            expected = truth(case, question, "python", tree)
            assert before in {SLOW, expected}, f"{question} after {what}: stale answer"
        case.shims.resolve("python", tree, case.env, leave=True)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("", ""),
        ('[ "$_bubble_there" = "$_bubble_line" ] || return 1', ": a bug"),
        ('<&4 && [ "$_bubble_line" = "$2" ] || return 1', "<&4 || return 1"),
        ("_bubble_is_reached() {", "_bubble_is_reached() {\n    return 0"),
    ],
    ids=["none", "contents", "names", "PATH"],
)
def test_a_front_that_is_wrong_is_caught(right: str, wrong: str, tmp_path: Path) -> None:
    if not right:
        watch(str(tmp_path), ("\0", ""))
        return
    with pytest.raises(AssertionError, match="stale answer"):
        watch(str(tmp_path), (right, wrong))

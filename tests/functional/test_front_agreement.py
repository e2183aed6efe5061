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
    from pathlib import Path
    from typing import Any

pytestmark = [LINUX_ONLY]
WORLDS = 50 if FULL else 5
STEPS = 150
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


def play(root: str, seed: int, bug: tuple[str, str] = ("", "")) -> dict[str, int]:
    """Return how often the front answered each of the questions by itself.

    `bug` is what the front has, and something else in its place.
    """
    available = shells()
    name = list(available)[seed % len(available)]
    case = Case(random.Random(seed), root)
    case.env["BUBBLE_HOME"] = case.shims.layout.home
    answered = dict.fromkeys(QUESTIONS, 0)
    for step in range(STEPS):
        case.change()
        if bug[0]:
            plant(case, *bug)
        question = QUESTIONS[step % len(QUESTIONS)]
        try:
            answered[question] += check(case, question, available[name])
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {step}, {name}: {error}") from error
    return answered


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_front_and_the_program_say_the_same(seed: int, tmp_path: Path) -> None:
    answered = play(str(tmp_path), seed)
    assert sum(answered.values()) > STEPS // 50, "the front was hardly ever asked something"


def plant(case: Case, right: str, wrong: str) -> None:
    path = case.shims.layout.front
    with open(path) as file:
        text = file.read()
    if right in text:  # a rehash mends it
        write(path, text.replace(right, wrong), 0o755)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('[ "$_bubble_there" = "$_bubble_line" ] || return 1', ": a bug"),
        ('<&4 && [ "$_bubble_line" = "$2" ] || return 1', "<&4 || return 1"),
    ],
)
def test_a_front_that_is_wrong_is_caught(right: str, wrong: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"stale answer|with what is remembered"):
        play_some(str(tmp_path), (right, wrong))


def play_some(root: str, bug: tuple[str, str]) -> None:
    for seed in range(4):
        play(f"{root}/{seed}", seed, bug)

"""SIGKILL before every file-changing call of create and remove: old, new or nothing, never half."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from support import invariants
from support.env_scene import (
    broken,
    env_scene,
    left_behind,
    project,
    request,
    restore,
    save,
    unregistered,
)
from support.figures import caught, record
from support.needs import FULL, LINUX_ONLY, needs
from support.scene import command
from support.sweep import Strace
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.scene import Scene

pytestmark = [LINUX_ONLY, needs("strace")]
_LAST = 16  # points that are always tried: there it all comes together
_EACH = 1 if FULL else 6


@pytest.fixture
def stage() -> Iterator[Scene]:
    with env_scene() as made:
        made.env["BUBBLE_SHARED_PACKAGES"] = "links"  # root's pip as well
        yield made


def test_a_creation_that_is_killed_anywhere_leaves_none_or_a_whole_one(stage: Scene) -> None:
    problems = crash(stage, ("create", "train", "--no-pip", "-p", request(stage)))
    assert not problems, "\n".join(problems)


def test_a_creation_that_unpacks_pip_first_leaves_no_half_pip(stage: Scene) -> None:
    problems = crash(stage, ("create", "train", "-p", request(stage)))
    assert not problems, "\n".join(problems)


def test_a_project_keeps_the_old_one_or_has_the_new_one(stage: Scene) -> None:
    make(stage, "create", "-p", request(stage))  # with which the new one shares its pip
    save(stage, "old")
    again = ("create", "--force", "-p", request(stage))
    problems = crash(stage, again, start="old", always=True)
    assert not problems, "\n".join(problems)


def test_a_removal_that_is_killed_anywhere_can_be_said_again(stage: Scene) -> None:
    make(stage, "create", "--no-pip", "-p", request(stage))
    save(stage, "old")
    problems = crash(stage, ("remove", ".venv"), start="old", gone=True)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("bug", ["remove-then-rename", "no-sweep"])
def test_the_sweep_catches_a_planted_bug(stage: Scene, bug: str) -> None:
    make(stage, "create", "--no-pip", "-p", request(stage))
    save(stage, "old")
    again = ("create", "--force", "--no-pip", "-p", request(stage))
    assert crash(stage, again, start="old", always=True, bug=bug)
    caught(bug, by="kills of bubble create --force")


def make(stage: Scene, *arguments: str) -> None:
    done = stage.run(*arguments, before=("env", "-C", project(stage)))
    assert done.status == 0, done


def crash(
    stage: Scene,
    arguments: Sequence[str],
    *,
    start: str = "start",
    always: bool = False,
    gone: bool = False,
    bug: str = "",
) -> list[str]:
    """Kill the command at its points, and return what was wrong then or after saying it again.

    `always`: there is an environment at every moment; `gone`: the command takes it away.
    """
    named = "train" in arguments
    path = f"{stage.layout.envs}/train" if named else f"{project(stage)}/.venv"
    before = ("env", "-C", project(stage))
    canary = snapshot(stage.canary)
    strace = Strace(
        [*before, *command(*arguments, bug=bug or "none")],
        stage.env,
        # the working directory itself is part of every call, as where paths are looked up from
        [stage.home, stage.cache, f"{project(stage)}/."],
        f"{stage.root}/scratch",
    )
    restore(stage, start)
    # the shims have a sweep of their own, elsewhere
    points = [p for p in strace.points() if FULL or "/shims/" not in p.path]
    chosen = [p for n, p in enumerate(points) if n % _EACH == 0 or n >= len(points) - _LAST]
    found: list[str] = []
    missed = []
    for point in chosen:
        # strace may count fewer: not a rename onto the path. `kill` holds it to the very call
        for ordinal in (point.ordinal, point.ordinal, *range(point.ordinal - 1, 0, -1)):
            restore(stage, start)
            if strace.kill(replace(point, ordinal=ordinal)):
                break
        else:
            missed.append(point)
            continue
        problems = broken(path)
        if always and not os.path.lexists(path):
            problems.append("I2: there was one, and now there is none")
        was_registered = os.path.lexists(path) and not unregistered(stage, path)
        again = stage.run(*arguments, bug=bug, before=before)
        problems += invariants.unclear(again)
        told = (was_registered and "is there already" in again.err) or (gone and again.status == 1)
        if again.status and not told:
            problems.append(f"I5: {again}")
        if again.status and not bug:  # nothing was left to do but the shims
            problems += [] if stage.run("rehash").status == 0 else ["I5: rehash failed"]
        problems += broken(path) + unregistered(stage, path) + left_behind(stage)
        if os.path.lexists(path) == gone:
            problems.append(f"I5: {path} is {'still' * gone or 'not'} there")
        if snapshot(stage.canary) != canary:
            problems.append("I4: the canary was changed")
        found += [f"{point.name} {point.ordinal}, {point.call}: {p}" for p in problems]
        if bug and found:
            return found
    print(f"{' '.join(arguments)}: killed at {len(chosen)} of {len(points)} calls")
    assert bug or not missed, missed
    _note(["bubble", *arguments], 0 if bug else len(chosen), found)
    return found


def _note(words: Sequence[str], tried: int, found: list[str]) -> None:
    if tried:
        record(f"kills of {' '.join(words)}", tried=tried, held=0 if found else tried)

"""Runs of a script that are killed, that meet, or find the disk full: an environment, or none."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from bubble.envs.knowing.scripts import all_memos
from bubble.selection import registry
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
from support.figures import record
from support.namespace import in_namespace
from support.needs import FULL, LINUX_ONLY, ROOT_ONLY, needs, real_uv
from support.scene import command, finish
from support.sweep import Strace
from support.trees import snapshot
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.scene import Scene

pytestmark = LINUX_ONLY
_LAST = 16  # points that are always tried: there it all comes together
_EACH = 1 if FULL else 6


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene with a script in the project that says that it ran."""
    with env_scene() as made:
        write(made, "")
        save(made, "script")
        yield made


def write(stage: Scene, more: str) -> None:
    with open(f"{project(stage)}/s.py", "w", encoding="utf-8") as file:
        file.write(f'# /// script\n# requires-python = "=={request(stage)}"\n{more}# ///\n')
        file.write("print('ran')\n")


def run(stage: Scene) -> tuple[str, ...]:
    return ("run", f"{project(stage)}/s.py")


def paths(stage: Scene) -> list[str]:
    layout = stage.layout
    names = os.listdir(layout.scripts) if os.path.isdir(layout.scripts) else []
    return [f"{layout.scripts}/{name}" for name in names]


def wrong(stage: Scene) -> list[str]:
    found = [p for path in paths(stage) for p in broken(path) + unregistered(stage, path)]
    strange = [name for name in os.listdir(project(stage)) if name not in {"s.py", "s.py.lock"}]
    return found + [f"I3: {name} in the project" for name in strange]


@needs("strace")
def test_a_run_that_is_killed_anywhere_can_be_said_again(stage: Scene) -> None:
    problems = crash(stage, run(stage))
    assert not problems, "\n".join(problems)


@needs("strace")
def test_a_run_that_makes_an_environment_anew_can_be_killed_anywhere(stage: Scene) -> None:
    assert stage.run(*run(stage)).out == "ran\n"
    (path,) = paths(stage)
    os.unlink(f"{path}/bin/python")
    save(stage, "broken")
    problems = crash(stage, run(stage), start="broken")
    assert not problems, "\n".join(problems)


@needs("strace")
def test_a_collection_that_is_killed_anywhere_can_be_said_again(stage: Scene) -> None:
    assert stage.run(*run(stage)).out == "ran\n"
    (path,) = paths(stage)
    (known,) = registry.environments(stage.layout)
    registry.register(stage.layout, known.replace(made_at="1"))
    for memo, _ in all_memos(stage.layout):
        os.utime(memo, (1, 1))
    save(stage, "unused")
    problems = crash(stage, ("gc", "--only", "scripts"), start="unused", gone=path)
    assert not problems, "\n".join(problems)


def crash(
    stage: Scene, words: Sequence[str], *, start: str = "script", gone: str = ""
) -> list[str]:
    """Kill the command at its points; return what was wrong then, or after saying it again.

    `gone` is the environment that it takes away; "": it makes one.
    """
    canary = snapshot(stage.canary)
    strace = Strace(
        [*command(*words, bug="none")],
        stage.env,
        [stage.home, stage.cache, f"{project(stage)}/."],
        f"{stage.root}/scratch",
    )
    restore(stage, start)
    points = strace.points()
    chosen = [p for n, p in enumerate(points) if n % _EACH == 0 or n >= len(points) - _LAST]
    assert len(points) > 5, "the measurement is broken"
    found: list[str] = []
    missed = []
    for point in chosen:
        for ordinal in (point.ordinal, point.ordinal, *range(point.ordinal - 1, 0, -1)):
            restore(stage, start)
            if strace.kill(replace(point, ordinal=ordinal)):
                break
        else:
            missed.append(point)
            continue
        problems = []
        if start == "script":
            problems += [p for path in paths(stage) for p in broken(path)]
        again = stage.run(*words)
        problems += invariants.unclear(again)
        if again.status or (not gone and again.out != "ran\n"):
            problems.append(f"I5: {again}")
        problems += wrong(stage)
        if len(paths(stage)) != (not gone):
            problems.append(f"I5: {paths(stage)}")
        # a run that finds all as it was cleans nothing up; the next change of the store does
        assert stage.run("python", "install", "3.11.9").status == 0
        problems += left_behind(stage, also="s.py")
        if snapshot(stage.canary) != canary:
            problems.append("I4: the canary was changed")
        found += [f"{point.name} {point.ordinal}, {point.call}: {p}" for p in problems]
    assert not missed, missed
    tried = len(chosen)
    record(f"kills of bubble {' '.join(words)}", tried=tried, held=0 if found else tried)
    return found


@needs("strace")
def test_a_lock_that_is_killed_anywhere_is_the_old_or_the_new_one(stage: Scene) -> None:
    wheels = f"{stage.root}/wheels"
    os.mkdir(wheels)
    wheel(wheels, "six", "1.0")
    for name in os.listdir(stage.layout.pythons):  # doubles, which uv can't ask what they are
        if name.count("-") > 3:
            assert stage.run("python", "uninstall", name, "--force").status == 0
    stage.env["PATH"] = f"{os.path.dirname(real_uv())}:{stage.env['PATH']}"
    with open(f"{project(stage)}/s.py", "w", encoding="utf-8") as file:
        file.write(
            '# /// script\n# requires-python = "==3.11.9"\n# dependencies = ["six"]\n'
            f'# [tool.uv]\n# no-index = true\n# find-links = ["{wheels}"]\n# ///\n'
        )
    lock = f"{project(stage)}/s.py.lock"
    words = ("lock", "--script", f"{project(stage)}/s.py", "--upgrade")
    texts = {""}
    for version in ("1.0", "2.0"):
        wheel(wheels, "six", version)
        done = stage.run(*words)
        assert done.status == 0, done
        with open(lock, encoding="utf-8") as file:
            texts.add(file.read())
    assert len(texts) == 3
    new = max(texts, key=lambda text: "2.0" in text)
    old = next(text for text in texts if text not in {"", new})
    with open(lock, "w", encoding="utf-8") as file:
        file.write(old)
    save(stage, "locked")
    strace = Strace(
        [*command(*words, bug="none")],
        stage.env,
        [f"{project(stage)}/."],
        f"{stage.root}/scratch",
    )
    points = strace.points()
    assert points
    for point in points:
        restore(stage, "locked")
        assert strace.kill(point), point
        with open(lock, encoding="utf-8") as file:
            assert file.read() in {old, new}
        again = stage.run(*words)
        assert again.status == 0, again
        with open(lock, encoding="utf-8") as file:
            assert file.read() == new
        names = [name for name in os.listdir(project(stage)) if name not in {"s.py", "s.py.lock"}]
        assert names == [], "what a killed writer left is swept by the next one"
    record("kills of bubble lock --script", tried=len(points), held=len(points))


def test_runs_at_once_make_one_environment_and_all_run(stage: Scene) -> None:
    started = [stage.start(*run(stage)) for _ in range(6)]
    done = [finish(process) for process in started]
    assert [(d.status, d.out) for d in done] == [(0, "ran\n")] * len(done), done
    assert len(paths(stage)) == 1
    assert wrong(stage) + left_behind(stage, also="s.py") == []
    record("runs of one script at once", tried=len(done), held=len(done))


def test_runs_and_collections_at_once_all_run(stage: Scene) -> None:
    one = run(stage)
    words = [one, ("gc", "--only", "scripts"), one, ("gc",), ("remove", "x"), one]
    for _ in range(2):
        done = [finish(p) for p in [stage.start(*w) for w in words]]
        assert [d.out for d, w in zip(done, words, strict=True) if w == one] == ["ran\n"] * 3, done
    assert wrong(stage) + left_behind(stage, also="s.py") == []
    record("runs of one script and collections at once", tried=2 * len(words), held=2 * len(words))


@ROOT_ONLY
@pytest.mark.parametrize("free", [0, 8, 24, 40])
def test_a_disk_that_gets_full_leaves_no_half_environment(stage: Scene, free: int) -> None:
    answer = in_namespace(stage, "script_full_disk", str(free), "script", *run(stage))
    assert answer["problems"] == []
    if free < 40:
        assert answer["first"][0] == 1, answer
        assert "the disk is full" in answer["first"][2]
    record("bubble run script.py on a disk of so many KiB, then on a larger one", tried=1, held=1)

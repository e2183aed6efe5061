"""SIGKILL before every change that clone, rename and repair make: the old, the new, or both."""

from __future__ import annotations

import json
import os

import pytest

from support import invariants
from support.needs import LINUX_ONLY, needs
from support.scene import command, scene
from support.sweep import sweep
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.scene import Scene
    from support.sweep import Report

pytestmark = [LINUX_ONLY, needs("strace")]


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene with the named environment `train`, saved as "train"."""
    with scene({"version": "3.11.9", "extra_files": 0}) as made:
        for words in (
            ("python", "install", "3.11.9"),
            ("create", "train", "--no-pip", "-p", "3.11"),
        ):
            done = made.run(*words)
            assert done.status == 0, done.err
        site = f"{made.layout.envs}/train/lib/python3.11/site-packages"
        os.makedirs(f"{site}/tool-1.0.dist-info")
        for name, text in {
            "tool.py": "",
            "tool-1.0.dist-info/METADATA": "Name: tool\nVersion: 1.0\n",
            "tool-1.0.dist-info/RECORD": "tool.py,,\n../../../bin/tool,sha256=x,1\n",
        }.items():
            with open(f"{site}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        own = f"{made.layout.envs}/train"
        # a double has no templates of activation scripts
        for name, text in {
            "tool": f"#!{own}/bin/python\n",
            "activate": f"VIRTUAL_ENV='{own}'\n",
        }.items():
            with open(f"{own}/bin/{name}", "w", encoding="ascii") as file:
                file.write(text)
        made.save("train")
        yield made


def states(stage: Scene) -> dict[str, str]:
    done = stage.call("list", "--json")
    assert done.status == 0, done.err
    return {e["name"]: e["state"] for e in json.loads(done.out)["data"]}


def whole(stage: Scene, name: str) -> bool:
    """Whether an environment has its interpreter, and every path in it is its own."""
    path = f"{stage.layout.envs}/{name}"
    with open(f"{path}/bin/tool", encoding="ascii") as file:
        if file.read() != f"#!{path}/bin/python\n":
            return False
    with open(f"{path}/bin/activate", encoding="ascii") as file:
        if f"'{path}'" not in file.read():
            return False
    return os.path.exists(f"{path}/bin/python")


def killed(
    stage: Scene, arguments: Sequence[str], start: str, check: Callable[[], list[str]]
) -> Report:
    """Kill the command everywhere; besides `check`, hold what is left against I3, I4 and I6."""
    canary = snapshot(stage.canary)

    def everything() -> list[str]:
        found = check()
        if invariants.left_over(stage):  # the next command that has business there sweeps it
            stage.call("create", "sweeper", "--no-pip")
        found += invariants.left_over(stage)
        if snapshot(stage.canary) != canary:
            found.append("I4: the canary was changed")
        return found

    report = sweep(
        command(*arguments, bug="none"),
        env=stage.env,
        roots=[stage.home, stage.cache],
        scratch=f"{stage.root}/scratch",
        prepare=lambda: stage.restore(start),
        check=everything,
    )
    print(f"{' '.join(arguments)}: {report}")
    assert not report.problems, "\n".join(report.problems)
    # what a link says is no path that a call touches, and strace looks for paths
    missed = [point for point in report.missed if point.name != "symlink"]
    assert not missed, missed
    return report


def retried(stage: Scene, *arguments: str, done_already: str) -> list[str]:
    again = stage.call(*arguments)
    found = invariants.unclear(again)
    if again.status and done_already not in again.err:
        found.append(f"I5: the next command failed: {again}")
    return found


def test_a_clone_that_is_killed_anywhere_is_whole_or_not_there(stage: Scene) -> None:
    def check() -> list[str]:
        found = [] if whole(stage, "train") else ["I2: the original doesn't work"]
        if os.path.lexists(f"{stage.layout.envs}/other") and not whole(stage, "other"):
            found.append("I1: the clone is half")
        found += retried(stage, "clone", "train", "other", done_already="other is there already")
        if states(stage) != {"other": "ok", "train": "ok"} or not whole(stage, "other"):
            found.append(f"I5: {states(stage)}")
        return found

    assert killed(stage, ("clone", "train", "other"), "train", check).calls > 60


def test_a_renaming_that_is_killed_anywhere_leaves_the_old_or_the_new(stage: Scene) -> None:
    def check() -> list[str]:
        there = [n for n in ("train", "other") if os.path.lexists(f"{stage.layout.envs}/{n}")]
        found = [f"I1: {name} is half" for name in there if not whole(stage, name)]
        found += [] if there else ["I2: neither is there"]
        found += retried(
            stage, "rename", "train", "other", done_already="no environment called “train”"
        )
        if states(stage) != {"other": "ok"} or os.listdir(stage.layout.envs) != ["other"]:
            found.append(f"I5: {states(stage)}, {os.listdir(stage.layout.envs)}")
        return found

    assert killed(stage, ("rename", "train", "other"), "train", check).calls > 80


def test_a_repair_that_is_killed_anywhere_is_ended_by_the_next(stage: Scene) -> None:
    os.rename(f"{stage.layout.envs}/train", f"{stage.layout.envs}/other")
    stage.save("moved")

    def check() -> list[str]:
        found = retried(stage, "repair", "other", done_already="no such excuse")
        if states(stage) != {"other": "ok"} or not whole(stage, "other"):
            found.append(f"I5: {states(stage)}")
        return found

    assert killed(stage, ("repair", "other"), "moved", check).calls > 20

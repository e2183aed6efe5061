"""Real overlay mounts: what an earlier layer of an image made can be replaced and thrown away."""

from __future__ import annotations

import os
import shutil

import pytest

from support import invariants
from support.env_scene import (
    broken,
    env_scene,
    left_behind,
    project,
    request,
    unregistered,
)
from support.figures import caught, record
from support.namespace import in_namespace
from support.needs import FULL, LINUX_ONLY, ROOT_ONLY, needs, other_disk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, ROOT_ONLY, needs("strace")]
COMMANDS = (
    "python uninstall --force 3.11.9",
    "python install --reinstall 3.11.9",
    "python upgrade --prune 3.11",
    "create --force --no-pip",
    "create train --force --no-pip",
    "remove .venv",
    "remove train",
    "rename train second",
)
ELSEWHERE = (
    "create train --force --no-pip",
    "rename train second",
    "create fourth --no-pip",
    "clone second third",
    "remove fourth",
    "create --force --no-pip",
    "remove .venv",
    "python install --reinstall 3.11.9",
    "python upgrade --prune 3.11",
    "python uninstall --force 3.11.9",
)


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene in which a layer made two builds, an environment here and a named one."""
    with env_scene({"version": "3.11.8", "extra_files": 0}) as made:
        here = ("env", "-C", project(made))
        for words in (
            ("python", "install", "3.11.8"),
            ("create", "train", "--no-pip", "-p", request(made)),
            ("create", "--no-pip", "-p", request(made)),
        ):
            done = made.run(*words, before=here)
            assert done.status == 0, done
        os.mkdir(f"{made.root}.upper")
        try:
            yield made
        finally:
            os.rmdir(f"{made.root}.upper")


@pytest.mark.parametrize("line", COMMANDS)
def test_what_a_lower_layer_made_goes_and_a_kill_on_the_way_is_made_good(
    stage: Scene, line: str
) -> None:
    words = line.split()
    if words[0] == "create":
        words += ["-p", request(stage)]
    told = in_namespace(stage, "overlay", "1" if FULL else "40", "none", *words)
    record(f"kills of bubble {line} on overlayfs", tried=told["killed"], held=told["killed"])
    assert not told["problems"], "\n".join(told["problems"][:20])
    assert not told["missed"]
    assert told["killed"]


def test_environments_and_interpreters_may_lie_on_another_disk_than_the_store(
    stage: Scene,
) -> None:
    asked = request(stage)
    with other_disk(stage.home) as disk:
        for place in (stage.layout.envs, stage.layout.pythons):
            there = f"{disk}/{os.path.basename(place)}"
            shutil.copytree(place, there, symlinks=True)
            shutil.rmtree(place)
            os.symlink(there, place)
        for line in ELSEWHERE:
            words = [*line.split(), *(("-p", asked) if line.startswith("create") else ())]
            done = stage.run(*words, before=("env", "-C", project(stage)))
            assert invariants.unclear(done) == []
            assert done.status == 0, done
            assert left_behind(stage) == []
            assert not [n for _, names, _ in os.walk(disk) for n in names if "bubble-" in n]
        assert sorted(os.listdir(stage.layout.envs)) == ["second", "third"]
        for name in ("second", "third"):
            path = f"{stage.layout.envs}/{name}"
            assert broken(path) + unregistered(stage, path) == []


def test_the_kills_catch_a_planted_bug(stage: Scene) -> None:
    told = in_namespace(stage, "overlay", "40", "no-journal", "remove", "train")
    assert any("I5" in what for what in told["problems"])
    caught("no-journal", by="kills of bubble remove train on overlayfs")

"""Several processes at once on the same environments, and on neighbours in one directory."""

from __future__ import annotations

import os

import pytest

from support import invariants
from support.env_scene import broken, env_scene, left_behind, project, request, unregistered
from support.figures import record
from support.needs import LINUX_ONLY
from support.scene import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Done, Scene

pytestmark = LINUX_ONLY


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene with the named environment `train`."""
    with env_scene() as made:
        done = made.run("create", "train", "--no-pip", "-p", request(made))
        assert done.status == 0, done
        yield made


def test_neighbours_in_one_directory_come_and_go_at_once(stage: Scene) -> None:
    paths = [f"{project(stage)}/{name}" for name in "abcd"]
    for _ in range(2):
        together(stage, *(("clone", "train", path) for path in paths))
        assert [p for path in paths for p in broken(path) + unregistered(stage, path)] == []
        together(stage, *(("remove", path) for path in paths))
    assert os.listdir(project(stage)) == []
    assert left_behind(stage) == []


def test_of_two_clones_of_one_name_one_waits_and_then_says_that_it_is_there(stage: Scene) -> None:
    words = ("clone", "train", "other")
    done = rivals(stage, words, words)
    assert [d.status for d in done] == [0, 1]
    assert "other is there already" in done[1].err
    expect_whole(stage, "train", "other")


def test_of_two_renamings_one_wins_and_the_other_finds_it_done(stage: Scene) -> None:
    done = rivals(stage, ("rename", "train", "one"), ("rename", "train", "two"))
    assert [d.status for d in done] == [0, 1], done
    (name,) = os.listdir(stage.layout.envs)
    assert name in {"one", "two"}
    expect_whole(stage, name)


def test_renamings_that_cross_end_without_waiting_for_each_other(stage: Scene) -> None:
    assert stage.run("clone", "train", "other").status == 0
    done = rivals(stage, ("rename", "train", "other"), ("rename", "other", "train"))
    assert [d.status for d in done] == [1, 1]
    expect_whole(stage, "train", "other")


@pytest.mark.parametrize(
    "rival", [("remove", "train"), ("clone", "train", "other"), ("repair", "train")], ids=" ".join
)
def test_a_renaming_and_another_change_come_one_after_the_other(
    stage: Scene, rival: tuple[str, ...]
) -> None:
    done = rivals(stage, ("rename", "train", "fresh"), rival)
    assert done[0].status == 0, done
    names = os.listdir(stage.layout.envs)
    assert "train" not in names
    expect_whole(stage, *names)


def test_two_repairs_and_a_removal_leave_a_whole_one_or_none(stage: Scene) -> None:
    os.rename(f"{stage.layout.envs}/train", f"{stage.layout.envs}/moved")
    mend = ("repair", f"{stage.layout.envs}/moved")
    first = rivals(stage, mend, mend)
    assert [d.status for d in first] == [0, 0]
    expect_whole(stage, "moved")
    rivals(stage, mend, ("remove", "moved"), mend)
    expect_whole(stage, *os.listdir(stage.layout.envs))


def test_replacements_clones_and_collections_at_once_leave_whole_ones(stage: Scene) -> None:
    replace = ("create", "train", "--force", "--no-pip", "-p", request(stage))
    done = rivals(stage, replace, ("clone", "train", "other"), ("gc",), replace, ("gc",))
    assert [d for d in done if d.status] == []
    expect_whole(stage, "train", "other")


def rivals(stage: Scene, *commands: tuple[str, ...]) -> list[Done]:
    """Run commands at once; each must succeed or fail clearly. Returns the successes first."""
    done = [finish(process) for process in [stage.start(*words) for words in commands]]
    assert [found for d in done for found in invariants.unclear(d)] == []
    record("commands at once on the same environments", tried=len(done), held=len(done))
    return sorted(done, key=lambda d: d.status)


def together(stage: Scene, *commands: tuple[str, ...]) -> None:
    assert [d for d in rivals(stage, *commands) if d.status] == []


def expect_whole(stage: Scene, *names: str) -> None:
    """Exactly these named environments are there, whole, registered, and nothing else is."""
    assert sorted(os.listdir(stage.layout.envs)) == sorted(names)
    paths = [f"{stage.layout.envs}/{name}" for name in {*names, "train"}]
    assert [p for path in paths for p in broken(path) + unregistered(stage, path)] == []
    assert left_behind(stage) == []

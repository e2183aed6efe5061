"""What can't be deleted stops nobody: it is told, with its whole path and the way it goes."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from bubble.system.trees import remove_tree
from support import invariants
from support.env_scene import broken, env_scene, left_behind, project, request, unregistered
from support.figures import record
from support.needs import LINUX_ONLY, ROOT_ONLY, needs, not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Done, Scene

pytestmark = LINUX_ONLY
DEEP = 1500


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene with the named environment `train`, and one in the project."""
    with env_scene() as made:
        for name in (("train",), ()):
            words = ("create", *name, "--no-pip", "-p", request(made))
            assert here(made, *words).status == 0
        yield made


def here(stage: Scene, *words: str, before: tuple[str, ...] = ()) -> Done:
    done = stage.run(*words, before=(*before, "env", "-C", project(stage)))
    assert invariants.unclear(done) == []
    record("commands beside what can't be deleted", tried=1, held=1)
    return done


def deepen(path: str, name: str = "d") -> None:
    """Make a tree below an existing directory that is deeper than Python recurses."""
    directory = os.open(path, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir(name, dir_fd=directory)
        below = os.open(name, os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = below
    os.close(directory)


@ROOT_ONLY
@needs("chattr")
@pytest.mark.parametrize(
    "words", [("remove", "train"), ("remove", ".venv"), ("create", "--force", "--no-pip")]
)
def test_what_cannot_be_deleted_stops_no_other_command_and_goes_as_doctor_says(
    stage: Scene, words: tuple[str, ...]
) -> None:
    path = f"{stage.layout.envs}/train" if "train" in words else f"{project(stage)}/.venv"
    stuck = f"{path}/lib/stuck"
    os.makedirs(f"{path}/lib", exist_ok=True)
    with open(stuck, "w", encoding="ascii"):
        pass
    if subprocess.run(["chattr", "+i", stuck], check=False).returncode:
        not_here("files can't be made immutable")
    left = ""
    try:
        done = here(stage, *words, *(("-p", request(stage)) if words[0] == "create" else ()))
        found = [f"{d}/stuck" for d, _, names in os.walk(stage.root) if "stuck" in names]
        (left,) = found
        if words[0] == "remove":
            assert done.status == 1
            assert f"{left}: operation not permitted" in done.err
            assert not os.path.lexists(path)
        else:
            assert done.status == 0
            assert broken(path) == []
        assert unregistered(stage, path) == []
        for others in (
            ("create", "other", "--no-pip", "-p", request(stage)),
            ("clone", "other", "./beside"),
            ("python", "install", "--reinstall", "3.11.9"),
            ("remove", "other"),
        ):
            assert here(stage, *others).status == 0
        collected = here(stage, "gc")
        assert collected.status == 1
        assert left in collected.err
        told = json.loads(here(stage, "doctor", "--json").out)["data"]["findings"]
        (finding,) = [f for f in told if f["id"] == "store.undeletable"]
        assert finding["where"] == left
    finally:
        subprocess.run(["chattr", "-i", left or stuck], check=True)
    subprocess.run(["sh", "-c", finding["fix"].replace("sudo ", "", 1)], check=True)
    assert here(stage, "gc", "--only", "scratch").status == 0
    assert not os.path.lexists(left)
    assert left_behind(stage, also="beside") == []


def test_nothing_recurses_where_an_environment_or_a_known_directory_lies_deep(
    stage: Scene,
) -> None:
    deepen(f"{stage.layout.envs}/train/lib")
    assert here(stage, "clone", "train", "other").status == 0
    assert here(stage, "info", "other").status == 0
    assert here(stage, "list", "--size").status == 0
    os.makedirs(stage.layout.answers, exist_ok=True)
    deepen(stage.layout.answers, "@d")  # what a shim in such a directory leaves
    for words in (("doctor",), ("gc", "--dry-run"), ("gc",), ("remove", "other")):
        done = here(stage, *words)
        assert done.status == 0, done.err
    for tree in (stage.layout.answers, f"{stage.layout.envs}/train"):
        remove_tree(tree)  # nor does the test's own end get so deep


@pytest.mark.parametrize("words", [("remove", "train"), ("remove", ".venv")], ids=" ".join)
@needs("prlimit")
def test_a_tree_of_any_depth_goes_with_few_open_files(stage: Scene, words: tuple[str, ...]) -> None:
    path = f"{stage.layout.envs}/train" if "train" in words else f"{project(stage)}/.venv"
    deepen(f"{path}/lib")
    few = ("prlimit", "--nofile=64")
    assert here(stage, *words, before=few).status == 0
    assert not os.path.lexists(path)
    os.makedirs(f"{stage.layout.trash}/dead")
    deepen(f"{stage.layout.trash}/dead")
    assert here(stage, "gc", before=few).status == 0
    assert "train" in words or left_behind(stage) == []
    assert invariants.left_over(stage) == []

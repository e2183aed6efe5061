"""Which project a directory is in: the nearest manifest upwards, and nobody else's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.projects import locate
from bubble.projects.locate import bubble_of, chosen, project_of
from support.needs import ROOT_ONLY

if TYPE_CHECKING:
    from pathlib import Path

STRANGER = 65534


@pytest.fixture
def top(tmp_path: Path) -> str:
    """Return an empty directory that nothing above says anything for."""
    return os.path.realpath(tmp_path)


def put(path: str, text: str = "") -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_the_nearest_manifest_counts_before_what_is_none(top: str) -> None:
    put(f"{top}/bubble.toml")
    put(f"{top}/app/pyproject.toml", "[tool.bubble]")
    put(f"{top}/app/lib/requirements.txt")
    put(f"{top}/app/lib/deep/x")
    assert project_of(f"{top}/app/lib/deep").root == f"{top}/app"
    os.unlink(f"{top}/app/pyproject.toml")
    assert project_of(f"{top}/app/lib/deep").root == top
    os.unlink(f"{top}/bubble.toml")
    assert project_of(f"{top}/app/lib/deep").root == f"{top}/app/lib"


@pytest.mark.parametrize(
    "sign", ["bubble.toml", "pyproject.toml", "requirements.txt", "pylock.toml"]
)
def test_what_makes_a_project(sign: str, top: str) -> None:
    put(f"{top}/p/{sign}")
    os.makedirs(f"{top}/p/sub/deeper")
    assert project_of(f"{top}/p/sub/deeper").root == f"{top}/p"


def test_where_nothing_is_the_error_names_the_command_that_begins_one(top: str) -> None:
    with pytest.raises(BubbleError, match="is in no project") as caught:
        project_of(top)
    assert "bubble new" in caught.value.hint
    put(f"{top}/Pipfile")
    with pytest.raises(BubbleError, match="is in no project") as caught:
        project_of(top)
    assert caught.value.hint == "take it over: bubble import Pipfile"


@pytest.mark.parametrize("sign", ["bubble.toml", "requirements.txt"])
def test_home_is_no_project_whatever_lies_there(sign: str, top: str) -> None:
    put(f"{top}/home/{sign}")
    put(f"{top}/home/code/x")
    os.symlink("home", f"{top}/link")
    for cwd in ("home", "home/code", "link/code"):
        for home in ("home", "link"):
            with pytest.raises(BubbleError, match="in no project"):
                project_of(f"{top}/{cwd}", f"{top}/{home}")
    assert project_of(f"{top}/home/code", "").root == f"{top}/home"


def test_a_directory_is_looked_at_as_it_is_spelled_and_then_as_it_lies(top: str) -> None:
    put(f"{top}/data/set/requirements.txt")
    os.makedirs(f"{top}/project/src")
    os.symlink("../data", f"{top}/project/data")
    assert project_of(f"{top}/project/data/set").root == f"{top}/data/set"
    put(f"{top}/project/bubble.toml")
    assert project_of(f"{top}/project/data/set").root == f"{top}/project"
    os.symlink("project/src", f"{top}/short")
    assert project_of(f"{top}/short").root == f"{top}/project"


@ROOT_ONLY
def test_a_strangers_manifest_above_says_nothing(top: str) -> None:
    put(f"{top}/bubble.toml")
    os.chown(f"{top}/bubble.toml", STRANGER, STRANGER)
    put(f"{top}/mine/x")
    with pytest.raises(BubbleError, match="another user") as caught:
        project_of(f"{top}/mine")
    assert f"cd {top}" in caught.value.hint.replace("'", "")
    put(f"{top}/mine/requirements.txt")
    assert project_of(f"{top}/mine").root == f"{top}/mine"
    # where somebody stands is what they mean
    assert project_of(top).root == top
    # and within one owner's tree, whoever looks
    os.makedirs(f"{top}/theirs")
    os.chown(f"{top}/theirs", STRANGER, STRANGER)
    assert project_of(f"{top}/theirs").root == top


def test_a_strangers_manifest_above_says_nothing_to_a_plain_user(
    top: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(f"{top}/bubble.toml")
    put(f"{top}/mine/x")
    owners = {f"{top}/bubble.toml": os.geteuid() + 1000}
    monkeypatch.setattr(locate, "_owner", lambda path: owners.get(path, os.geteuid()))
    with pytest.raises(BubbleError, match="another user"):
        project_of(f"{top}/mine")
    owners[f"{top}/bubble.toml"] = 0
    assert project_of(f"{top}/mine").root == top


def test_above_a_project_only_a_broken_manifest_stops(top: str) -> None:
    put(f"{top}/pyproject.toml", "[project\n")
    put(f"{top}/p/requirements.txt")
    assert project_of(f"{top}/p").root == f"{top}/p"
    put(f"{top}/pyproject.toml", "[tool.bubble\n")
    with pytest.raises(BubbleError, match="line 1 is not TOML"):
        project_of(f"{top}/p")
    os.unlink(f"{top}/pyproject.toml")
    put(f"{top}/bubble.toml", "x = 1")
    with pytest.raises(BubbleError, match="no key"):
        project_of(f"{top}/p")


def test_a_deleted_directory_is_told() -> None:
    with pytest.raises(BubbleError, match="deleted"):
        project_of("")


def test_bubbles_are_named_in_any_spelling_once(top: str) -> None:
    put(f"{top}/bubble.toml", "[bubbles.train_gpu]\n[bubbles.default]\n")
    project = project_of(top)
    names = [b.name for b in chosen(project, ["Train.GPU", "train-gpu"], everything=False)]
    assert names == ["train-gpu"]
    assert [b.name for b in chosen(project, [], everything=False)] == ["default"]
    assert [b.name for b in chosen(project, [], everything=True)] == ["train-gpu", "default"]
    with pytest.raises(BubbleError, match="has no bubble “trian-gpu”") as caught:
        bubble_of(project, "trian-gpu")
    assert caught.value.hint == "did you mean: train-gpu"


def test_without_a_default_bubble_all_of_them_are_meant(top: str) -> None:
    put(f"{top}/bubble.toml", "[bubbles.a]\n[bubbles.b]\n")
    assert [b.name for b in chosen(project_of(top), [], everything=False)] == ["a", "b"]

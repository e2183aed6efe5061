"""`bubble rename`: another name, and everything as it was; interrupted, the old or the new."""

from __future__ import annotations

import os

import pytest

from bubble.envs.changing.rename import rename
from bubble.envs.making import clone as cloning
from bubble.selection import registry
from bubble.system.layout import MARK
from bubble.system.removal import Remains
from bubble.system.staging import Staging
from support.environments import adopt_python, create, files, install, names_in, says

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def train(bubble: Bubble, tmp_path: Path) -> str:
    adopt_python(bubble)
    path = create(bubble, "train")
    install(bubble, path, tmp_path, "tool")
    return path


def names(bubble: Bubble) -> list[str]:
    return [e["name"] for e in bubble("list", "--json").json["data"]]


def test_a_renamed_environment_works_under_its_new_name_alone(
    bubble: Bubble, train: str, layout: Layout
) -> None:
    before = registry.of_name(layout, "train")
    done = bubble("rename", "train", "second")
    assert done.status == 0, done.err
    assert done.out == "renamed train to second\n"
    path = f"{layout.envs}/second"
    assert says(path, "tool") == "tool 1.0"
    assert names_in(path, train) == []
    assert names(bubble) == ["second"]
    assert os.listdir(layout.envs) == ["second"]
    after = registry.of_name(layout, "second")
    assert before is not None
    assert after == before.replace(name="second", path=path)


@pytest.mark.parametrize("name", ["other", "train", "3.12", "../x", "a b", ""])
def test_a_name_that_is_taken_or_none_changes_nothing(
    bubble: Bubble, train: str, name: str
) -> None:
    create(bubble, "other", "--no-pip")
    before = files(train)
    done = bubble("rename", "train", name)
    assert done.status in {1, 2}
    assert files(train) == before
    assert names(bubble) == ["other", "train"]


def test_a_projects_environment_has_no_name_to_change(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    project = tmp_path / "project"
    project.mkdir()
    create(bubble, "", "--no-pip", cwd=str(project))
    done = bubble("rename", str(project), "other")
    assert done.status == 2
    assert f"bubble clone {project}/.venv other" in done.err


def test_known_version_files_that_say_the_old_name_are_told_and_stay(
    bubble: Bubble, train: str, layout: Layout, tmp_path: Path
) -> None:
    here, there, unknown = (str(tmp_path / name) for name in ("here", "there", "unknown"))
    for directory in (here, there, unknown):
        os.mkdir(directory)
    create(bubble, "", "--no-pip", "-p", "3", cwd=there)  # which makes it known
    for directory in (here, there, unknown):
        with open(f"{directory}/.python-version", "w") as file:
            file.write("# why\ntrain\nsystem\n")
    with open(f"{there}/.tool-versions", "w") as file:
        file.write("python train\n")
    with open(layout.global_pin, "w") as file:
        file.write("train\n")
    shell = {"BUBBLE_PYTHON": "train:system"}
    done = bubble("rename", "train", "second", cwd=here, env=shell)
    assert done.status == 0, done.err
    assert done.out == "renamed train to second\n"
    assert done.err.splitlines() == [
        "warning: BUBBLE_PYTHON still says train: bubble shell second system",
        f"warning: {here}/.python-version still says train: bubble use second system",
        f"warning: {there}/.python-version still says train: there, bubble use second system",
        f"warning: {there}/.tool-versions still says train: write second there",
        f"warning: {layout.global_pin} still says train: bubble use --global second",
    ]
    for command, cwd in (("use second system", here), ("use --global second", here)):
        assert bubble(*command.split(), cwd=cwd).status == 0
    with open(f"{here}/.python-version") as file:
        assert file.read() == "# why\nsecond\nsystem\n"
    assert train not in bubble("current", cwd=here).out
    pins = bubble("rename", "second", "third", "--json", cwd=here).json["data"]["pins"]
    assert pins == [
        {"where": f"{here}/.python-version", "mend": "bubble use third system"},
        {"where": layout.global_pin, "mend": "bubble use --global third"},
    ]


class Killed(BaseException):
    """What a kill is, as far as a test in one process can have it: nothing is undone."""


STEPS = ("register", "publish", "set_aside", "forget", "delete")


@pytest.mark.parametrize("step", STEPS)
def test_after_a_death_the_same_command_ends_the_work(
    bubble: Bubble, train: str, layout: Layout, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    source = registry.of_name(layout, "train")
    assert source is not None

    def die(*_: object, **__: object) -> None:
        raise Killed

    from bubble.envs.changing import rename as renaming

    with monkeypatch.context() as patched:
        if step in {"register", "forget"}:
            patched.setattr(registry, step, die)
        elif step == "publish":  # a kill takes nothing back, as the operation itself would
            patched.setattr(Staging, step, die)
            patched.setattr(registry, "forget", die)
        elif step == "delete":
            patched.setattr(Remains, step, die)
        else:
            patched.setattr(renaming, step, die)
        with pytest.raises(Killed):
            rename(source, "second", layout)
    whole = [p for p in (train, f"{layout.envs}/second") if os.path.exists(p)]
    assert whole
    for path in whole:
        assert says(path, "tool") == "tool 1.0"
    if step != "delete":  # then all that was left was garbage
        listed = bubble("list", "--json").json["data"]
        assert step == "register" or any(e["state"] != "ok" for e in listed), listed
        done = bubble("rename", "train", "second")
        assert done.status == 0, done.err
    assert names(bubble) == ["second"]
    assert [e["state"] for e in bubble("list", "--json").json["data"]] == ["ok"]
    assert says(f"{layout.envs}/second", "tool") == "tool 1.0"
    assert os.listdir(layout.envs) == ["second"]


def test_a_strange_directory_under_the_new_name_is_left_alone(
    bubble: Bubble, train: str, layout: Layout, canary: str
) -> None:
    os.symlink(canary, f"{layout.envs}/second")
    assert bubble("rename", "train", "second").status == 1
    os.unlink(f"{layout.envs}/second")
    os.mkdir(f"{layout.envs}/second")
    with open(f"{layout.envs}/second/{MARK}", "w") as file:
        file.write("0123456789abcdef\n")
    before = files(f"{layout.envs}/second")
    assert bubble("rename", "train", "second").status == 1
    assert files(f"{layout.envs}/second") == before
    assert says(train, "tool") == "tool 1.0"
    assert cloning.label(registry.Environment(path="/x/y")) == "y"

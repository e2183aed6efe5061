"""A store of the release before: taken over by the next command, nothing lost, nothing trusted."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.selection import registry
from bubble.selection.identity import is_itself
from bubble.system.format import FORMAT
from bubble.system.layout import ADOPTED, MARK
from support.environments import adopt_python, create, says
from support.oldstore import make_old
from support.shimworld import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def projects(bubble: Bubble, layout: Layout, tmp_path: Path) -> dict[str, str]:
    """Return what an old store knows: a named environment, a project's, one through a link."""
    adopt_python(bubble)
    for name in ("real", "plain", "foreign"):
        os.makedirs(tmp_path / name)
    os.symlink("real", tmp_path / "link")
    found = {
        "named": create(bubble, "site"),
        "plain": create(bubble, cwd=f"{tmp_path}/plain"),
        "linked": create(bubble, cwd=f"{tmp_path}/real"),
        "foreign": f"{tmp_path}/foreign/.venv",
    }
    shutil.copytree(found["plain"], found["foreign"], symlinks=True)
    os.unlink(f"{found['foreign']}/{MARK}")
    assert bubble("adopt", found["foreign"]).status == 0
    make_old(layout, {f"{tmp_path}/real": f"{tmp_path}/link"})
    return found


def test_an_old_store_is_taken_over_without_loss(
    bubble: Bubble, layout: Layout, projects: dict[str, str], tmp_path: Path
) -> None:
    listed = bubble("list", "--json")
    assert listed.status == 0, listed.err
    told = {e["path"]: e["state"] for e in listed.json["data"]}
    assert told == {p: "foreign" if "foreign" in p else "ok" for p in projects.values()}
    assert os.readlink(layout.format) == FORMAT
    assert not {"projects", "aliases", "generation"} & set(os.listdir(layout.home))
    assert os.path.exists(f"{projects['foreign']}/{ADOPTED}")
    assert all(is_itself(e, layout) for e in registry.environments(layout))
    for directory in ("real", "link", "plain", "foreign"):
        done = bubble("current", "--json", cwd=tmp_path / directory)
        name = "real" if directory == "link" else directory
        assert done.json["data"]["answers"][0]["prefix"] == f"{tmp_path}/{name}/.venv"
    assert says(projects["named"], "python3") == ""


def test_what_lies_in_the_place_of_anothers_environment_by_now_is_not_trusted(
    bubble: Bubble, projects: dict[str, str], tmp_path: Path
) -> None:
    os.utime(f"{projects['foreign']}/pyvenv.cfg", (1, 1))
    mark = f"{projects['foreign']}/{ADOPTED}"
    assert not os.path.exists(mark)
    done = bubble("current", cwd=tmp_path / "foreign")
    assert done.status == 1
    assert "is not what was registered there" in done.err
    assert not os.path.exists(mark)


def test_a_store_of_a_newer_bubble_is_left_alone(bubble: Bubble, layout: Layout) -> None:
    os.makedirs(layout.home)
    os.symlink("99", layout.format)
    done = bubble("list")
    assert done.status == 1
    assert "a newer bubble" in done.err
    assert os.listdir(layout.home) == ["format"]


def test_a_file_in_the_formats_place_is_no_format(bubble: Bubble, layout: Layout) -> None:
    write(layout.format, "2")
    assert bubble("list").status == 0
    assert os.readlink(layout.format) == FORMAT

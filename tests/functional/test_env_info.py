"""`bubble info`: everything about one environment, found by name, path or directory."""

from __future__ import annotations

import os
import shutil

import pytest

from bubble.system.pyvenv_cfg import version_of
from support.builds import small_mirror
from support.environments import adopt_python, create, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def project(bubble: Bubble, tmp_path: Path) -> str:
    adopt_python(bubble)
    directory = tmp_path / "site"
    (directory / "deep" / "er").mkdir(parents=True)
    create(bubble, "", "--no-pip", cwd=str(directory))
    return str(directory)


def test_it_tells_everything(bubble: Bubble, tmp_path: Path, home: str) -> None:
    version = adopt_python(bubble)
    path = create(bubble, "train")
    install(bubble, path, tmp_path, "tool")
    data = bubble("info", "train", "--json").json["data"]
    assert data["version"] == version
    assert data["path"] == f"{home}/envs/train"
    assert data["executable"] == f"{home}/envs/train/bin/python"
    assert data["packages"] == 2
    pip = bubble("run", "train", "pip", "--version").out.split()[1]
    assert data["pip"] == pip
    assert data["system_site_packages"] is False
    assert 0 <= data["shared"] < data["size"]
    shown = bubble("info", "train").out
    for part in (version, pip, "made for:", f". '{path}/bin/activate'", "packages:"):
        assert part in shown


def test_after_an_upgrade_the_version_is_that_of_the_interpreter_that_it_has_now(
    bubble: Bubble, tmp_path: Path, env: dict[str, str]
) -> None:
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "mirror"), ["3.11.8", "3.11.9"])
    assert bubble("python", "install", "3.11.8").status == 0
    create(bubble, "minor", "-p", "3.11", "--no-pip")
    create(bubble, "exact", "-p", "3.11.8", "--no-pip")
    before = bubble("info", "minor").out
    assert "python:       3.11.8 (cpython-3.11.8)\n" in before
    assert "made with:" not in before
    assert bubble("python", "upgrade", "3.11").status == 0
    after = bubble("info", "minor").out
    assert "python:       3.11.9 (cpython-3.11.9)\nmade with:    3.11.8\n" in after
    told = bubble("info", "minor", "--json").json["data"]
    assert (told["version"], told["made_with"]) == ("3.11.9", "3.11.8")
    stays = bubble("info", "exact", "--json").json["data"]
    assert (stays["version"], stays["made_with"]) == ("3.11.8", "3.11.8")


@pytest.mark.parametrize("text", ["", ".", "..", ".venv", "deep/..", "ABSOLUTE", "~/site", "LINK"])
def test_a_projects_is_found_from_its_directory_and_by_paths(
    bubble: Bubble, project: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(project)
    (tmp_path / "home" / "site").symlink_to(project)
    cwd = f"{project}/deep" if text in {"", ".."} else project
    given = {"ABSOLUTE": f"{project}/.venv", "LINK": f"{tmp_path}/link/.venv"}.get(text, text)
    if text == "~/site":
        given = f"{tmp_path}/home/site/.venv"
    done = bubble("info", *([given] if given else []), "--json", cwd=cwd)
    assert done.status == 0, done.err + done.out
    assert done.json["data"]["path"] == f"{project}/.venv"


def test_the_nearest_one_upwards_is_meant(bubble: Bubble, project: str) -> None:
    create(bubble, "", "--no-pip", cwd=f"{project}/deep")
    done = bubble("info", "--json", cwd=f"{project}/deep/er")
    assert done.json["data"]["path"] == f"{project}/deep/.venv"


def test_what_is_not_there_has_a_next_step(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    create(bubble, "train", "--no-pip")
    nothing = bubble("info", cwd=tmp_path)
    assert (nothing.status, nothing.out) == (1, "")
    assert "bubble create" in nothing.err
    assert "did you mean: train" in bubble("info", "trian").err
    assert "bubble list" in bubble("info", "/nowhere/at/all").err
    hostile = bubble("info", "\x1b[31m../x\n")
    assert hostile.status == 1
    assert "\x1b" not in hostile.err


def test_an_unregistered_venv_is_never_passed_by_for_one_above(
    bubble: Bubble, project: str
) -> None:
    inner = f"{project}/deep/.venv"
    os.mkdir(inner)
    with open(f"{inner}/pyvenv.cfg", "w") as file:
        file.write("home = /usr/bin\n")
    done = bubble("info", cwd=f"{project}/deep")
    assert done.status == 1
    assert f"bubble adopt {inner}" in done.err


def test_a_broken_one_is_described_as_far_as_it_goes(bubble: Bubble, project: str) -> None:
    os.unlink(f"{project}/.venv/pyvenv.cfg")
    os.unlink(f"{project}/.venv/bin/python")
    done = bubble("info", "--json", cwd=project)
    assert done.json["data"]["state"] == "broken"
    assert done.json["data"]["version"] is None


@pytest.mark.parametrize(
    ("values", "version"),
    [
        ({"version_info": "3.11.7.final.0"}, "3.11.7"),
        ({"version_info": "3.14.0.candidate.2"}, "3.14.0rc2"),
        ({"version_info": "3.14.0.alpha.1", "version": "3.14.0a1"}, "3.14.0a1"),
        ({"version_info": "3.12.4", "version": "nonsense"}, "3.12.4"),
        ({"version": "3.9.18"}, "3.9.18"),
        ({}, ""),
    ],
)
def test_every_makers_version_is_read(values: dict[str, str], version: str) -> None:
    assert version_of(values) == version


def test_what_was_deleted_by_hand_is_said_in_the_words_of_the_list(
    bubble: Bubble, project: str
) -> None:
    shutil.rmtree(f"{project}/.venv")
    listed = bubble("list")
    assert f"{project}/.venv: gone; mend it: bubble remove {project}/.venv" in listed.err
    told = bubble("info", project)
    assert f"gone (mend it: bubble remove {project}/.venv)" in told.out

"""`bubble import FILE`: where the result goes, what is never lost, and what is said."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

import pytest

from bubble.projects.reading import read_project
from conftest import snapshot
from support.told import json_data, json_error, one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

ENVIRONMENT = """\
name: train
dependencies:
  - python=3.11
  - pandas=2.2
  - pytorch
  - cudatoolkit=11.8
  - pip:
      - -e .
      - rich
"""
PYPROJECT = """\
# the company's header
[build-system]
requires = ["hatchling"]   # pinned elsewhere
build-backend = "hatchling.build"

[project]
name = "shop"
version = "1.0"
dependencies = [
  "rich",        # tables
]

[tool.ruff]
line-length = 100
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "shop"
    directory.mkdir()
    return directory


def test_a_manifest_of_its_own_where_there_is_no_package(project: Path, bubble: Bubble) -> None:
    (project / "environment.yml").write_text(ENVIRONMENT)
    done = bubble("import", "environment.yml", cwd=project)
    assert done.status == 0, done.err
    # there is no pyproject.toml: this directory can only be said in a requirements file
    assert done.out.splitlines() == [
        str(project / "requirements.imported.txt"),
        str(project / "bubble.toml"),
    ]
    assert (project / "requirements.imported.txt").read_text().splitlines()[1:] == ["-e ."]
    text = (project / "bubble.toml").read_text()
    assert "# Left out: cudatoolkit=11.8 (line 6)" in text
    read = read_project(os.path.realpath(project))
    (default,) = read.bubbles
    assert default.python == "3.11"
    assert default.dependencies == ("pandas==2.2.*", "torch", "rich")
    assert "warning: left out: cudatoolkit=11.8 (line 6) (CUDA: " in done.err
    assert "next: bubble sync" in done.err


def test_a_table_in_a_packages_own_file_whose_text_stays(project: Path, bubble: Bubble) -> None:
    (project / "environment.yml").write_text(ENVIRONMENT)
    (project / "pyproject.toml").write_text(PYPROJECT)
    os.chmod(project / "pyproject.toml", 0o640)
    done = bubble("import", "environment.yml", "--json", cwd=project)
    assert done.status == 0, done.err
    text = (project / "pyproject.toml").read_text()
    assert text.startswith(PYPROJECT)
    assert os.stat(project / "pyproject.toml").st_mode & 0o777 == 0o640
    assert sorted(os.listdir(project)) == ["environment.yml", "pyproject.toml"]
    (default,) = read_project(os.path.realpath(project)).bubbles
    assert default.project == "editable"
    assert default.dependencies == ("pandas==2.2.*", "torch", "rich")
    data = json_data(done.out)
    assert data["kind"] == "environment.yml"
    assert [(f["role"], f["path"]) for f in data["files"]] == [
        ("manifest", os.path.realpath(project / "pyproject.toml"))
    ]
    assert data["left"][0]["what"] == "cudatoolkit=11.8"
    assert data["left"][0]["line"] == 6


def test_a_dry_run_shows_what_would_be_written_and_writes_nothing(
    project: Path, bubble: Bubble
) -> None:
    (project / "environment.yml").write_text(ENVIRONMENT)
    before = snapshot(str(project))
    shown = bubble("import", "environment.yml", "--dry-run", cwd=project)
    assert shown.status == 0
    assert snapshot(str(project)) == before
    assert bubble("import", "environment.yml", cwd=project).status == 0
    for name in ("bubble.toml", "requirements.imported.txt"):
        assert (project / name).read_text().rstrip() in shown.out
    assert "nothing was written" in shown.err


@pytest.mark.parametrize("manifest", ["bubble.toml", "pyproject.toml"])
def test_a_manifest_that_is_there_is_replaced_by_force_alone_and_kept(
    manifest: str, project: Path, bubble: Bubble
) -> None:
    (project / "environment.yml").write_text(ENVIRONMENT)
    own = '[bubbles.default]\ndependencies = ["mine"]\n'
    if manifest == "pyproject.toml":
        own = PYPROJECT + own.replace("bubbles", "tool.bubble.bubbles")
    (project / manifest).write_text(own)
    refused = bubble("import", "environment.yml", "--json", cwd=project)
    assert refused.status == 2
    assert "--force" in json_error(refused.out, 2)["hint"]
    assert (project / manifest).read_text() == own
    assert bubble("import", "environment.yml", "--force", cwd=project).status == 0
    assert (project / f"{manifest}.before-import").read_text() == own
    assert "mine" not in (project / manifest).read_text()
    (project / manifest).write_text(own)
    assert bubble("import", "environment.yml", "--force", cwd=project).status == 0
    assert (project / f"{manifest}.before-import-2").read_text() == own


def test_home_becomes_no_project(bubble: Bubble, env: dict[str, str]) -> None:
    with open(f"{env['HOME']}/environment.yml", "w", encoding="utf-8") as file:
        file.write(ENVIRONMENT)
    done = bubble("import", "environment.yml", cwd=env["HOME"])
    assert done.status == 2
    assert "can't be a project" in one_error(done.err)[0]
    assert os.listdir(env["HOME"]) == ["environment.yml"]


def test_saying_it_again_changes_nothing(project: Path, bubble: Bubble) -> None:
    (project / "environment.yml").write_text(ENVIRONMENT)
    assert bubble("import", "environment.yml", cwd=project).status == 0
    before = snapshot(str(project))
    again = bubble("import", "environment.yml", cwd=project)
    assert again.status == 0, again.err
    assert snapshot(str(project)) == before


def test_a_project_with_both_manifests_isnt_made(project: Path, bubble: Bubble) -> None:
    (project / "environment.yml").write_text("dependencies: [rich]\n")
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "bubble.toml").write_text("")
    done = bubble("import", "environment.yml", "--force", cwd=project)
    assert done.status == 0, done.err
    assert (project / "pyproject.toml").read_text() == PYPROJECT
    assert read_project(os.path.realpath(project)).manifest.endswith("bubble.toml")


REQUIREMENTS = {
    "requirements.txt": "-r base.txt\n-c pins.txt\nrich ; python_version > '3.8'  # tables\n-e .\n",
    "base.txt": "\ufeffrequests[socks]>=2,\\\n  <3\r\n--extra-index-url https://i.example/simple\n",
    "pins.txt": "requests==2.31.0\n",
}


def test_a_requirements_file_of_the_project_is_named_and_stays_what_it_is(
    project: Path, bubble: Bubble
) -> None:
    for name, text in REQUIREMENTS.items():
        (project / name).write_text(text)
    done = bubble("import", "requirements.txt", cwd=project)
    assert done.status == 0, done.err
    (default,) = read_project(os.path.realpath(project)).bubbles
    assert default.requirements == (os.path.realpath(project / "requirements.txt"),)
    for name, text in REQUIREMENTS.items():
        assert (project / name).read_text() == text.replace("\r\n", "\n")


def test_a_requirements_file_from_elsewhere_is_copied(project: Path, bubble: Bubble) -> None:
    elsewhere = project.parent / "elsewhere"
    elsewhere.mkdir()
    for name, text in REQUIREMENTS.items():
        (elsewhere / name).write_text(text)
    done = bubble("import", "../elsewhere/requirements.txt", cwd=project)
    assert done.status == 0, done.err
    (default,) = read_project(os.path.realpath(project)).bubbles
    assert set(default.dependencies) == {
        'rich ; python_version > "3.8"'.replace(" ;", ";"),
        "requests[socks]<3,>=2",
    }
    assert "-e" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scikit-learn @ file:///croot/scikit-learn_1684954695550/work\n", "another machine"),
        ("numpy==1.26.4\nname: x\n", "line 2"),
        ("numpy=1.26.4=py311_0\n", "numpy"),
    ],
)
def test_a_file_that_isnt_what_it_seems_is_told(
    text: str, said: str, project: Path, bubble: Bubble
) -> None:
    (project / "requirements.txt").write_text(text)
    done = bubble("import", "requirements.txt", cwd=project)
    assert (
        said in done.err + (project / "bubble.toml").read_text() if done.status == 0 else done.err
    )


def test_without_a_file_pyenv_is_meant_and_a_directory_is_explained(
    project: Path, bubble: Bubble, env: dict[str, str]
) -> None:
    os.makedirs(f"{env['HOME']}/.pyenv/versions")
    done = bubble("import", "--json", cwd=project)
    assert json_data(done.out)["root"] == f"{env['HOME']}/.pyenv"
    refused = bubble("import", ".", cwd=project)
    assert refused.status == 2
    assert "bubble adopt" in one_error(refused.err)[1]
    missing = bubble("import", "environment.yml", cwd=project)
    assert missing.status == 2
    assert "there is no file" in one_error(missing.err)[0]


def test_a_python_that_nothing_is_built_for_is_said_and_the_pins_are_kept(
    project: Path, bubble: Bubble
) -> None:
    from support.foreign_locks import PYPROJECT as SHOP

    (project / "pyproject.toml").write_text(SHOP.replace(">=3.9", "==2.5.*"))
    (project / "pdm.lock").write_text(
        '[metadata]\nlock_version = "4.5.0"\nstrategy = ["inherit_metadata", "static_urls"]\n'
        '[[package]]\nname = "rich"\nversion = "1.0"\ngroups = ["default"]\nfiles = [{url = '
        f'"https://f.example/rich-1.0-py3-none-any.whl", hash = "sha256:{"0" * 64}"}}]\n'
    )
    done = bubble("import", "pdm.lock", cwd=project)
    assert done.status == 0, done.err
    assert "no lock was made" in done.err
    assert "rich==1.0" in (project / "constraints.imported.txt").read_text()
    assert not (project / "pylock.toml").exists()


def test_more_than_a_list_holds_is_a_file_of_its_own(project: Path, bubble: Bubble) -> None:
    lines = "".join(f"  - package-{n}=1.{n}\n" for n in range(300))
    (project / "environment.yml").write_text(f"dependencies:\n{lines}")
    done = bubble("import", "environment.yml", cwd=project)
    assert done.status == 0, done.err
    (default,) = read_project(os.path.realpath(project)).bubbles
    assert default.dependencies == ()
    text = (project / "requirements.imported.txt").read_text()
    assert "package-299==1.299.*\n" in text


def test_what_stands_in_comments_cant_leave_them(project: Path, bubble: Bubble) -> None:
    """Injection: a name with a line break must not become a key of the manifest."""
    (project / "environment.yml").write_text(
        'dependencies:\n  - "r-x\\npython = \\"2.7\\""\n  - "weird\\u2028python = 3"\n'
    )
    done = bubble("import", "environment.yml", cwd=project)
    assert done.status == 0, done.err
    read = tomllib.loads((project / "bubble.toml").read_text())
    assert read.keys() == {"bubbles"}

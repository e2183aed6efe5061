"""A directory with an environment: what it asks for, why, and what a new choice does to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.builds import small_mirror

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def project(bubble: Bubble, env: dict[str, str], tmp_path: Path) -> Path:
    """Make a project that pins 3.11, with an environment; 3.12 is installed, too."""
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "mirror"), ["3.11.8", "3.12.1"])
    assert bubble("python", "install", "3.11", "3.12").status == 0
    made = tmp_path / "project"
    made.mkdir()
    assert bubble("use", "3.11", cwd=made).status == 0
    done = bubble("create", "--no-pip", cwd=made)
    assert done.status == 0, done.err
    return made


def test_it_asks_for_what_its_file_says(project: Path, bubble: Bubble) -> None:
    (project / "below").mkdir()
    for directory in (project, project / "below"):
        done = bubble("python", "install", cwd=directory)
        assert done.status == 0, done.err
        assert f"{project}/.python-version asks for 3.11\n" in done.err
        assert "cpython-3.11.8-" in done.out


def test_without_a_file_it_asks_for_what_the_environment_was_made_for(
    project: Path, bubble: Bubble
) -> None:
    (project / "free").mkdir()
    os.unlink(project / ".python-version")
    assert bubble("create", "-p", "3.12", "--no-pip", cwd=project / "free").status == 0
    done = bubble("python", "install", cwd=project / "free")
    assert done.status == 0, done.err
    assert f"the environment of {project}/free asks for 3.12\n" in done.err
    assert "cpython-3.12.1-" in done.out


def test_explain_shows_the_environment_above_the_files(project: Path, bubble: Bubble) -> None:
    done = bubble("explain", cwd=project)
    assert f"because:  the environment of {project} is used in it\n" in done.out
    lines = [line.split() for line in done.out.splitlines()]
    ours = [">", *f"the environment of {project}".split(), f"{project}/.venv"]
    assert ours in lines
    assert lines[lines.index(ours) + 1] == [f"{project}/.python-version", "3.11"]


def test_a_new_choice_says_that_the_environment_has_another_python(
    project: Path, bubble: Bubble
) -> None:
    done = bubble("use", "3.12", cwd=project)
    assert done.status == 0
    pin = f"{project}/.python-version"
    said = f"warning: {project}/.venv has cpython-3.11.8, and {pin} asks for “3.12”"
    assert said in done.err
    assert "bubble repair\n" in done.err
    refused = bubble("which", "python", cwd=project)
    assert refused.status != 0
    assert "hint: give it that Python; its packages are kept: bubble repair" in refused.err
    back = bubble("use", "3.11", cwd=project)
    assert (back.status, "warning" in back.err) == (0, False)


def test_a_path_that_pips_scripts_would_give_to_the_shell_is_warned_of(
    project: Path, bubble: Bubble, tmp_path: Path
) -> None:
    odd = tmp_path / "cost in $"
    odd.mkdir()
    for words in (
        ("create", "-p", "3.11", "--no-pip"),
        ("clone", f"{project}/.venv", f"{odd}/copy"),
    ):
        done = bubble(*words, cwd=odd)
        assert done.status == 0, done.err
        assert "warning: this path has $ and a space: scripts that pip writes here" in done.err
    assert "warning" not in bubble("create", "plain", "-p", "3.11", "--no-pip").err


def test_a_new_environment_passes_over_a_file_that_names_nothing(
    project: Path, bubble: Bubble, tmp_path: Path
) -> None:
    for directory, request in ((project / "below", "3.11"), (tmp_path / "elsewhere", "3")):
        directory.mkdir()
        (directory / ".python-version").write_text("# nothing yet\n")
        assert bubble("create", "--no-pip", cwd=directory).status == 0
        told = bubble("info", "--json", cwd=directory).json["data"]
        assert told["request"] == request

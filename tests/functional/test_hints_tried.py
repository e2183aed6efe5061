"""A hint is tried where it is given: it mends what it was given for, and destroys nothing."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

from support.environments import adopt_python, create, install, with_tool
from support.terminal import on_a_terminal
from support.told import commands_in, one_error
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return an empty project's directory."""
    made = tmp_path / "project"
    made.mkdir()
    return made


def packages(bubble: Bubble, environment: str) -> str:
    done = bubble("export", environment)
    assert done.status == 0, done.err
    return done.out


def follow(bubble: Bubble, hint: str, cwd: Path, env: dict[str, str] | None = None) -> list[Result]:
    """Run every command line that a hint names, as it stands there."""
    lines = commands_in(hint)
    assert lines, hint
    return [bubble(*shlex.split(line)[1:], cwd=cwd, env=env) for line in lines]


def test_a_second_create_with_requirements_is_told_how_to_install_them_into_what_is_there(
    bubble: Bubble, project: Path, tmp_path: Path
) -> None:
    path = with_tool(bubble, tmp_path, cwd=str(project))
    (project / "requirements.txt").write_text(wheel(str(tmp_path), "more", "1.0") + "\n")
    env = {"PIP_NO_INDEX": "1"}
    again = bubble("create", "-r", "requirements.txt", cwd=project, env=env)
    assert again.status == 1
    _, hint = one_error(again.err)
    assert "--force throws it away" in hint
    (done,) = follow(bubble, hint, project, env)
    assert done.status == 0, done.err
    assert "tool" in packages(bubble, path)
    assert "more" in packages(bubble, path)


@pytest.mark.parametrize("words", [(), ("train",)])
def test_a_create_where_something_is_leads_to_nothing_that_destroys(
    bubble: Bubble, project: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    path = with_tool(bubble, tmp_path, "".join(words), cwd=str(project))
    before = packages(bubble, path)
    _, hint = one_error(bubble("create", *words, cwd=project).err)
    for done in follow(bubble, hint, project):
        assert done.status == 0, done.err
    assert packages(bubble, path) == before != ""


def test_force_says_what_is_not_carried_over(bubble: Bubble, project: Path, tmp_path: Path) -> None:
    with_tool(bubble, tmp_path, cwd=str(project))
    done = bubble("create", "--force", cwd=project)
    assert done.status == 0
    assert "warning: not carried over from the old one: tool" in done.err
    quiet = bubble("create", "--force", cwd=project)
    assert "carried over" not in quiet.err


@pytest.mark.parametrize("words", [("clone", "a", "b"), ("rename", "a", "b"), ("rename", "a", "a")])
def test_a_name_that_is_taken_leads_to_nothing_that_destroys(
    bubble: Bubble, project: Path, words: tuple[str, ...]
) -> None:
    adopt_python(bubble)
    for name in ("a", "b"):
        create(bubble, name, "--no-pip")
    _, hint = one_error(bubble(*words, cwd=project).err)
    for done in follow(bubble, hint, project):
        assert done.status == 0, done.err
    assert len(bubble("list", "--json").json["data"]) == 2


def test_a_file_that_names_an_unknown_environment_leads_to_that_environment(
    bubble: Bubble, project: Path
) -> None:
    adopt_python(bubble)
    (project / ".python-version").write_text("oldproject\n")
    message, hint = one_error(bubble("which", "python", cwd=project).err)
    assert "oldproject" in message
    for done in follow(bubble, hint, project):
        assert done.status == 0, done.err
    assert bubble("current", cwd=project).out.startswith("oldproject ")
    assert (project / ".python-version").read_text() == "oldproject\n"
    assert not (project / ".venv").exists()


def test_create_without_a_python_in_such_a_directory_keeps_the_name(
    bubble: Bubble, project: Path
) -> None:
    adopt_python(bubble)
    (project / ".python-version").write_text("oldproject\n")
    _, hint = one_error(bubble("create", "oldproject", cwd=project).err)
    assert hint.startswith("bubble create oldproject -p 3.")
    assert bubble(*shlex.split(hint.partition(";")[0])[1:], cwd=project).status == 0
    assert bubble("current", cwd=project).out.startswith("oldproject ")


def test_condas_way_to_say_the_python_is_understood_and_told_in_ours(
    bubble: Bubble, project: Path
) -> None:
    version = adopt_python(bubble)
    minor = ".".join(version.split(".")[:2])
    done = bubble("create", "train", f"python={minor}", cwd=project)
    assert done.status == 0
    assert f"it is taken as -p {minor}" in done.err
    _, hint = one_error(bubble("create", "python=3.99", "pandas", cwd=project).err)
    assert "3.99" in hint


def test_home_and_the_root_get_no_environment_by_accident(
    bubble: Bubble, project: Path, env: dict[str, str], tmp_path: Path
) -> None:
    adopt_python(bubble)
    home = env["HOME"]
    os.symlink(home, tmp_path / "link")
    create(bubble, "train", "--no-pip")
    for cwd in (home, str(tmp_path / "link")):
        for words in (("create",), ("create", "--no-pip"), ("clone", "train", "./.venv")):
            message, hint = one_error(bubble(*words, cwd=cwd).err)
            assert "would be the Python of every directory below it" in message
            assert not os.path.lexists(f"{home}/.venv")
            assert commands_in(hint)
    assert bubble("create", cwd="/").status == 2
    theirs = [sys.executable, "-m", "venv", "--without-pip", f"{home}/.venv"]
    subprocess.run(theirs, check=True)
    _, hint = one_error(bubble("adopt", ".venv", cwd=home).err)
    (done,) = follow(bubble, hint, project)
    assert done.status == 0, done.err
    assert bubble("which", "python", cwd=home).out != f"{home}/.venv/bin/python\n"


def test_home_gets_one_where_that_is_asked_for(bubble: Bubble, env: dict[str, str]) -> None:
    adopt_python(bubble)
    assert bubble("create", "--no-pip", "--here", cwd=env["HOME"]).status == 0
    assert os.path.exists(f"{env['HOME']}/.venv/bin/python")


@pytest.mark.parametrize("name", ["venv", "env"])
def test_another_tools_word_for_a_projects_own_makes_no_named_one(
    bubble: Bubble, project: Path, name: str
) -> None:
    adopt_python(bubble)
    _, hint = one_error(bubble("create", name, cwd=project).err)
    (done,) = follow(bubble, hint, project)
    assert done.status == 0
    assert (project / ".venv").is_dir()
    assert len(bubble("list", "--json").json["data"]) == 1


def test_a_name_that_may_be_a_package_is_said_to_be_for_the_whole_machine(
    bubble: Bubble, project: Path
) -> None:
    adopt_python(bubble)
    done = bubble("create", "flask", "--no-pip", cwd=project)
    assert "flask will be an environment for the whole machine" in done.err
    assert "bubble remove flask, then bubble create --with flask" in done.err
    create(bubble, "", "--no-pip", cwd=str(project))
    done = bubble("create", "django", "--no-pip", cwd=project)
    assert "then bubble run .venv pip install django" in done.err
    named = bubble("create", "site", "--no-pip", "-p", "3", cwd=project)
    assert "whole machine" not in named.err


def test_adopt_refuses_another_python_than_the_directory_asks_for(
    bubble: Bubble, project: Path
) -> None:
    adopt_python(bubble)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", f"{project}/.venv"], check=True)
    (project / ".python-version").write_text("3.9\n")
    message, hint = one_error(bubble("adopt", ".venv", cwd=project).err)
    assert "asks for “3.9”" in message
    (named, _) = follow(bubble, hint, project)
    assert named.status == 0, named.err
    assert bubble("list", "--json").json["data"][0]["name"] == "NAME"
    assert bubble("remove", "NAME").status == 0
    for text in (f"{sys.version_info[0]}.{sys.version_info[1]}", ">=3.8", "3.9\n3"):
        (project / ".python-version").write_text(f"{text}\n")
        assert bubble("adopt", ".venv", cwd=project).status == 0, text
        assert bubble("remove", ".venv", cwd=project).status == 0


def answered(bubble_words: list[str], answer: bytes, cwd: Path, env: dict[str, str]) -> str:
    """Run `bubble` on a terminal, answer what it asks, and return what it said."""
    return on_a_terminal(bubble_words, answer, cwd, {**env, "TERM": "dumb"})[1]


@pytest.mark.parametrize("words", [["remove", ".venv"], ["create", "--force", "--no-pip"]])
def test_on_a_terminal_what_throws_away_asks(
    bubble: Bubble, project: Path, tmp_path: Path, env: dict[str, str], words: list[str]
) -> None:
    path = with_tool(bubble, tmp_path, cwd=str(project))
    for answer in (b"n\n", b"\n", b"\x04"):
        said = answered(words, answer, project, env)
        assert "this throws " in said
        assert "nothing was changed" in said
        assert "tool" in packages(bubble, path)
    assert "[y/N]" not in answered([*words, "--yes"], b"", project, env)
    assert not os.path.exists(f"{path}/bin/tool")
    again = create(bubble, "other", "--no-pip", "-p", "3")
    assert bubble("remove", "other").status == 0, "a script is asked nothing"
    assert not os.path.exists(again)


def test_on_a_terminal_uninstall_asks(bubble: Bubble, project: Path, env: dict[str, str]) -> None:
    version = adopt_python(bubble)
    said = answered(["python", "uninstall", version], b"n\n", project, env)
    assert f"this removes cpython-{version}. Go on? [y/N]" in said
    assert version in bubble("python", "list", "--installed").out
    answered(["python", "uninstall", version], b"y\n", project, env)
    assert version not in bubble("python", "list", "--installed").out


def test_installing_into_it_is_offered_with_what_there_is(
    bubble: Bubble, project: Path, tmp_path: Path
) -> None:
    adopt_python(bubble)
    create(bubble, "", "--no-pip", cwd=str(project))
    _, hint = one_error(bubble("create", "--with", "six", cwd=project).err)
    assert hint.startswith(f"install into it: uv pip install --python {project}/.venv six; ")
    install_able = create(bubble, "with-pip")
    install(bubble, install_able, tmp_path, "tool")
    _, hint = one_error(bubble("create", "with-pip", "a b", cwd=project).err)
    assert hint.startswith("install into it: bubble run with-pip pip install 'a b'; ")


def test_what_is_to_be_typed_next_has_its_paths_as_words_of_a_shell(
    bubble: Bubble, tmp_path: Path
) -> None:
    adopt_python(bubble)
    project = tmp_path / "my project"
    project.mkdir()
    assert bubble("create", cwd=project).status == 0
    _, hint = one_error(bubble("kernel", "install", cwd=project).err)
    assert str(project / ".venv") in shlex.split(hint)


def test_what_is_no_pack_is_said_of_the_file_that_was_named(bubble: Bubble, tmp_path: Path) -> None:
    message, hint = one_error(bubble("unpack", "none.tar.gz", "out", cwd=tmp_path).err)
    assert message == f"there is no file {tmp_path}/none.tar.gz"
    assert hint == "check the path"
    (tmp_path / "text").write_text("text")
    _, hint = one_error(bubble("unpack", "text", "out", cwd=tmp_path).err)
    assert "bubble pack ENV" in hint
    assert not (tmp_path / "out").exists()


def test_a_python_that_is_missing_is_named_in_the_words_of_the_command_that_was_typed(
    bubble: Bubble, tmp_path: Path
) -> None:
    adopt_python(bubble)
    _, hint = one_error(bubble("create", "x", "-p", "3.9", cwd=tmp_path).err)
    assert hint == "bubble python install 3.9; or the same line with --install"
    message, hint = one_error(bubble("completions", "tcsh", cwd=tmp_path).err)
    assert message.endswith("invalid choice: “tcsh” (one of: bash, zsh, fish, pwsh, nu)")
    told = bubble("create", "lab", cwd=tmp_path)
    assert "if the package was meant" in told.err
    assert "if the package was meant" not in bubble("create", "lab", cwd=tmp_path).err

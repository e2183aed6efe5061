"""What `-e git+…` leaves in an environment: exported as what it is, and never lost in silence."""

from __future__ import annotations

import glob
import json
import os
import shutil

import pytest

from support.checkouts import commit, git, project, repository
from support.environments import adopt_python, create, files, says
from support.needs import needs, which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from support.environments import Bubble

pytestmark = needs("git")


@pytest.fixture
def upstream(tmp_path: Path) -> str:
    return repository(f"{tmp_path}/up stream", "tool")


def url(upstream: str) -> str:
    return f"git+file://{upstream.replace(' ', '%20')}"


def made(bubble: Bubble, upstream: str, name: str, tmp_path: Path, *arguments: str) -> str:
    """Make an environment with a checkout in its `src`, and return its path."""
    requirements = tmp_path / f"{name}.txt"
    requirements.write_text(f"-e {url(upstream)}#egg=tool\n")
    return create(bubble, name, "-r", str(requirements), "--installer", "pip", *arguments)


@pytest.fixture
def train(bubble: Bubble, upstream: str, tmp_path: Path) -> str:
    adopt_python(bubble)
    return made(bubble, upstream, "train", tmp_path)


def test_a_checkout_is_exported_as_its_repository(
    bubble: Bubble, upstream: str, tmp_path: Path
) -> None:
    adopt_python(bubble)
    made(bubble, upstream, "train", tmp_path)
    commit_id = git(upstream, "rev-parse", "HEAD")
    done = bubble("export", "train")
    assert done.out == f"-e {url(upstream)}@{commit_id}#egg=tool\n"
    assert "1 line names a place on this machine alone: tool" in done.err
    commit(upstream)
    frozen = tmp_path / "frozen.txt"
    frozen.write_text(done.out)
    path = create(bubble, "again", "-r", str(frozen), "--installer", "pip")
    assert bubble("remove", "train").status == 0, "it is clean, and upstream has it"
    assert says(path, "tool-where") == f"{path}/src/tool/src/tool/__init__.py"
    assert git(f"{path}/src/tool", "rev-parse", "HEAD") == commit_id


def test_a_part_of_a_repository_is_exported_as_that(bubble: Bubble, tmp_path: Path) -> None:
    adopt_python(bubble)
    top = tmp_path / "many"
    project(f"{top}/packages/tool", "tool")
    git(str(top), "init", "--quiet")
    commit(str(top))
    git(str(top), "remote", "add", "origin", "https://bob:hunter2@git.example/many.git")
    requirements = tmp_path / "r.txt"
    requirements.write_text(f"-e git+file://{top}#egg=tool&subdirectory=packages/tool\n")
    path = create(bubble, "part", "-r", str(requirements), "--installer", "pip")
    (written,) = glob.glob(f"{path}/lib/python3*/site-packages/tool*.dist-info/direct_url.json")
    git(f"{path}/src/tool", "remote", "set-url", "origin", "https://bob:hunter2@git.example/m.git")
    commit_id = git(str(top), "rev-parse", "HEAD")
    for part in ("/packages/tool", ""):  # as pip writes it down, and as it did before 23.1
        with open(written, "w") as file:
            json.dump(
                {"dir_info": {"editable": True}, "url": f"file://{path}/src/tool{part}"}, file
            )
        done = bubble("export", "part")
        assert done.out == (
            f"-e git+https://git.example/m.git@{commit_id}#egg=tool&subdirectory=packages/tool\n"
        )
        assert "credentials" in done.err
        assert "hunter2" not in done.err
        assert "on this machine" not in done.err


def test_work_in_a_checkout_is_not_thrown_away_unless_that_is_said(
    bubble: Bubble, train: str, tmp_path: Path
) -> None:
    with open(f"{train}/src/tool/NOTES", "w") as file:
        file.write("thoughts\n")
    before = files(train)
    requirements = str(tmp_path / "train.txt")
    for command in (
        ("remove", "train"),
        ("create", "train", "--force"),
        ("create", "train", "--force", "-r", requirements, "--installer", "pip"),
    ):
        done = bubble(*command)
        assert done.status == 1, command
        assert "somebody's work would be lost" in done.err
        assert f"{train}/src/tool: it has changes that aren't committed (NOTES)" in done.err
        assert "bubble remove --yes train" in done.err
        assert files(train) == before
    assert bubble("remove", "--yes", "train").status == 0
    assert not os.path.lexists(train)


def test_what_is_pushed_goes_without_a_word(bubble: Bubble, train: str, upstream: str) -> None:
    git(f"{train}/src/tool", "checkout", "--quiet", "-b", "mine")
    with open(f"{train}/src/tool/NOTES", "w") as file:
        file.write("thoughts\n")
    commit(f"{train}/src/tool")
    done = bubble("create", "train", "--force")
    assert "commits that weren't pushed" in done.err
    git(f"{train}/src/tool", "push", "--quiet", "origin", "mine")
    assert bubble("create", "train", "--force").status == 0
    assert not os.path.exists(f"{train}/src")
    assert "NOTES" in git(upstream, "ls-tree", "--name-only", "mine")


def test_without_git_only_a_word_throws_a_checkout_away(
    bubble: Bubble, train: str, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    done = bubble("remove", "train", env={"PATH": f"{tmp_path}/empty"})
    assert done.status == 1
    assert "there is no git to compare it" in done.err
    assert os.path.isdir(train)


@pytest.mark.parametrize("kind", ["repository", "mercurial", "project"])
def test_any_work_in_an_environment_counts(
    bubble: Bubble, train: str, tmp_path: Path, kind: str
) -> None:
    mine = f"{train}/deep/down/mine"
    project(mine, "mine")
    if kind == "repository":
        git(mine, "init", "--quiet")
    elif kind == "mercurial":
        os.mkdir(f"{mine}/.hg")
    else:
        done = bubble("run", "train", "pip", "install", "-e", mine, cwd=tmp_path)
        assert done.status == 0, done.err
    done = bubble("remove", "train")
    assert done.status == 1
    assert mine in done.err
    assert os.path.isdir(mine)


def test_repair_takes_work_along_to_another_minor(
    bubble: Bubble, upstream: str, tmp_path: Path
) -> None:
    first = adopt_python(bubble, "3.11")
    second = adopt_python(bubble, "3.12")
    directory = tmp_path / "it's mine"
    directory.mkdir()
    requirements = tmp_path / "r.txt"
    requirements.write_text(f"-e {url(upstream)}#egg=tool\n")
    path = create(
        bubble, "", "-p", first, "-r", str(requirements), "--installer", "pip", cwd=str(directory)
    )
    inside = project(f"{path}/libs/other", "other")
    assert bubble("run", path, "pip", "install", "-e", inside, cwd=directory).status == 0
    with open(f"{path}/src/tool/NOTES", "w") as file:
        file.write("thoughts\n")
    (directory / ".python-version").write_text(f"{second}\n")
    done = bubble("repair", "--installer", "pip", cwd=directory)
    assert done.status == 0, done.err
    assert "made it anew" in done.out
    assert says(path, "tool-where") == f"{path}/src/tool/src/tool/__init__.py"
    assert says(path, "other-where") == f"{path}/libs/other/src/other/__init__.py"
    assert says(path, ["python", "-V"][0] + "3.12") == ""
    with open(f"{path}/src/tool/NOTES") as file:
        assert file.read() == "thoughts\n"
    assert git(f"{path}/src/tool", "status", "--short") == "?? NOTES"


def test_an_environment_never_needs_what_it_replaces(
    bubble: Bubble, train: str, tmp_path: Path
) -> None:
    before = files(f"{train}/bin")
    for text in (f"-e {train}/src/tool", f"-e file://{train}/src/tool"):
        requirements = tmp_path / "old.txt"
        requirements.write_text(f"{text}\n")
        done = bubble("create", "train", "--force", "-r", str(requirements), "--installer", "pip")
        assert done.status == 1
        assert f"{train}/src/tool, which is to be installed for editing, goes" in done.err
        assert files(f"{train}/bin") == before
        assert says(train, "tool-where") == f"{train}/src/tool/src/tool/__init__.py"


@pytest.mark.parametrize("place", ["my work", "Anna's 50%", "josé #1 [x]"])
def test_a_project_is_installed_and_exported_wherever_it_lies(
    bubble: Bubble, tmp_path: Path, place: str
) -> None:
    adopt_python(bubble)
    mine = project(f"{tmp_path}/{place}", "mine")
    with open(f"{mine}/requirements.txt", "w") as file:
        file.write("-e .\n")
    path = create(bubble, "", "-r", "requirements.txt", "--installer", "pip", cwd=mine)
    assert says(path, "mine-where") == f"{mine}/src/mine/__init__.py"
    frozen = tmp_path / "frozen.txt"
    frozen.write_text(bubble("export", cwd=mine).out)
    assert "file:///" in frozen.read_text()
    path = create(bubble, "again", "-r", str(frozen), "--installer", "pip")
    assert says(path, "mine-where") == f"{mine}/src/mine/__init__.py"


def test_a_clone_has_a_checkout_of_its_own(bubble: Bubble, train: str, tmp_path: Path) -> None:
    with open(f"{train}/src/tool/NOTES", "w") as file:
        file.write("thoughts\n")
    (tmp_path / "my work's é").mkdir()
    done = bubble("clone", "train", f"{tmp_path}/my work's é/.venv", "--json")
    path = done.json["data"]["path"]
    assert bubble("rename", "train", "other").status == 0
    other = os.path.join(os.path.dirname(train), "other")
    for root in (path, other):
        assert says(root, "tool-where") == f"{root}/src/tool/src/tool/__init__.py"
        assert os.path.exists(f"{root}/src/tool/NOTES")
    assert not os.path.exists(train)


def test_git_is_found_where_the_system_has_it(bubble: Bubble, train: str, tmp_path: Path) -> None:
    planted = tmp_path / "project" / "git"
    planted.parent.mkdir()
    planted.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    planted.chmod(0o755)
    path = f".:shims:{os.path.dirname(which('git') or '')}"
    assert bubble("remove", "train", cwd=planted.parent, env={"PATH": path}).status == 0
    assert not os.path.exists(train)
    assert not (tmp_path / "ran").exists()
    assert shutil.which("git")

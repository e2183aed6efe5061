"""What a directory says of its environment proves nothing: only the store's own record does."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from bubble.selection import registry
from bubble.system.layout import MARK, Layout
from support.environments import adopt_python, create
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

MARKS = ("0123456789abcdef", "", "a\nb", "x" * 400)


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """Return the file that the stranger's interpreter writes if it ever runs."""
    return tmp_path / "ran"


def ship(directory: Path, ran: Path, mark: str = MARKS[0], interpreter: str = "python") -> str:
    """Write what a stranger's repository ships, and return its `.venv`."""
    path = directory / ".venv"
    (path / "bin").mkdir(parents=True)
    (path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\nbubble = 0.1.0\n")
    program = path / "bin" / interpreter
    program.write_text(f"#!/bin/sh\necho ran >> '{ran}'\n")
    program.chmod(0o755)
    if mark:
        (path / MARK).write_text(f"{mark}\n")
    return str(path)


@pytest.mark.parametrize("mark", MARKS)
def test_nothing_that_runs_by_itself_takes_in_what_a_repository_brings(
    bubble: Bubble, layout: Layout, tmp_path: Path, ran: Path, mark: str
) -> None:
    adopt_python(bubble)
    project = tmp_path / "cloned"
    path = ship(project, ran, mark)
    before = registry.environments(layout)
    fixed = bubble("doctor", "--fix", "--json", cwd=project)
    assert not [m for m in fixed.json["data"]["mended"] if path in m["command"]]
    for words in (("list",), ("info",), ("create",), ("explain",), ("repair",), ("repair", path)):
        bubble(*words, cwd=project)
    assert registry.environments(layout) == before
    bubble("exec", "python", "-V", cwd=project)
    assert not ran.exists()


def test_no_finding_that_is_mended_by_itself_registers_anything(
    bubble: Bubble, layout: Layout, tmp_path: Path, ran: Path
) -> None:
    adopt_python(bubble)
    moved, copied, gone = (tmp_path / name for name in ("moved", "copied", "gone"))
    for directory in (moved, copied, gone):
        directory.mkdir()
        create(bubble, "", "--no-pip", cwd=str(directory))
    create(bubble, "lost", "--no-pip")
    os.unlink(f"{layout.registry}/n.lost")
    os.rename(moved, tmp_path / "elsewhere")
    shutil.copytree(copied, tmp_path / "copy", symlinks=True)
    shutil.rmtree(gone / ".venv")
    ship(gone, ran, interpreter="python3")  # without a `python`, so that it looks broken
    before = {e.path: e.identity for e in registry.environments(layout)}
    for name in ("elsewhere", "copy", "gone"):
        told = bubble("doctor", "--fix", "--json", cwd=tmp_path / name).json["data"]
        assert not [f for f in told["findings"] if f["automatic"]]
    after = {e.path: e.identity for e in registry.environments(layout)}
    assert after.items() <= before.items()
    assert not ran.exists()


@pytest.mark.parametrize("mark", MARKS[:2])
@pytest.mark.parametrize(
    "words", [("create",), ("create", "--force"), ("info",), ("repair", ".venv"), ("explain",)]
)
def test_what_was_not_made_here_is_called_so_and_trust_is_left_to_the_user(
    bubble: Bubble, tmp_path: Path, ran: Path, words: tuple[str, ...], mark: str
) -> None:
    adopt_python(bubble)
    path = ship(tmp_path / "cloned", ran, mark)
    done = bubble(*words, cwd=tmp_path / "cloned")
    assert "was not made here (its own files say that a bubble made it)" in done.err
    assert f"if you trust what is in it: bubble adopt {path}" in done.err
    assert "--force" not in done.err
    assert "moved or copied" not in done.err
    assert os.path.exists(f"{path}/bin/python")


def test_doctor_says_of_it_that_it_was_not_made_here(
    bubble: Bubble, tmp_path: Path, ran: Path
) -> None:
    adopt_python(bubble)
    ship(tmp_path / "cloned", ran)
    found = json.loads(bubble("doctor", "--json", cwd=tmp_path / "cloned").out)["data"]["findings"]
    (finding,) = [f for f in found if f["where"].endswith("/.venv")]
    assert finding["id"] == "env.not-adopted"
    assert not finding["automatic"]
    assert "was not made here" in finding["what"]
    assert finding["condition"] == "if you trust what is in it"
    assert f"mend: if you trust what is in it: {finding['fix']}" in (
        bubble("doctor", cwd=tmp_path / "cloned").out
    )


@pytest.mark.parametrize("mark", MARKS[:2])
def test_what_lies_in_the_place_of_a_registered_one_runs_by_no_command(
    bubble: Bubble, tmp_path: Path, ran: Path, mark: str
) -> None:
    adopt_python(bubble)
    project = tmp_path / "project"
    project.mkdir()
    path = create(bubble, "", "--no-pip", cwd=str(project))
    shutil.rmtree(path)
    ship(project, ran, mark)
    for words in (("run", ".venv", "python"), ("run", path, "python"), ("kernel", "install", ".")):
        message, hint = one_error(bubble(*words, cwd=project).err)
        assert "is not what was registered there" in message
        assert f"if you know it and trust it: bubble adopt {path}" in hint
    for command in ("list", "info", "doctor"):
        done = bubble(command, cwd=project)
        said = done.out + done.err
        for line in said.splitlines():
            assert f"bubble adopt {path}" not in line or "trust" in line, line
        assert f"bubble adopt {path}" in said
    assert not ran.exists()


def test_a_tool_is_not_taken_from_what_lies_where_an_environment_was_adopted(
    bubble: Bubble, tmp_path: Path, ran: Path
) -> None:
    adopt_python(bubble)
    project = tmp_path / "theirs"
    path = ship(project, tmp_path / "while it was trusted")
    os.link(f"{path}/bin/python", f"{path}/bin/only-there")
    assert bubble("adopt", path, "--name", "theirs").status == 0
    assert bubble("exec", "only-there").status == 0
    shutil.rmtree(path)
    ship(project, ran, interpreter="only-there")
    shutil.copy(f"{path}/bin/only-there", f"{path}/bin/python")
    assert bubble("exec", "only-there").status == 127
    (entry,) = bubble("list", "--json").json["data"]
    assert entry["state"] == "replaced"
    assert not ran.exists()


@pytest.mark.parametrize("named", [False, True])
def test_a_link_that_a_repository_brings_takes_no_other_environment_away(
    bubble: Bubble, tmp_path: Path, named: bool
) -> None:
    adopt_python(bubble)
    for name in ("mine", "cloned"):
        (tmp_path / name).mkdir()
    name = "train" if named else ""
    path = create(bubble, name, "--no-pip", cwd=str(tmp_path / "mine"))
    for link in (".venv", "dist"):
        os.symlink(os.path.relpath(path, tmp_path / "cloned"), tmp_path / "cloned" / link)
    for text in (".venv", "./.venv", ".", f"{tmp_path}/cloned", "dist", "./dist"):
        message, hint = one_error(bubble("remove", text, cwd=tmp_path / "cloned").err)
        assert "is a link to" in message
        assert "remove the link by hand" in hint
    assert os.path.exists(f"{path}/bin/python")
    os.symlink(tmp_path / "mine", tmp_path / "short")  # a directory is itself, however spelled
    if not named:
        assert bubble("remove", f"{tmp_path}/short/.venv").status == 0
        assert not os.path.exists(path)


def test_who_copied_a_mark_is_told_only_what_a_user_must_know_first(
    bubble: Bubble, layout: Layout, tmp_path: Path, ran: Path
) -> None:
    adopt_python(bubble)
    (tmp_path / "mine").mkdir()
    create(bubble, "", "--no-pip", cwd=str(tmp_path / "mine"))
    (known,) = registry.environments(layout)
    project = tmp_path / "cloned"
    path = ship(project, ran, known.identity)
    for moved in (False, True):
        if moved:
            shutil.rmtree(tmp_path / "mine")
        asked = [("create",), ("current",), ("list",), ("info",), ("doctor",), ("explain",)]
        for words in asked:
            done = bubble(*words, cwd=project)
            for line in (done.out + done.err).splitlines():
                condition = f"if you {'moved' if moved else 'copied'} it there"
                assert f"bubble repair {path}" not in line or condition in line, line
        for cwd in (project, tmp_path):
            bubble("doctor", "--fix", cwd=cwd)
        assert bubble("exec", "python", cwd=project).status != 0
    assert not ran.exists()


def test_what_another_bubble_made_is_ours_once_the_user_says_so_under_a_mark_of_its_own(
    bubble: Bubble, layout: Layout, tmp_path: Path
) -> None:
    adopt_python(bubble)
    (tmp_path / "old").mkdir()
    path = create(bubble, "", cwd=str(tmp_path / "old"))
    (known,) = registry.environments(layout)
    registry.forget(layout, known)  # as on another machine
    os.rename(tmp_path / "old", tmp_path / "new")
    path = f"{tmp_path}/new/.venv"
    _, hint = one_error(bubble("repair", cwd=tmp_path / "new").err)
    assert f"bubble adopt {path}" in hint
    assert bubble("adopt", path).status == 0
    (ours,) = registry.environments(layout)
    assert ours.maker == "bubble"
    assert ours.identity
    assert ours.identity != known.identity
    assert (tmp_path / "new" / ".venv" / MARK).read_text() == f"{ours.identity}\n"
    assert bubble("repair", cwd=tmp_path / "new").status == 0
    assert bubble("run", ".venv", "pip", "--version", cwd=tmp_path / "new").status == 0
    assert bubble("list").err == ""


def test_a_copy_in_the_place_of_another_is_told_with_the_command_that_mends_it(
    bubble: Bubble, layout: Layout, tmp_path: Path
) -> None:
    adopt_python(bubble)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        create(bubble, "", "--no-pip", cwd=str(tmp_path / name))
    shutil.rmtree(tmp_path / "second" / ".venv")
    shutil.copytree(tmp_path / "first" / ".venv", tmp_path / "second" / ".venv", symlinks=True)
    states = {e["path"]: e for e in bubble("list", "--json").json["data"]}
    second = states[f"{tmp_path}/second/.venv"]
    assert second["state"] == "copied"
    assert bubble(*second["mend"].split()[1:]).status == 0
    assert {e["state"] for e in bubble("list", "--json").json["data"]} == {"ok"}
    assert len(registry.environments(layout)) == 2


def test_what_a_killed_creation_left_is_ours_by_what_the_store_wrote_down_before(
    bubble: Bubble, layout: Layout, tmp_path: Path
) -> None:
    adopt_python(bubble)
    (tmp_path / "site").mkdir()
    path = create(bubble, "", "--no-pip", cwd=str(tmp_path / "site"))
    (known,) = registry.environments(layout)
    registry.prepare(layout, known)
    registry.forget(layout, known)  # killed between the two
    (found,) = bubble("list", "--json", cwd=tmp_path / "site").json["data"]
    assert (found["state"], found["path"]) == ("unregistered", path)
    assert bubble("repair", cwd=tmp_path / "site").status == 0
    assert registry.environments(layout)[0].identity == known.identity


def test_a_link_to_a_registered_environment_is_called_nothing_else_by_any_command(
    bubble: Bubble, layout: Layout, tmp_path: Path
) -> None:
    adopt_python(bubble)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    path = create(bubble, "", "--no-pip", cwd=str(tmp_path / "one"))
    (tmp_path / "two" / ".venv").symlink_to("../one/.venv")
    (known,) = registry.environments(layout)
    two = tmp_path / "two"
    assert bubble("which", "python", cwd=two).out == f"{path}/bin/python\n"
    found = bubble("doctor", "--json", cwd=two).json["data"]["findings"]
    assert not [f for f in found if f["where"].endswith("/.venv")]
    assert "not used" not in bubble("explain", cwd=two).err
    assert len(bubble("list", "--json", cwd=two).json["data"]) == 1
    for words in (("create",), ("create", "--force")):
        assert f"it leads to {path}" in bubble(*words, "--no-pip", cwd=two).err
    assert bubble("repair", cwd=two).status == 0
    assert registry.environments(layout) == [known]

"""`bubble explain`: what it says is what happens, in bubble and its shim."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.selection.replay import replay
from bubble.system.layout import MARK
from support.shimworld import ShimWorld, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    """A store, its memos made by the real slow path; `slow` shims would call a double."""
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    made.install("cpython-3.11.9", "black")
    made.install("cpython-3.12.1")
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def old(path: Path, text: str) -> None:
    """Write a file with a time of long ago, so that only what it says can tell that it changed."""
    path.write_text(text)
    os.utime(path, (1, 1))


def test_it_is_short_and_says_it_all(project: Path, world: ShimWorld, bubble: Bubble) -> None:
    old(project / ".python-version", "3.12\n9.9\n3.11\n")
    old(project / "pyproject.toml", '[project]\nrequires-python = ">=3.9"\n')
    write(world.layout.global_pin, "3.11\n")
    env = {"PATH": f"{world.layout.shims}:/usr/bin:/bin", "HOME": str(project.parent)}
    told = bubble("explain", "black", cwd=project, env=env)
    assert (told.status, told.err) == (0, "")
    assert told.out == (
        "black:    ~/bubble/pythons/3.11/bin/black\n"
        "because:  ~/project/.python-version, line 3, says 3.11 (cpython-3.11.9)\n"
        "shim:     asks bubble, since the first call here leaves a memo\n"
        "\n"
        "What can decide, highest first:\n"
        "     BUBBLE_PYTHON              -\n"
        "  >  ~/project/.python-version  3.12 = cpython-3.12.1, 9.9 (not installed),"
        " 3.11 = cpython-3.11.9\n"
        "     ~/project/pyproject.toml   >=3.9\n"
        "     the global pin             3.11\n"
        "     the default                system\n"
        "\n"
        "What others read here:\n"
        "  pyenv  3.12:9.9:3.11  from ~/project/.python-version\n"
        "  uv     3.12           from ~/project/.python-version\n"
        "  mise   -              from its own settings\n"
    )


def test_the_json_keeps_its_contract(project: Path, world: ShimWorld, bubble: Bubble) -> None:
    old(project / ".python-version", "3.12\n")
    env = {"PATH": f"{world.layout.shims}:/usr/bin:/bin"}
    prefix = f"{world.layout.pythons}/3.12"
    pin = str(project / ".python-version")
    assert bubble("explain", "--json", cwd=project, env=env).json == {
        "schema": 1,
        "ok": True,
        "data": {
            "name": "python",
            "command": f"{prefix}/bin/python",
            "selected": [
                {"name": "cpython-3.12.1", "prefix": prefix, "request": "3.12", "line": 1}
            ],
            "considered": [
                {
                    "kind": "variable",
                    "path": None,
                    "requests": [],
                    "verdict": "says nothing",
                    "error": None,
                },
                {
                    "kind": "file",
                    "path": pin,
                    "requests": [{"text": "3.12", "line": 1}],
                    "verdict": "wins",
                    "error": None,
                },
                {
                    "kind": "global",
                    "path": world.layout.global_pin,
                    "requests": [],
                    "verdict": "says nothing",
                    "error": None,
                },
                {
                    "kind": "default",
                    "path": None,
                    "requests": [{"text": "system", "line": None}],
                    "verdict": "overruled",
                    "error": None,
                },
            ],
            "shim": {
                "path": f"{world.layout.shims}/python",
                "exists": True,
                "on_path": True,
                "before": None,
                "asks": "the first call here leaves a memo",
                "differs": None,
            },
            "memo": {"path": world.layout.answer(str(project)), "state": "none"},
            "others": {
                "pyenv": {"source": pin, "request": "3.12"},
                "uv": {"source": pin, "request": "3.12"},
                "mise": {"source": None, "request": None},
            },
        },
    }


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        ("9.9\n", 1, "9.9 (not installed)"),
        ("../x\n", 1, "../x"),
        ("\x1b[31m\n", 1, "can't be used: line 1 has control characters"),
        ("latest\n", 2, "latest"),
    ],
)
def test_an_error_is_explained_and_told(
    content: str, status: int, said: str, project: Path, world: ShimWorld, bubble: Bubble
) -> None:
    write(world.layout.global_pin, "3.11\n")
    (project / ".python-version").write_text(content)
    told = bubble("explain", cwd=project)
    assert told.status == status
    assert told.out.startswith("python:   nothing\n")
    (line,) = (line for line in told.out.splitlines() if line.startswith("  >"))
    assert line.endswith(said)
    assert told.err.startswith("error: ")
    document = bubble("explain", "--json", cwd=project).json
    assert (document["ok"], document["data"]["command"]) == (False, None)
    assert document["data"]["considered"][1]["verdict"] == "wins"


@pytest.mark.parametrize("source", ["variable", "global", "default", "tool", "project", "system"])
def test_each_kind_of_source_can_win(
    source: str, project: Path, world: ShimWorld, tmp_path: Path, bubble: Bubble
) -> None:
    write(f"{tmp_path}/system/python", "#!/bin/sh\n", 0o755)
    env = {"PATH": f"{world.layout.shims}:{tmp_path}/system:/usr/bin:/bin"}
    reason, name = "", "cpython-3.11.9"
    match source:
        case "variable":
            env["BUBBLE_PYTHON"] = "3.11"
            reason = "BUBBLE_PYTHON says 3.11"
        case "global":
            write(world.layout.global_pin, "3.11\n")
            reason = f"the global pin ({world.layout.global_pin}), line 1, says 3.11"
        case "tool":
            (project / ".tool-versions").write_text("python 3.11\n")
            reason = f"{project}/.tool-versions, line 1, says 3.11"
        case "project":
            (project / "pyproject.toml").write_text('[project]\nrequires-python = "==3.11.*"\n')
            reason = f"{project}/pyproject.toml, line 2, says ==3.11.*"
        case "default":
            reason, name = "nothing selects a Python, so the system's is used", ""
        case "system":
            (project / ".python-version").write_text("system\n")
            reason, name = f"{project}/.python-version, line 1, asks for the system's", ""
    told = bubble("explain", cwd=project, env=env).out.splitlines()
    assert told[1] == f"because:  {reason}" + f" ({name})" * bool(name)
    assert told[0] == bubble("which", "python", cwd=project, env=env).out.strip().join(
        ("python:   ", "")
    )


def test_it_says_where_the_shim_stands(
    project: Path, world: ShimWorld, tmp_path: Path, bubble: Bubble
) -> None:
    old(project / ".python-version", "3.11\n")
    other = tmp_path / "other"
    write(f"{other}/python", "#!/bin/sh\n", 0o755)

    def shim(path: str, name: str = "python") -> str:
        told = bubble("explain", name, cwd=project, env={"PATH": path}).out.splitlines()
        return told[2].removeprefix("shim:").strip()

    shims = world.layout.shims
    assert shim("/usr/bin") == "not on PATH, so a shell doesn't get here (bubble init --help)"
    assert shim(f"{other}:{shims}") == f"not reached: {other}/python comes before it on PATH"
    assert shim(shims, "ruff-or-not") == "none: no installed Python has ruff-or-not"
    assert shim(shims) == "asks bubble, since the first call here leaves a memo"
    env = {"PATH": f"{shims}:/usr/bin:/bin", "HOME": str(tmp_path)}
    assert world.run("python", str(project), env).returncode == 0
    assert shim(shims) == "knows this answer, and adds a millisecond"
    (project / ".tool-versions").write_text("nodejs 20\n")
    assert shim(shims) == "asks bubble, since something changed since the last call"
    old(project / ".python-version", "system\n")
    old(project / ".tool-versions", "nodejs 20\n")
    write(f"{tmp_path}/system/python", "#!/bin/sh\n", 0o755)
    path = f"{shims}:{tmp_path}/system:/usr/bin:/bin"
    assert world.run("python", str(project), {**env, "PATH": path}).returncode == 0
    assert shim(path) == "asks bubble, since the system's commands are looked up each time"


def test_a_memo_is_told_as_the_shim_sees_it(project: Path, tmp_path: Path) -> None:
    """Through changes of every kind: "present" exactly where the shim doesn't ask."""
    world = ShimWorld(str(tmp_path / "doubles"))
    world.install("cpython-3.11.9")
    world.install("cpython-3.12.1")
    below = project / "a/b"
    below.mkdir(parents=True)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    pin = project / ".python-version"
    seen = []

    def check(cwd: Path, **more: str) -> None:
        given = {**env, **more}
        state = replay(world.world(str(cwd), given)).state
        slow = world.run("python", str(cwd), given).stdout == "slow\n"
        assert (state == "present") == (not slow), (cwd, state)
        seen.append(state)

    def leave(cwd: Path, **more: str) -> None:
        world.resolve("python", str(cwd), {**env, **more}, leave=True)

    old(pin, "3.11\n")
    for cwd in (project, below):
        check(cwd)
        leave(cwd)
        check(cwd)
    old(pin, "3.11")
    check(below)
    old(pin, "3.11\n\n")
    check(below)
    old(pin, "3.12\n")
    check(below)
    leave(below)
    check(below)
    pin.write_text("3.12\n")
    check(below)
    old(pin, "3.12\n")
    old(project / "pyproject.toml", "[project]\n")
    check(below)
    leave(below)
    check(below)
    (project / "pyproject.toml").unlink()
    (project / "pyproject.toml").symlink_to("nothing")
    check(below)
    old(below / ".tool-versions", "nodejs 1\n")
    check(below)
    leave(below)
    check(below)
    (below / ".tool-versions").unlink()
    (below / ".tool-versions").symlink_to("nothing")
    check(below)
    for value in ("3.11", "3.11:3.12", "$(id)", ".global", "3.11 "):
        check(below, BUBBLE_PYTHON=value)
        if value[:2] == "3.":
            leave(below, BUBBLE_PYTHON=value)
            check(below, BUBBLE_PYTHON=value)
    shutil.rmtree(below)
    shutil.rmtree(project)
    project.mkdir()
    check(project)
    write(world.layout.global_pin, "3.11\n")
    os.utime(world.layout.global_pin, (1, 1))
    check(project)
    leave(project)
    check(project)
    world.changed()
    check(project)
    assert {seen.count(state) > 3 for state in ("present", "stale", "none")} == {True}


def test_an_environment_that_nobody_asks_is_named_with_what_mends_it(
    project: Path, world: ShimWorld, bubble: Bubble
) -> None:
    old(project / ".python-version", "3.12\n")
    below = project / "below"
    below.mkdir()
    for mark in (None, "0123456789abcdef"):  # which anybody could write
        (project / ".venv").mkdir(exist_ok=True)
        (project / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
        if mark:
            (project / ".venv" / MARK).write_text(f"{mark}\n")
        for directory in (project, below):
            told = bubble("explain", cwd=directory)
            assert told.status == 0
            assert f"{project}/.venv is not used" in told.err
            assert f"if you trust what is in it: bubble adopt {project}/.venv" in told.err
    assert os.path.isdir(world.layout.pythons)

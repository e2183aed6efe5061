"""A command that the selection doesn't have: whose runs, and whose is named."""

from __future__ import annotations

import os
import shlex
import sys

import pytest

from bubble.selection import registry
from bubble.system.layout import MARK
from support.shimworld import ShimWorld, write
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    """Make a store of doubles; 3.12.1 is the one that is chosen everywhere."""
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    made.install("cpython-3.11.7", "python3.11", "pip3.11")
    made.install("cpython-3.11.9", "python3.11", "pip3.11")
    made.install("cpython-3.12.1", "python3.12")
    write(made.layout.global_pin, "3.12\n")
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a directory that asks for 3.12 itself."""
    made = tmp_path / "project"
    made.mkdir()
    (made / ".python-version").write_text("3.12\n")
    return made


def environment(world: ShimWorld, name: str, *commands: str, project: str = "") -> str:
    """Register a double of an environment with the commands, and return its path."""
    path = f"{project}/.venv" if project else f"{world.layout.envs}/{name}"
    for command in ("python", *commands):
        write(f"{path}/bin/{command}", f"#!/bin/sh\necho from {name}\n", 0o755)
    write(f"{path}/pyvenv.cfg", "home = /usr/bin\n")
    write(f"{path}/{MARK}", f"{name}-identity\n")
    record = registry.Environment(
        path=path,
        name="" if project else name,
        project=project,
        identity=f"{name}-identity",
    )
    registry.register(world.layout, record)
    return path


def prefix(world: ShimWorld, version: str) -> str:
    (name,) = [n for n in os.listdir(world.layout.pythons) if n.startswith(f"cpython-{version}-")]
    return f"{world.layout.pythons}/{name}"


@pytest.mark.parametrize("name", ["python3.11", "pip3.11"])
def test_a_name_with_a_version_runs_the_newest_installed_of_that_version(
    bubble: Bubble, world: ShimWorld, project: Path, name: str
) -> None:
    newest = f"{world.layout.pythons}/3.11/bin/{name}"
    for cwd in (project, project.parent):
        assert bubble("which", name, cwd=cwd).out == f"{newest}\n"
    told = bubble("explain", name, cwd=project)
    assert told.out.splitlines()[0].endswith("/bin/" + name)
    assert "python3.11" not in bubble("current", cwd=project).out
    (project / ".python-version").write_text("3.11.7\n")
    assert bubble("which", name, cwd=project).out == f"{prefix(world, '3.11.7')}/bin/{name}\n"


def test_where_nobody_asks_for_anything_an_installed_version_is_before_the_systems(
    bubble: Bubble, world: ShimWorld, project: Path, tmp_path: Path
) -> None:
    """Who changes directory before running `python3.11` (pipx does) gets the same one."""
    os.unlink(world.layout.global_pin)
    write(f"{tmp_path}/system/python3.11", "#!/bin/sh\n", 0o755)
    write(f"{tmp_path}/system/python", "#!/bin/sh\n", 0o755)
    env = {"PATH": f"{world.layout.shims}:{tmp_path}/system:/usr/bin:/bin"}
    ours = f"{world.layout.pythons}/3.11/bin/python3.11\n"
    for cwd in (project, tmp_path):
        assert bubble("which", "python3.11", cwd=cwd, env=env).out == ours
    assert bubble("which", "python", cwd=tmp_path, env=env).out == f"{tmp_path}/system/python\n"
    (project / ".python-version").write_text("system\n")  # this one says it
    there = bubble("which", "python3.11", cwd=project, env=env)
    assert there.out == f"{tmp_path}/system/python3.11\n"


def test_it_never_runs_another_version_nor_where_the_choice_is_broken(
    bubble: Bubble, world: ShimWorld, project: Path
) -> None:
    for name in ("python3.10", "pip3.10", "pypy3.11", "python3.1"):
        done = bubble("which", name, cwd=project, env={"PATH": "/nonexistent"})
        assert done.status == 127, name
    (project / ".python-version").write_text("3.99\n")
    broken = bubble("which", "python3.11", cwd=project)
    assert broken.status == 1
    assert "3.99" in broken.err
    assert world.layout.pythons


def test_where_none_is_installed_the_systems_of_that_very_name_runs(
    bubble: Bubble, world: ShimWorld, project: Path, tmp_path: Path
) -> None:
    for name in ("python3.10", "pip3.10", "python3"):
        write(f"{tmp_path}/system/{name}", "#!/bin/sh\n", 0o755)
    env = {"PATH": f"{world.layout.shims}:{tmp_path}/system"}
    found = bubble("which", "python3.10", cwd=project, env=env)
    assert found.out == f"{tmp_path}/system/python3.10\n"
    assert bubble("which", "pip3.10", cwd=project, env=env).status == 127
    assert bubble("which", "python3", cwd=project, env=env).out.startswith(world.layout.pythons)


def test_not_found_names_environments_with_the_command_that_runs_it_there(
    bubble: Bubble, world: ShimWorld, project: Path
) -> None:
    environment(world, "tools", "tox")
    message, hint = one_error(bubble("which", "tox", cwd=project).err)
    assert "it is in tools" in message
    assert hint == "bubble run tools tox"
    done = bubble(*shlex.split(hint)[1:], cwd=project)
    assert done.out == "from tools\n"
    assert (project / ".python-version").read_text() == "3.12\n"


def test_not_found_of_a_python_that_has_it_changes_no_choice(
    bubble: Bubble, world: ShimWorld, project: Path
) -> None:
    world.install("cpython-3.11.9", "black")
    message, hint = one_error(bubble("which", "black", cwd=project).err)
    assert "it is in cpython-3.11.9" in message
    assert hint == "bubble exec -p cpython-3.11.9 black"
    assert bubble(*shlex.split(hint)[1:], cwd=project).status == 0


def test_whence_lists_environments_and_says_how_to_run_it(
    bubble: Bubble, world: ShimWorld, project: Path, tmp_path: Path
) -> None:
    path = environment(world, "tools", "tox")
    own = environment(world, "own", "tox", project=str(tmp_path / "a site"))
    done = bubble("whence", "tox", cwd=project)
    assert done.out.splitlines() == [f"tools  {path}/bin/tox", f"{own}  {own}/bin/tox"]
    assert done.err == "to run it there: bubble run tools tox\n"
    rows = bubble("whence", "tox", "--json", cwd=project).json["data"]
    assert [row["environment"] for row in rows] == ["tools", own]
    for row in rows:
        assert bubble(*shlex.split(row["run"])[1:], cwd=project).status == 0


def test_what_one_named_environment_has_runs_where_nothing_asks_for_a_python(
    bubble: Bubble, world: ShimWorld, project: Path, tmp_path: Path
) -> None:
    path = environment(world, "tools", "tox")
    assert bubble("which", "tox", cwd=tmp_path).out == f"{path}/bin/tox\n"
    os.unlink(world.layout.global_pin)
    assert bubble("which", "tox", cwd=tmp_path).out == f"{path}/bin/tox\n"
    assert bubble("which", "tox", cwd=project).status == 127
    assert bubble("which", "tox", cwd=tmp_path, env={"BUBBLE_PYTHON": "3.11"}).status == 127


def test_a_directory_chooses_no_environment_by_its_tools(
    bubble: Bubble, world: ShimWorld, tmp_path: Path
) -> None:
    own = environment(world, "own", "tox", project=str(tmp_path / "site"))
    assert bubble("which", "tox", cwd=tmp_path).status == 127, "a project's own serves it alone"
    stranger = tmp_path / "stranger"
    write(f"{stranger}/.venv/bin/tox", "#!/bin/sh\n", 0o755)
    write(f"{stranger}/.venv/pyvenv.cfg", "home = /usr/bin\n")
    assert str(stranger) not in bubble("whence", "tox", cwd=stranger).out
    path = environment(world, "tools", "tox")
    second = environment(world, "more", "tox")
    assert bubble("which", "tox", cwd=tmp_path).status == 127, "two have it"
    write(f"{second}/{MARK}", "another's\n")
    assert bubble("which", "tox", cwd=tmp_path).out == f"{path}/bin/tox\n"
    assert own not in bubble("which", "tox", cwd=tmp_path).out


def test_install_has_nothing_to_do_for_an_environment_that_is_there(
    bubble: Bubble, world: ShimWorld, project: Path
) -> None:
    environment(world, "site")
    for text, installed in (("site\n", []), ("site\n3.12\n", ["cpython-3.12.1"])):
        (project / ".python-version").write_text(text)
        done = bubble("python", "install", "--json", cwd=project)
        assert done.status == 0, done.out
        assert [row["key"].partition("-linux")[0] for row in done.json["data"]] == installed
        assert (
            "site is an environment that is there" in bubble("python", "install", cwd=project).err
        )
    (project / ".python-version").write_text("ghost\n")
    assert bubble("python", "install", cwd=project).status != 0

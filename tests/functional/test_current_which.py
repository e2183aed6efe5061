"""`bubble current`, `which`, `whence`, `python find` without a request, in odd surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.needs import NOT_ROOT, ROOT_ONLY
from support.shimworld import PLATFORM, ShimWorld, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("world")
PROGRAM = f"{os.path.dirname(sys.executable)}/bubble"


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    made.install("cpython-3.11.9", "black")
    made.install("cpython-3.12.1")
    made.install("cpython-3.13.0+freethreaded", "black")
    write(f"{tmp_path}/system/python", "#!/bin/sh\necho system\n", 0o755)
    write(f"{tmp_path}/system/tool", "#!/bin/sh\necho tool\n", 0o755)
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


def executable(world: ShimWorld, version: str, command: str = "python") -> str:
    """Return the path by which a minor version is handed out: its minor link's."""
    return f"{world.layout.pythons}/{version.rpartition('.')[0]}/bin/{command}"


def test_current_says_what_and_who_says_so(project: Path, world: ShimWorld, bubble: Bubble) -> None:
    pin = project / ".python-version"
    pin.write_text("# c\n3.11\n")
    assert bubble("current", cwd=project).out == f"cpython-3.11.9 (set by {pin})\n"
    told = bubble("current", "--json", cwd=project).json
    assert told == {
        "schema": 1,
        "ok": True,
        "data": {
            "answers": [
                {
                    "name": "cpython-3.11.9",
                    "prefix": os.path.dirname(os.path.dirname(executable(world, "3.11.9"))),
                    "executable": executable(world, "3.11.9"),
                    "request": "3.11",
                    "line": 2,
                }
            ],
            "missing": [],
            "shadowed_by": None,
            "source": {"kind": "file", "path": str(pin), "text": str(pin)},
        },
    }


def test_current_says_that_nothing_selects(project: Path, tmp_path: Path, bubble: Bubble) -> None:
    path = {"PATH": f"{tmp_path}/system:/usr/bin:/bin"}
    done = bubble("current", cwd=project, env=path)
    assert (done.status, done.out) == (0, "system (nothing selects a Python here)\n")
    (answer,) = bubble("current", "--json", cwd=project, env=path).json["data"]["answers"]
    assert answer == {
        "name": "system",
        "prefix": None,
        "executable": f"{tmp_path}/system/python",
        "request": None,
        "line": None,
    }


def test_current_lists_several_and_fails_for_a_missing_one(project: Path, bubble: Bubble) -> None:
    (project / ".python-version").write_text("3.12\n9.9\n3.11\n")
    done = bubble("current", cwd=project)
    assert [line.split(" ")[0] for line in done.out.splitlines()] == [
        "cpython-3.12.1",
        "cpython-3.11.9",
    ]
    assert done.status == 1
    assert done.err == (
        f"error: {project}/.python-version, line 2 asks for Python “9.9”, which isn't installed\n"
        "  hint: bubble python install 9.9\n"
    )
    told = bubble("current", "--json", cwd=project)
    assert (told.status, told.json["ok"]) == (1, False)
    assert told.json["error"]["kind"] == "not_installed"
    assert told.json["data"]["missing"] == ["9.9"]
    assert len(told.json["data"]["answers"]) == 2


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [("9.9\n", 1, "not_installed"), ("../x\n", 1, "version_file"), ("latest\n", 2, "request")],
)
@pytest.mark.parametrize("words", [("current",), ("which", "python"), ("python", "find")], ids=str)
def test_an_error_has_a_status_a_kind_and_its_place(
    words: tuple[str, ...], content: str, status: int, kind: str, project: Path, bubble: Bubble
) -> None:
    (project / ".python-version").write_text(content)
    done = bubble(*words, cwd=project)
    assert (done.status, done.out) == (status, "")
    assert f"{project}/.python-version, line 1" in done.err
    assert bubble(*words, "--json", cwd=project).json["error"]["kind"] == kind


def test_which_prints_the_path_that_runs(
    project: Path, world: ShimWorld, tmp_path: Path, bubble: Bubble
) -> None:
    (project / ".python-version").write_text("3.12\n3.11\n")
    path = {"PATH": f"{world.layout.shims}:{tmp_path}/system:/usr/bin:/bin"}
    assert bubble("which", "python", cwd=project).out == executable(world, "3.12.1") + "\n"
    assert bubble("which", "black", cwd=project).out == executable(world, "3.11.9", "black") + "\n"
    assert bubble("which", "tool", cwd=project, env=path).out == f"{tmp_path}/system/tool\n"
    told = bubble("which", "python", "--json", cwd=project).json["data"]
    assert told["path"] == executable(world, "3.12.1")
    missing = bubble("which", "ruff", cwd=project, env=path)
    assert missing.status == 127
    assert "into an environment: bubble create --with PACKAGE" in missing.err
    absent = bubble("which", "python3.8", cwd=project, env=path)
    assert absent.status == 127
    assert "bubble python install python3.8" in absent.err


def test_a_selected_system_skips_every_managers_shims(
    project: Path, world: ShimWorld, tmp_path: Path, bubble: Bubble
) -> None:
    other = tmp_path / "pyenv/shims"
    write(f"{other}/python", "#!/bin/sh\n", 0o755)
    (tmp_path / "linked").symlink_to(world.layout.shims)
    path = f"{tmp_path}/linked:{world.layout.shims}/:{other}:.:relative:{tmp_path}/system"
    (project / "python").write_text("#!/bin/sh\n")
    (project / "python").chmod(0o755)
    (project / ".python-version").write_text("system\n")
    for words in (("which", "python"), ("python", "find")):
        done = bubble(*words, cwd=project, env={"PATH": path})
        assert done.out == f"{tmp_path}/system/python\n"


def test_whence_lists_every_python_that_has_a_command(
    project: Path, world: ShimWorld, bubble: Bubble
) -> None:
    done = bubble("whence", "black", cwd=project)
    assert [line.split()[0] for line in done.out.splitlines()] == [
        "cpython-3.11.9",
        "cpython-3.13.0+freethreaded",
    ]
    told = bubble("whence", "black", "--json", cwd=project).json["data"]
    assert told[0]["path"] == f"{world.layout.python(f'cpython-3.11.9-{PLATFORM}')}/bin/black"
    assert bubble("whence", "ruff", cwd=project).status == 127


def test_find_without_a_request_prints_what_is_selected(
    project: Path, world: ShimWorld, bubble: Bubble
) -> None:
    assert bubble("python", "find", cwd=project).out == executable(world, "3.12.1") + "\n"
    (project / ".python-version").write_text("3.11\n")
    done = bubble("python", "find", "--json", cwd=project).json["data"]
    assert done == {
        "executable": executable(world, "3.11.9"),
        "key": f"cpython-3.11.9-{PLATFORM}",
    }
    assert bubble("python", "find", "3.12", cwd=project).out == executable(world, "3.12.1") + "\n"


# surroundings


def shim_and_commands(world: ShimWorld, cwd: Path | str, env: dict[str, str]) -> list[str]:
    """Return what the shim (asking, then knowing), `which` and `current` say, in `cwd`."""
    found = []
    shim = f"{world.layout.shims}/python"
    for words in ([shim], [shim], [PROGRAM, "which", "python"], [PROGRAM, "current"]):
        done = subprocess.run(
            words, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stderr == "", done
        found.append(done.stdout.strip().partition(" ")[0])
    return found


@pytest.mark.parametrize(
    "surroundings",
    [
        {},
        {"PATH": ""},
        {"HOME": ""},
        {"HOME": "/nonexistent"},
        {"HOME": "relative", "PATH": "/usr/bin"},
        {"LC_ALL": "C", "LANG": "tlh_TLH"},
        {"PYTHONHOME": "/nonexistent", "PYTHONPATH": "/nonexistent", "PYTHONSTARTUP": "/x"},
        {"__PYVENV_LAUNCHER__": "/nonexistent/python"},
        {"IFS": "/", "ENV": "/nonexistent", "BASH_ENV": "/nonexistent", "CDPATH": "/"},
    ],
    ids=str,
)
def test_the_surroundings_do_not_matter(
    surroundings: dict[str, str], project: Path, world: ShimWorld
) -> None:
    (project / ".python-version").write_text("3.11\n")
    python = executable(world, "3.11.9")
    surrounded = {"BUBBLE_HOME": world.layout.home, **surroundings}
    if any(name.startswith(("PYTHON", "__PYVENV")) for name in surroundings):
        # these are meant for every Python, so for the one that runs `bubble`, too; the shim is none
        shim = world.run("python", str(project), surrounded)
        assert shim.stdout.strip() == python
        return
    assert shim_and_commands(world, project, surrounded) == [python] * 3 + ["cpython-3.11.9"]


def test_a_home_without_a_variable_is_found(tmp_path: Path, bubble: Bubble) -> None:
    done = bubble("python", "dir", cwd=tmp_path, env={"HOME": None, "BUBBLE_HOME": None})
    assert (done.status, done.out.endswith("/bubble/pythons\n")) == (0, True)


def test_in_a_deleted_directory_the_variable_and_the_global_pin_count(
    project: Path, world: ShimWorld
) -> None:
    write(world.layout.global_pin, "3.11\n")
    gone = project / "gone"
    for variable, expected in (("", "3.11.9"), ("3.12", "3.12.1")):
        gone.mkdir()
        (gone / ".python-version").write_text("3.12\n")
        script = f"cd '{gone}' && rm -r '{gone}' && \"$@\""
        for words in ([f"{world.layout.shims}/python"], [PROGRAM, "which", "python"]):
            done = subprocess.run(
                ["bash", "-c", "mkdir -p '" + str(gone) + "'; " + script, "-", *words],
                cwd=project,
                env={
                    "PATH": "/usr/bin:/bin",
                    "BUBBLE_HOME": world.layout.home,
                    "BUBBLE_PYTHON": variable,
                },
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.stdout.strip() == executable(world, expected), done


@NOT_ROOT
def test_a_home_and_a_store_that_can_not_be_written_cost_the_memo_alone(
    project: Path, world: ShimWorld, tmp_path: Path
) -> None:
    (project / ".python-version").write_text("3.11\n")
    os.chmod(world.layout.home, 0o500)
    home = tmp_path / "locked"
    home.mkdir(mode=0o500)
    try:
        env = {"PATH": "/usr/bin:/bin", "HOME": str(home), "BUBBLE_HOME": world.layout.home}
        expected = [executable(world, "3.11.9")] * 3 + ["cpython-3.11.9"]
        assert shim_and_commands(world, project, env) == expected
    finally:
        os.chmod(world.layout.home, 0o700)
    assert not os.path.exists(world.layout.answer(str(project)))


@ROOT_ONLY
def test_a_project_of_another_user_is_a_project(project: Path, world: ShimWorld) -> None:
    (project / ".python-version").write_text("3.11\n")
    for path in (project, project / ".python-version"):
        os.chown(path, 12345, 12345)
    env = {"PATH": "/usr/bin:/bin", "BUBBLE_HOME": world.layout.home}
    expected = [executable(world, "3.11.9")] * 3 + ["cpython-3.11.9"]
    assert shim_and_commands(world, project, env) == expected


def test_a_command_that_a_directorys_environment_lacks_is_installed_there(
    project: Path, world: ShimWorld, tmp_path: Path, bubble: Bubble
) -> None:
    prefix = f"{world.layout.envs}/train"
    world.environment(prefix, "cpython-3.11.9", "bubble")
    world.register(prefix, "bubble", name="train")
    (project / ".python-version").write_text("train\n")
    path = {"PATH": f"{world.layout.shims}:{tmp_path}/system:/usr/bin:/bin"}
    missing = bubble("which", "ruff", cwd=project, env=path)
    assert missing.status == 127
    assert "into that environment: pip install PACKAGE" in missing.err

"""A Python that is asked for and isn't there: who may bring it, and how it is said."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from support.builds import small_mirror
from support.environments import adopt_python
from support.terminal import on_a_terminal
from support.told import one_error
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def project(bubble: Bubble, env: dict[str, str], tmp_path: Path) -> Path:
    """Make a project that asks for 3.11, where only 3.12 is installed; 3.11 can be had."""
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "mirror"), ["3.11.8", "3.12.1"])
    assert bubble("python", "install", "3.12").status == 0
    made = tmp_path / "project"
    made.mkdir()
    (made / ".python-version").write_text("3.11\n")
    return made


def run_shim(env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [f"{env['BUBBLE_HOME']}/shims/python", "-V"],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_users_setting_a_directory_only_names_the_one_command(
    project: Path, bubble: Bubble, env: dict[str, str]
) -> None:
    (project / "config.toml").write_text("auto-install = true\n")
    (project / ".config" / "bubble").mkdir(parents=True)
    (project / ".config" / "bubble" / "config.toml").write_text("auto-install = true\n")
    shim = run_shim({**env, "BUBBLE_AUTO_INSTALL": "1"}, project)
    assert shim.returncode == 127
    assert one_error(shim.stderr)[1] == "bubble python install 3.11"
    for words in (("exec", "python", "-V"), ("create", "--no-pip")):
        done = bubble(*words, cwd=project, env={"BUBBLE_AUTO_INSTALL": "1"})
        assert one_error(done.err)[1] == "bubble python install 3.11"


@pytest.mark.parametrize("how", ["shim", "exec", "option", "create", "use"])
def test_with_the_users_setting_it_is_brought(
    how: str, project: Path, bubble: Bubble, env: dict[str, str]
) -> None:
    assert bubble("config", "set", "auto-install", "true").status == 0
    if how == "shim":
        shims = run_shim(env, project), run_shim(env, project)
        assert [shim.returncode for shim in shims] == [0, 0], shims[0].stderr
        assert f"{project}/.python-version asks for Python 3.11: installing it" in shims[0].stderr
        assert (shims[1].stdout, shims[1].stderr) == (shims[0].stdout, "")
        return
    words = {
        "exec": ("exec", "python", "-V"),
        "option": ("exec", "-p", "3.11", "python", "-V"),
        "create": ("create", "--no-pip"),
        "use": ("use", "3.11"),
    }
    done = bubble(*words[how], cwd=project if how != "option" else "/")
    assert done.status == 0, done.err
    assert "cpython-3.11.8: installed" in done.err


def test_what_cannot_be_brought_is_said_and_the_error_stays(
    project: Path, bubble: Bubble, env: dict[str, str]
) -> None:
    assert bubble("config", "set", "auto-install", "true").status == 0
    (project / ".python-version").write_text("3.10\n")
    done = run_shim(env, project)
    assert done.returncode == 127
    assert "warning: it could not be installed: there is no 3.10" in done.stderr
    assert "error: " in done.stderr
    assert ".python-version, line 1 asks for Python “3.10”" in done.stderr
    (project / ".python-version").write_text("no-such-environment\n")
    done = run_shim(env, project)
    assert "installing it" not in done.stderr


@pytest.mark.parametrize(
    "line", ["create x -p 3.11 --install", "create x python=3.11 --install", "use 3.11 --install"]
)
def test_the_users_own_command_brings_it(line: str, project: Path, bubble: Bubble) -> None:
    done = bubble(*line.split(), *(["--no-pip"] if "create" in line else []), cwd=project)
    assert done.status == 0, done.err
    assert "cpython-3.11.8: installed" in done.err


def test_on_a_terminal_create_asks(project: Path, env: dict[str, str]) -> None:
    env = {**env, "TERM": "dumb"}
    for answer, ends in ((b"n\n", 1), (b"y\n", 0)):
        status, said = on_a_terminal(["create", "--no-pip"], answer, project, env)
        assert "Python 3.11 is not installed. Install it now? [y/N]" in said
        assert status == ends, said


def test_condas_spelling_is_a_request_and_an_environment_has_one_python(
    project: Path, bubble: Bubble
) -> None:
    done = bubble("create", "site", "python=3.12", "--no-pip", "--json")
    assert done.json["data"]["python"].startswith("cpython-3.12.1-")
    assert bubble("use", "python=3.12", cwd=project).status == 0
    assert (project / ".python-version").read_text() == "3.12\n"
    (project / ".python-version").write_text("python=3.12\n")
    assert "cpython-3.12.1" in bubble("current", cwd=project).out
    done = bubble("create", "other", "-p", "3.11", "python=3.12")
    assert (done.status, one_error(done.err)[1]) == (2, "say it once: -p VERSION")
    done = bubble("create", "numpy=1.26")
    assert "bubble create --with 'numpy==1.26.*'" in done.err


def test_default_packages_are_in_every_environment_with_pip(
    bubble: Bubble, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "wheels").mkdir()
    wheel(str(tmp_path / "wheels"), "alpha", "1.0")
    wheel(str(tmp_path / "wheels"), "beta", "1.0")
    env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}
    adopt_python(bubble)
    assert bubble("config", "set", "default-packages", "alpha").status == 0
    done = bubble("create", "one", "beta", "--installer", "pip")
    assert done.status == 0, done.err
    assert "with your default packages: alpha" in done.err
    assert bubble("export", "one").out == "alpha==1.0\nbeta==1.0\n"
    for words in (("--no-pip",), ("--no-default-packages",)):
        assert bubble("create", "two", "--force", "--yes", *words).status == 0
        assert bubble("export", "two").out == ""

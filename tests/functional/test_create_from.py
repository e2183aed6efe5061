"""`bubble create` from what people have: pipes, addresses, a project to work on, constraints."""

from __future__ import annotations

import glob
import os
import subprocess

import pytest

from support.clinic import program
from support.editable_project import BACKEND, PROJECT
from support.environments import adopt_python
from support.needs import real_uv
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer

    Bubble = Callable[..., Result]


class Scene:
    """A project in `root` with demo 1.0 and 2.0 to be had, and an interpreter."""

    def __init__(self, bubble: Bubble, env: dict[str, str], root: str) -> None:
        self.bubble, self.env, self.root = bubble, env, root
        adopt_python(bubble)
        os.makedirs(f"{root}/links")
        for version in ("1.0", "2.0"):
            wheel(f"{root}/links", "demo", version)
        wheel(f"{root}/links", "other", "1.0")
        env |= {
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": f"{root}/links",
            "UV_CACHE_DIR": f"{root}/uv-cache",
        }
        self.write("pyproject.toml", PROJECT)
        self.write("backend.py", BACKEND)
        self.write("src/mine.py", "")
        self.program = f"{root}/bin/bubble"
        program(self.program, 'exec "$BUBBLE" "$@"')

    def write(self, name: str, text: str) -> str:
        path = f"{self.root}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        import sys

        command = os.path.join(os.path.dirname(sys.executable), "bubble")
        return subprocess.run(
            ["bash", "-c", script],
            env={**self.env, "BUBBLE": command, "PATH": f"{self.root}/bin:{self.env['PATH']}"},
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )

    def has(self) -> list[str]:
        """Return what `.venv` has, and that nothing of the making is left in it."""
        assert not glob.glob(f"{self.root}/.venv/.bubble-lock")
        found = glob.glob(f"{self.root}/.venv/lib/*/site-packages/*.dist-info")
        names = [os.path.basename(path).removesuffix(".dist-info") for path in found]
        return sorted(name for name in names if not name.startswith("pip-"))


@pytest.fixture(params=["pip", "uv"])
def installer(request: pytest.FixtureRequest, env: dict[str, str], tmp_path: Path) -> str:
    name: str = request.param
    if name == "uv":
        os.makedirs(tmp_path / "tools")
        os.symlink(real_uv(), tmp_path / "tools" / "uv")
        env["PATH"] = f"{tmp_path}/tools:{env['PATH']}"
    return name


@pytest.fixture
def scene(bubble: Bubble, env: dict[str, str], tmp_path: Path) -> Scene:
    return Scene(bubble, env, str(tmp_path))


FORMS = {
    "standard input": "printf 'demo\\n' | bubble create -r -",
    "its file": "printf 'demo\\n' | bubble create -r /dev/stdin",
    "a file as standard input": "bubble create -r - < r.txt",
    "a substitution": "bubble create -r <(printf 'demo\\n')",
    "two substitutions": "bubble create -r <(echo demo) -r <(echo other) && rm -r .venv/lib/*/*/o*",
    "a FIFO": "mkfifo f && { echo demo >f & } && bubble create -r f",
    "a file address": 'bubble create -r "file://$PWD/sp%20ace.txt"',
    "nested in a pipe": "echo '-r r.txt' | bubble create -r -",
    "UTF-16 in a pipe": "printf '\\xff\\xfed\\0e\\0m\\0o\\0' | bubble create -r -",
    "constraints": "bubble create demo -c c.txt --with demo",
    "constraints in a pipe": "bubble create --with demo -c <(echo 'demo<2')",
}


@pytest.mark.parametrize("form", FORMS)
def test_requirements_come_from_what_a_shell_can_give(
    scene: Scene, installer: str, form: str
) -> None:
    for name in ("r.txt", "sp ace.txt"):
        scene.write(name, "demo\n")
    scene.write("c.txt", "demo<2\n")
    command = FORMS[form].replace("bubble create", f"bubble create --installer {installer}")
    if form == "constraints":
        command = command.replace(" demo ", " ")
    done = scene.shell(command)
    assert done.returncode == 0, done.stderr
    assert scene.has() == ["demo-1.0" if form.startswith("constraints") else "demo-2.0"]


def test_requirements_come_from_a_server(scene: Scene, installer: str, server: FaultServer) -> None:
    assert server.directory
    with open(f"{server.directory}/r.txt", "w", encoding="utf-8") as file:
        file.write("demo<2\n")
    words = ("create", "-r", f"{server.url}/r.txt", "--installer", installer)
    done = scene.bubble(*words, cwd=scene.root)
    assert done.status == 0, done.err
    assert scene.has() == ["demo-1.0"]


@pytest.mark.parametrize(
    ("words", "has"),
    [
        (("-e", "."), ["mine-1.0"]),
        (("-e", ".[dev]"), ["demo-2.0", "mine-1.0"]),
        (("-e", "./[dev]", "-c", "c.txt"), ["demo-1.0", "mine-1.0"]),
        (("-e", "./in a dir[dev]"), ["demo-2.0", "mine-1.0"]),
        (("--editable=.", "-r", "r.txt", "--with", "other"), ["demo-2.0", "mine-1.0", "other-1.0"]),
    ],
)
def test_a_project_is_installed_to_be_worked_on(
    scene: Scene, installer: str, words: tuple[str, ...], has: list[str]
) -> None:
    scene.write("r.txt", "demo\n")
    scene.write("c.txt", "demo<2\n")
    where = scene.root
    if "in a dir" in words[1]:
        where = f"{scene.root}/in a dir"
        os.makedirs(where)
        for name in ("pyproject.toml", "backend.py", "src"):
            os.rename(f"{scene.root}/{name}", f"{where}/{name}")
    done = scene.bubble("create", *words, "--installer", installer, cwd=scene.root)
    assert done.status == 0, done.err
    assert scene.has() == has
    ran = subprocess.run(
        [f"{scene.root}/.venv/bin/python", "-c", "import mine; print(mine.__file__)"],
        capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    assert ran.stdout == f"{where}/src/mine.py\n"


def test_what_is_there_already_is_told_how_to_get_it_as_well(scene: Scene) -> None:
    assert scene.bubble("create", cwd=scene.root).status == 0
    done = scene.bubble("create", "-e", ".[dev]", cwd=scene.root)
    assert done.status == 1
    assert f"bubble run .venv pip install -e '{scene.root}[dev]'" in done.err


def test_what_is_no_requirements_makes_nothing(scene: Scene) -> None:
    scene.write("environment.yml", "name: x\ndependencies: [python]\n")
    done = scene.bubble("create", "-r", "environment.yml", cwd=scene.root)
    assert done.status == 2
    assert "bubble import environment.yml" in done.err
    done = scene.bubble("create", "-r", "pyproject.toml", "--force", cwd=scene.root)
    assert done.status == 2
    assert "bubble create -e ." in done.err
    assert not os.path.lexists(f"{scene.root}/.venv")


def test_another_file_than_the_one_that_was_locked_is_an_error_of_its_own(
    scene: Scene, installer: str
) -> None:
    scene.write("r.txt", f"demo==2.0 --hash=sha256:{'0' * 64}\n")
    done = scene.bubble("create", "-r", "r.txt", "--installer", installer, "--json", cwd=scene.root)
    error = done.json["error"]
    assert error["kind"] == "checksum"
    assert "find out why" in error["hint"]
    assert "other" not in error["hint"].partition("files")[2]
    assert not os.path.lexists(f"{scene.root}/.venv")

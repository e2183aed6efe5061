"""Commands without a name mean the environment that `python` is in, as the directory selects it."""

from __future__ import annotations

import os
import subprocess

import pytest

from support.environments import adopt_python, create
from support.needs import needs
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


class Scene:
    """A project with its own environment, one called `named`, and directories that ask for it."""

    def __init__(self, bubble: Bubble, env: dict[str, str], root: str) -> None:
        self.bubble, self.root, self.env = bubble, root, env
        self.minor = adopt_python(bubble).rpartition(".")[0]
        self.project = f"{root}/project"
        os.makedirs(f"{self.project}/sub/deep")
        os.makedirs(f"{root}/bare")
        self.own = create(bubble, "", "--no-pip", "-p", self.minor, cwd=self.project)
        self.named = create(bubble, "named", "--no-pip", "-p", self.minor)

    def pin(self, directory: str, text: str) -> str:
        with open(f"{directory}/.python-version", "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
        return directory

    def python(self, directory: str) -> str:
        """Return the prefix that the selection gives a directory."""
        done = self.bubble("current", "--json", cwd=directory)
        assert done.status == 0, done.err
        return str(done.json["data"]["answers"][0]["prefix"])

    def info(self, directory: str) -> str:
        done = self.bubble("info", "--json", cwd=directory)
        assert done.status == 0, done.err
        return str(done.json["data"]["path"])


@pytest.fixture
def scene(bubble: Bubble, env: dict[str, str], tmp_path: Path) -> Scene:
    return Scene(bubble, env, str(tmp_path))


def test_what_the_nearest_file_names_comes_before_an_environment_above(scene: Scene) -> None:
    sub = scene.pin(f"{scene.project}/sub", "named")
    deep = f"{sub}/deep"
    for directory, path in ((sub, scene.named), (deep, scene.named), (scene.project, scene.own)):
        assert scene.python(directory) == scene.info(directory) == path


def test_a_plain_python_leaves_the_nearest_environment(scene: Scene) -> None:
    sub = scene.pin(f"{scene.project}/sub", scene.minor)
    assert scene.info(f"{sub}/deep") == scene.own


def test_the_variable_and_the_global_pin_select_as_well(scene: Scene) -> None:
    bare = f"{scene.root}/bare"
    assert "no environment belongs to" in scene.bubble("info", cwd=bare).err
    assert scene.bubble("use", "named", "--global").status == 0
    assert scene.python(bare) == scene.info(bare) == scene.named
    assert scene.info(scene.project) == scene.own
    for value in ("named", scene.named, f"{scene.named}/bin/python"):
        scene.env["BUBBLE_PYTHON"] = value
        assert scene.info(scene.project) == scene.named


def test_each_command_follows(scene: Scene) -> None:
    sub = scene.pin(f"{scene.project}/sub", "named")
    site = next(
        f"{scene.named}/lib/{name}/site-packages" for name in os.listdir(f"{scene.named}/lib")
    )
    os.makedirs(f"{site}/ipykernel-9.dist-info")
    with open(f"{site}/ipykernel_launcher.py", "w", encoding="utf-8"):
        pass
    with open(f"{site}/ipykernel-9.dist-info/METADATA", "w", encoding="utf-8") as file:
        file.write("Name: ipykernel\nVersion: 9\n")
    assert scene.bubble("export", cwd=sub).out == "ipykernel==9\n"
    done = scene.bubble("kernel", "install", "--json", cwd=sub)
    assert done.status == 0, done.err
    assert done.json["data"]["environment"] == scene.named
    done = scene.bubble("repair", "--json", cwd=sub)
    assert done.status == 0, done.err
    assert done.json["data"]["path"] == scene.named
    assert scene.bubble("repair", "--json", cwd=scene.project).json["data"]["path"] == scene.own


def test_a_name_of_nothing_is_told_and_no_other_one_is_taken(scene: Scene) -> None:
    sub = scene.pin(f"{scene.project}/sub", "nobody")
    for command in ("info", "export", "repair"):
        done = scene.bubble(command, cwd=sub)
        assert done.status == 2
        assert "names “nobody”" in done.err
        assert done.out == ""


def test_two_of_one_directory_are_told_and_the_hint_ends_it(scene: Scene) -> None:
    scene.pin(scene.project, "named")
    for command in ("export", "info", "current"):
        done = scene.bubble(command, cwd=scene.project)
        assert done.status == 1
        assert "asks for “named”" in done.err
        assert "bubble remove .venv" in done.err
        assert f"bubble use {scene.minor}" in done.err
    assert scene.bubble("use", scene.minor, cwd=scene.project).status == 0
    assert scene.info(scene.project) == scene.own


def test_a_directory_that_has_a_named_one_gets_no_other_beside_it(scene: Scene) -> None:
    bare = scene.pin(f"{scene.root}/bare", "named")
    for words in (("create",), ("create", "-p", scene.minor), ("create", "--force")):
        done = scene.bubble(*words, cwd=bare)
        assert done.status == 1
        assert "gives this directory the environment named" in done.err
        assert not os.path.exists(f"{bare}/.venv")
    assert scene.bubble("use", scene.minor, cwd=bare).status == 0
    assert scene.bubble("create", "--no-pip", cwd=bare).status == 0
    assert scene.info(bare) == f"{bare}/.venv"
    # what has a name is for the whole machine, and needs only to be told its Python
    scene.pin(bare, "named")
    assert scene.bubble("create", "other", "--no-pip", "-p", scene.minor, cwd=bare).status == 0


@needs("bash", "zsh", "dash", "fish")
@pytest.mark.parametrize("shell", ["bash", "zsh", "dash", "fish"])
def test_activation_without_a_name_follows_too(scene: Scene, shell: str) -> None:
    sub = scene.pin(f"{scene.project}/sub", "named")
    kind = "sh" if shell == "dash" else shell
    code = scene.bubble("init", kind).out
    script = f"{code}\n"
    for directory in (sub, scene.project, f"{scene.root}/bare"):
        script += f'cd {directory}\nbubble activate\necho "$VIRTUAL_ENV."\n'
        script += "bubble deactivate\n" if directory != f"{scene.root}/bare" else ""
    path = scene.root + f"/{shell}.script"
    with open(path, "w", encoding="utf-8") as file:
        file.write(script)
    done = subprocess.run(
        [shell, path], env=scene.env, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.stdout.splitlines() == [f"{scene.named}.", f"{scene.own}.", "."]
    assert "no environment belongs to" in done.stderr

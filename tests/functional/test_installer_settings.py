"""A user's configuration of pip decides the same whichever installer runs, and where packages go.

Real pip and real uv, with indexes in directories: `low` has demo 1.0 and 3.0, `high` 2.0 and 4.0,
`links` 9.0, and `none` has nothing.
"""

from __future__ import annotations

import glob
import os
import shutil
import stat

import pytest

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

SECRET = "hunter2-canary"


class Scene:
    """Indexes below `root`, a user without any configuration, and a uv on PATH."""

    def __init__(self, bubble: Bubble, env: dict[str, str], root: str) -> None:
        self.bubble, self.env, self.root = bubble, env, root
        for index, versions in {"low": ("1.0", "3.0"), "high": ("2.0", "4.0"), "none": ()}.items():
            os.makedirs(f"{root}/{index}/demo")
            files = [wheel(f"{root}/{index}/demo", "demo", version) for version in versions]
            names = [os.path.basename(path) for path in files]
            with open(f"{root}/{index}/demo/index.html", "w", encoding="utf-8") as page:
                page.writelines(f'<a href="{name}">{name}</a>\n' for name in names)
        os.makedirs(f"{root}/links")
        wheel(f"{root}/links", "demo", "9.0")
        for name in ("PIP_CONFIG_FILE", "PIP_NO_INDEX", "PIP_FIND_LINKS"):
            env.pop(name, None)
        os.makedirs(f"{root}/tools", exist_ok=True)
        os.symlink(real_uv(), f"{root}/tools/uv")
        env |= {
            "HOME": f"{root}/home",
            "XDG_CONFIG_HOME": f"{root}/home/.config",
            "XDG_CONFIG_DIRS": f"{root}/machine",
            "UV_CACHE_DIR": f"{root}/uv-cache",
            "PIP_NO_CACHE_DIR": "1",
            "PATH": f"{root}/tools:{env['PATH']}",
        }

    def say(self, **variables: str) -> None:
        self.env |= {n: v.replace("@", f"file://{self.root}/") for n, v in variables.items()}

    def configure(self, path: str, text: str) -> str:
        path = f"{self.root}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("@", f"file://{self.root}/").replace("%", self.root))
        return path

    def create(self, *arguments: str, installer: str = "") -> Result:
        chosen = ("--installer", installer) if installer else ()
        return self.bubble("create", "t", *arguments, *chosen, cwd=self.root)

    def got(self, *arguments: str, installer: str = "") -> str:
        """Return the version of demo that a new environment has, or the kind of its error."""
        done = self.create(*(arguments or ("demo",)), installer=installer)
        if done.status:
            return "nothing"
        files = glob.glob(f"{self.env['BUBBLE_HOME']}/envs/t/lib/*/site-packages/demo-*.dist-info")
        assert self.bubble("remove", "t").status == 0
        [path] = files
        return os.path.basename(path).split("-")[1].removesuffix(".dist")


@pytest.fixture
def scene(bubble: Bubble, env: dict[str, str], tmp_path: Path) -> Scene:
    adopt_python(bubble)
    return Scene(bubble, env, str(tmp_path))


VARIABLES = {
    "an index": ({"PIP_INDEX_URL": "@low"}, "3.0"),
    "another's newer version": ({"PIP_INDEX_URL": "@low", "PIP_EXTRA_INDEX_URL": "@high"}, "4.0"),
    "the default's": ({"PIP_INDEX_URL": "@high", "PIP_EXTRA_INDEX_URL": "@low"}, "4.0"),
    "links": ({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "@links"}, "9.0"),
    "links beside": ({"PIP_INDEX_URL": "@low", "PIP_FIND_LINKS": "links"}, "9.0"),
    "no index": ({"PIP_NO_INDEX": "1", "PIP_INDEX_URL": "@low"}, "nothing"),
    "an index that counts": ({"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "@low"}, "3.0"),
    "constraints": ({"PIP_INDEX_URL": "@low", "PIP_CONSTRAINT": "c.txt"}, "1.0"),
    "no wheels": ({"PIP_INDEX_URL": "@low", "PIP_NO_BINARY": ":all:"}, "nothing"),
    "wheels": ({"PIP_INDEX_URL": "@low", "PIP_ONLY_BINARY": "demo,other"}, "3.0"),
    "hashes": ({"PIP_INDEX_URL": "@low", "PIP_REQUIRE_HASHES": "1"}, "nothing"),
    "elsewhere": ({"PIP_INDEX_URL": "@low", "PIP_TARGET": "/nothing", "PIP_USER": "1"}, "3.0"),
    "another's word for a switch": ({"PIP_INDEX_URL": "@low", "PIP_QUIET": "2"}, "3.0"),
    "only what pip knows": ({"PIP_INDEX_URL": "@low", "PIP_PREFER_BINARY": "1"}, "3.0"),
}
FILES = {
    "the user's": ("home/.config/pip/pip.conf", "[global]\nindex-url = @low\n", "3.0"),
    "the user's old one": ("home/.pip/pip.conf", "[global]\nindex_url = @low\n", "3.0"),
    "the machine's": ("machine/pip/pip.conf", "[install]\n--index-url = @low\n", "3.0"),
    "install outweighs global": (
        "home/.config/pip/pip.conf",
        "[install]\nindex-url = @low\n[global]\nindex-url = @high\n[download]\nindex-url=@none\n",
        "3.0",
    ),
    "several lines": (
        "home/.config/pip/pip.conf",
        "[global]\nindex-url = @none\nextra-index-url =\n  @low\n  @high\n",
        "4.0",
    ),
    "target": ("home/.pip/pip.conf", "[install]\ntarget = %/out\nindex-url=@low\n", "3.0"),
    "prefix": ("home/.pip/pip.conf", "[install]\nprefix = %/out\nindex-url=@low\n", "3.0"),
    "root": ("home/.pip/pip.conf", "[global]\nroot = %/out\nindex-url=@low\n", "3.0"),
    "user": ("home/.pip/pip.conf", "[install]\nuser = true\nindex-url=@low\n", "3.0"),
    "dry run": ("home/.pip/pip.conf", "[install]\ndry-run = yes\nindex-url=@low\n", "3.0"),
    "virtualenv": (
        "home/.pip/pip.conf", "[global]\nrequire-virtualenv = 1\nindex-url=@low\n", "3.0"
    ),
    "python": ("home/.pip/pip.conf", "[global]\npython = /nothing\nindex-url=@low\n", "3.0"),
}  # fmt: skip


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("case", VARIABLES)
def test_pips_variables_decide_for_either_installer(
    scene: Scene, case: str, installer: str
) -> None:
    variables, expected = VARIABLES[case]
    scene.configure("c.txt", "demo<3\n")
    scene.say(**variables)
    if case == "only what pip knows" and installer == "uv":
        done = scene.create("demo", installer="uv")
        assert "uv can't be told" in done.err
        assert "prefer-binary of PIP_PREFER_BINARY" in done.err
        assert "--installer pip" in done.err
        return
    assert scene.got(installer=installer) == expected


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("case", FILES)
def test_pips_files_decide_for_either_installer_and_send_nothing_elsewhere(
    scene: Scene, case: str, installer: str
) -> None:
    path, text, expected = FILES[case]
    scene.configure(path, text)
    assert scene.got(installer=installer) == expected
    assert not os.path.exists(f"{scene.root}/out")
    assert not glob.glob(f"{scene.root}/home/.local/lib/*/site-packages/*")


def test_where_nobody_chose_pip_is_taken_for_what_uv_can_not_be_told(scene: Scene) -> None:
    scene.say(PIP_INDEX_URL="@low", PIP_PREFER_BINARY="1")
    assert scene.got() == "3.0"
    assert scene.create("demo", "--no-pip").status == 2
    del scene.env["PIP_PREFER_BINARY"]
    assert scene.create("demo", "--no-pip").status == 0  # by uv


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_the_file_that_the_variable_names_takes_the_users_place(
    scene: Scene, installer: str
) -> None:
    scene.configure("home/.config/pip/pip.conf", "[global]\nindex-url = @high\n")
    scene.say(PIP_CONFIG_FILE=scene.configure("own.conf", "[global]\nindex-url = @low\n"))
    assert scene.got(installer=installer) == "3.0"
    scene.say(PIP_INDEX_URL="@high")
    assert scene.got(installer=installer) == "4.0"
    scene.env.pop("PIP_INDEX_URL")
    scene.say(PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1")
    assert scene.got(installer=installer) == "nothing"


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_file_that_pip_can_not_read_is_told(scene: Scene, installer: str) -> None:
    scene.configure("home/.config/pip/pip.conf", "index-url = @low\n")
    done = scene.create("demo", installer=installer)
    assert done.status == 2
    assert "pip.conf can't be read" in done.err


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_requirement_files_own_index_takes_the_place_of_the_users(
    scene: Scene, installer: str
) -> None:
    scene.say(PIP_INDEX_URL="@high")
    scene.configure("r.txt", "--index-url @low\ndemo\n")
    assert scene.got("-r", "r.txt", installer=installer) == "3.0"


def test_what_is_said_to_uv_itself_outweighs_what_is_said_to_pip(scene: Scene) -> None:
    scene.say(PIP_INDEX_URL="@low", PIP_EXTRA_INDEX_URL="@low", UV_DEFAULT_INDEX="@high")
    assert (scene.got(installer="uv"), scene.got(installer="pip")) == ("4.0", "3.0")
    del scene.env["UV_DEFAULT_INDEX"]
    path = scene.configure("home/.config/uv/uv.toml", 'index-url = "@high"\n')
    assert scene.got(installer="uv") == "4.0"
    os.unlink(path)


@pytest.mark.parametrize("path", ["uv.toml", "pyproject.toml"])
@pytest.mark.parametrize("index", ['index-url = "@high"\n', '[[index]]\nurl = "@high"\n', ""])
def test_a_repositorys_word_to_uv_is_not_the_users(scene: Scene, path: str, index: str) -> None:
    section = "tool.uv." if path == "pyproject.toml" else ""
    tool = "[tool.uv]\n" if path == "pyproject.toml" and index.startswith("index-url") else ""
    text = f'{tool}{index.replace("[[", "[[" + section)}[{section}pip]\ntarget = "%/out"\n'
    scene.configure(path, text)
    scene.say(PIP_INDEX_URL="@low")
    assert scene.got(installer="uv") == scene.got(installer="pip") == "3.0"
    assert not os.path.exists(f"{scene.root}/out")


def test_uvs_own_configuration_sends_nothing_elsewhere(scene: Scene) -> None:
    path = "home/.config/uv/uv.toml"
    scene.configure(path, '[pip]\ntarget = "%/out"\n')
    scene.say(PIP_INDEX_URL="@low")
    done = scene.create("demo", installer="uv")
    assert done.status == 2
    assert f"target of uv's {scene.root}/{path}" in done.err
    assert scene.got() == "3.0"  # by pip
    assert not os.path.exists(f"{scene.root}/out")


def test_credentials_are_in_nobodys_arguments(scene: Scene) -> None:
    log = f"{scene.root}/argv"
    os.unlink(f"{scene.root}/tools/uv")
    path = scene.configure("tools/uv", f'#!/bin/sh\necho "$*" >>{log}\nenv >>{log}.env\nexit 1\n')
    os.chmod(path, stat.S_IRWXU)
    scene.env["PIP_INDEX_URL"] = f"https://me:{SECRET}@index.example/simple"
    scene.env["PIP_EXTRA_INDEX_URL"] = f"https://me:{SECRET}@other.example/simple"
    done = scene.create("demo", "-r", f"https://me:{SECRET}@files.example/r.txt")
    assert SECRET not in done.err
    with open(log, encoding="utf-8") as file:
        assert SECRET not in file.read()
    with open(f"{log}.env", encoding="utf-8") as file:
        text = file.read()
    assert f"UV_DEFAULT_INDEX=https://me:{SECRET}@index.example/simple\n" in text
    assert f"UV_INDEX=https://me:{SECRET}@other.example/simple\n" in text


# without the network


OFFLINE = {
    "links": ({"PIP_FIND_LINKS": "@links"}, ("demo",), "9.0"),
    "a directory's index": ({"PIP_INDEX_URL": "@low"}, ("demo",), "3.0"),
    "a directory's further index": (
        {"PIP_INDEX_URL": "https://index.example/", "PIP_EXTRA_INDEX_URL": "@high"},
        ("demo",),
        "4.0",
    ),
    "nothing": ({}, ("demo",), "nothing"),
    "a server": ({"PIP_INDEX_URL": "SERVER"}, ("demo",), "nothing"),
    "a server's links": ({"PIP_FIND_LINKS": "SERVER"}, ("demo",), "nothing"),
    "an address": ({}, ("demo @ SERVER/demo-1.0-py3-none-any.whl",), "nothing"),
    "a file's address": ({}, ("-r", "r.txt"), "nothing"),
    "a file at an address": ({}, ("-r", "SERVER/r.txt"), "nothing"),
    "a file's index": ({}, ("-r", "i.txt"), "nothing"),
    "a repository": ({}, ("git+SERVER/demo",), "nothing"),
}


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("case", OFFLINE)
def test_offline_no_installer_asks_anybody(
    scene: Scene, case: str, installer: str, server: FaultServer
) -> None:
    url = server.url
    variables, arguments, expected = OFFLINE[case]
    scene.say(**{n: v.replace("SERVER", url) for n, v in variables.items()}, BUBBLE_OFFLINE="1")
    with open(f"{scene.root}/r.txt", "w", encoding="utf-8") as file:
        file.write(f"demo @ {url}/demo-1.0-py3-none-any.whl\n")
    with open(f"{scene.root}/i.txt", "w", encoding="utf-8") as file:
        file.write(f"--index-url {url}/simple\ndemo\n")
    words = [word.replace("SERVER", url) for word in arguments]
    done = scene.create(*words, installer=installer)
    if expected == "nothing":
        assert "error: " in done.err
        assert "BUBBLE_OFFLINE" in done.err
    else:
        assert done.status == 0, done.err
    assert server.log == []


def test_scene_has_what_it_says(scene: Scene) -> None:
    """Without a configuration that forbids it, the server and the indexes would be asked."""
    scene.say(PIP_INDEX_URL="@low", UV_NO_CACHE="1")
    assert scene.got(installer="uv") == scene.got(installer="pip") == "3.0"
    shutil.rmtree(f"{scene.root}/low")
    assert scene.got(installer="uv") == scene.got(installer="pip") == "nothing"

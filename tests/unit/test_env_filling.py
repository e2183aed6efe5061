"""How uv is told which environment to fill, and how pip gets there beside it.

uv is a **double** here, a sh script, and so is what plants pip.
"""

from __future__ import annotations

import os
import sys

import pytest

from support.filling import Pip, Site
from support.handmade import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout


@pytest.fixture
def site(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/nothing/python")  # no uv lies beside it
    return Site(layout, f"{tmp_path}/tools")


@pytest.mark.parametrize(
    ("more", "file", "asked"),
    [
        ({}, "", True),
        ({"UV_NO_BUILD_ISOLATION": "1"}, "", False),
        ({"UV_NO_BUILD_ISOLATION_PACKAGE": "a"}, "", False),
        ({"PIP_NO_BUILD_ISOLATION": "1"}, "", False),
        ({}, "no-build-isolation-package = ['a']", False),
        ({}, "[pip]\nno-build-isolation = true", False),
    ],
)
def test_uv_asks_the_interpreter_below_unless_packages_are_built_in_the_environment(
    site: Site, tmp_path: Path, more: dict[str, str], file: str, *, asked: bool
) -> None:
    site.uv(f'echo "$*" >> {site.log}')
    settings = {"UV_CONFIG_FILE": write(f"{tmp_path}/uv.toml", file), **more}
    site.install("a", interpreter="/store/python3", env=settings)
    below = f"--python /store/python3 --prefix {site.root}"
    where = below if asked else f"--python {site.root}/bin/python"
    assert site.said() == [f"pip install {where} a"]


def test_what_uv_locks_while_it_works_does_not_stay(site: Site) -> None:
    site.uv(f"umask 0; : > {site.root}/.lock; chmod 666 {site.root}/.lock")
    site.install("a", interpreter="/store/python3")
    assert ".lock" not in os.listdir(site.root)


def test_while_uv_works_pip_is_made_beside_and_comes_last(site: Site, tmp_path: Path) -> None:
    steps: list[str] = []
    gate = f"{tmp_path}/gate"
    os.mkfifo(gate)

    class Stepping(Pip):
        def plant(self) -> None:
            steps.append("plant")

        def plant_beside(self, directory: str) -> None:
            assert os.path.dirname(directory) == f"{site.root}/.bubble-lock"
            steps.append("beside")
            with open(gate, "wb"):  # which opens when uv reads, and lets it go on
                pass

        def move_in(self) -> None:
            assert site.said() == ["done"]
            steps.append("move in")

    site.uv(f"read -r _ < {gate}; echo done >> {site.log}")
    lock = write(f"{tmp_path}/pylock.toml")
    site.install("-r", lock, pip=Stepping())
    assert steps == ["beside", "move in"]
    site.uv("true")
    site.install(
        "-r", lock, "a", pip=Stepping()
    )  # more than a lock: uv takes what is there into account
    assert steps == ["beside", "move in", "plant"]

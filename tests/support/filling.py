"""An environment that a double of uv fills, and a double of what plants pip there."""

from __future__ import annotations

import os
from typing import Any

from bubble.envs.making.install import install_packages
from support.clinic import program
from support.handmade import environment, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout


class Site:
    """An environment at `root`, and a uv on PATH whose script a test writes."""

    def __init__(self, layout: Layout, tools: str) -> None:
        self.layout = layout
        self.root = environment(layout, "train").path
        for name in ("a", "b"):  # what most of these ask for, as if the double had installed it
            self.has(name)
        self.tools = tools
        self.log = f"{tools}/log"

    def has(self, name: str) -> None:
        directory = f"{self.root}/lib/python3.11/site-packages/{name}-1.dist-info"
        write(f"{directory}/METADATA", f"Name: {name}\nVersion: 1\n")

    def uv(self, script: str) -> None:
        program(f"{self.tools}/uv", script)

    def install(self, *arguments: str, **more: Any) -> None:
        env = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}", **more.pop("env", {})}
        given = {"installer": "uv", "cwd": "/", "show": False, **more}
        with open(os.devnull, "rb") as keep:
            given |= {"env": env, "layout": self.layout, "keep": keep.fileno()}
            install_packages(self.root, arguments, **given)

    def said(self) -> list[str]:
        with open(self.log, encoding="utf-8") as file:
            return file.read().splitlines()


class Pip:
    """A double of what plants pip: it plants nothing."""

    def plant(self) -> None:
        pass

    def plant_beside(self, directory: str) -> None:
        pass

    def move_in(self) -> None:
        pass

"""A store of doubles, a directory tree and the shims: what shim tests play with.

The doubles stand for interpreters (a script that prints its own path), because thousands of cases
are about which file is chosen, not about what it then does. The slow path is a double too where a
test asks for it: it prints `slow`, so that a test sees whether the shim decided by itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from bubble.model.platform import parse_platform
from bubble.pythons.installed.store import publish_changes
from bubble.selection import memos, registry
from bubble.selection.commands import command_path
from bubble.selection.identity import hold, mark_file, new_identity
from bubble.selection.resolve import World, select
from bubble.selection.shims import rehash
from bubble.system.layout import Layout, layout_at
from support.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLATFORM = parse_platform("linux-x86_64-gnu")
# every sh that the shim must run under, by the program that Debian's package has
SHELLS: dict[str, list[str]] = {
    "dash": ["dash"],
    "bash": ["bash", "--posix"],
    "busybox": ["busybox", "sh"],
    "ksh": ["ksh"],
    "zsh": ["zsh", "--emulate", "sh"],
}


def shells() -> dict[str, list[str]]:
    """Return the shells of SHELLS that are on this machine, with their programs' full paths."""
    return {
        name: [str(shutil.which(words[0])), *words[1:]]
        for name, words in SHELLS.items()
        if shutil.which(words[0])
    }


def counted() -> dict[str, str]:
    """Return the variables by which coverage counts what a child runs, for a bare environment."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


class ShimWorld:
    """A store at `store` (`root`/store), directories below `root`/tree, and the shims to run."""

    def __init__(self, root: str, slow: str = "", store: str = "", system: str = "") -> None:
        self.root = root
        self.tree = f"{root}/tree"
        self.layout = Layout(home=store or f"{root}/store", cache=f"{root}/cache", system=system)
        os.makedirs(self.tree)
        os.makedirs(self.layout.pythons)
        publish_changes(self.layout, PLATFORM)
        if not slow:
            slow = f"{root}/slow"
            write(slow, "#!/bin/sh\necho slow\n", 0o755)
        self.slow = slow

    def install(self, name: str, *commands: str) -> str:
        """Put a double of `cpython-3.11.7` (or the like) into the store; return its prefix."""
        prefix = self.layout.python(f"{name}-{PLATFORM}")
        minor = ".".join(name.partition("-")[2].partition("+")[0].split(".")[:2])
        for command in ("python", "python3", f"python{minor}", *commands):
            write(f"{prefix}/bin/{command}", '#!/bin/sh\necho "$0"\n', 0o755)
        write(f"{prefix}/.bubble/receipt.json", "{}")
        self.changed()
        return prefix

    def environment(self, path: str, name: str, maker: str) -> None:
        """Put a double of an environment of an installed `name` at `path` (absolute)."""
        prefix = self.layout.python(f"{name}-{PLATFORM}")
        version = name.partition("-")[2].partition("+")[0]
        write(f"{path}/pyvenv.cfg", f"home = {prefix}/bin\nversion = {version}\n")
        os.makedirs(f"{path}/bin")
        os.symlink(f"{prefix}/bin/python", f"{path}/bin/python")
        os.symlink("python", f"{path}/bin/python3")
        write(f"{path}/bin/{maker}", '#!/bin/sh\necho "$0"\n', 0o755)

    def register(self, path: str, maker: str, name: str = "") -> registry.Environment:
        """Register what lies at `path` as `create` and `adopt` do; return its record."""
        project = "" if name else os.path.realpath(os.path.dirname(path))
        python = f"{path}/bin/python"
        leads = os.readlink(python) if os.path.islink(python) else ""
        environment = registry.Environment(
            path=f"{project}/.venv" if project else path,
            name=name,
            project=project,
            interpreter=os.path.dirname(os.path.dirname(leads)),
            request="3",
            maker=maker,
            identity=new_identity(),
        )
        write(mark_file(environment), f"{environment.identity}\n")
        environment = hold(environment, self.layout)
        registry.register(self.layout, environment)
        return environment

    def resolved_environment(self, directory: str) -> registry.Environment:
        """Return the record of a directory's environment."""
        found = registry.of_directory(self.layout, os.path.realpath(directory))
        assert found is not None
        return found

    def remove(self, name: str) -> None:
        """Take a double out of the store."""
        shutil.rmtree(self.layout.python(f"{name}-{PLATFORM}"))
        self.changed()

    def changed(self) -> None:
        """Do what every command does that changes the store."""
        publish_changes(self.layout, PLATFORM)
        rehash(self.layout, self.slow)

    def world(self, cwd: str, env: Mapping[str, str]) -> World:
        """Return what the resolver takes."""
        layout = self.layout
        if layout.system:
            layout = layout_at(env, home=layout.home, cache=layout.cache)
        return World(cwd=cwd, env=env, layout=layout, platform=PLATFORM)

    def resolve(
        self, command: str, cwd: str, env: Mapping[str, str], *, leave: bool = False
    ) -> str:
        """Return what the Python resolver runs, and perhaps `leave` the memos of it."""
        world = self.world(cwd, env)
        selection = select(world)
        if leave:
            memos.leave(selection, world)
        return command_path(command, selection, world)

    def run(
        self,
        command: str,
        cwd: str,
        env: Mapping[str, str],
        shell: Sequence[str] = (),
        arguments: Sequence[str] = (),
        *,
        pwd: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run a shim in `cwd`, under its own `#!` line or a given shell."""
        return subprocess.run(
            [*shell, f"{self.layout.shims}/{command}", *arguments],
            cwd=cwd,
            env={**counted(), **env, "PWD": pwd or cwd},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def in_its_place(path: str) -> str:
    """Return an absolute path by the installation that it leads into, and not by a minor link."""
    head, found, rest = path.partition("/pythons/")
    name, slash, inside = rest.partition("/")
    link = f"{head}{found}{name}"
    if not (found and os.path.islink(link)):
        return path
    return f"{os.path.realpath(link)}{slash}{inside}"


def write(path: str, text: str, mode: int = 0o644) -> None:
    """Write a file, making its directory."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)

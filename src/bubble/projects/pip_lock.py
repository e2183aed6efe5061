"""pip's answer to what a bubble consists of: for this platform and this interpreter alone.

`pip lock` resolves for the interpreter that runs it, so that has to be installed; the lock says in
`environments` (PEP 751) what it is for.
"""

from __future__ import annotations

import os

from bubble.envs.making.seed import pip_seed, plant
from bubble.envs.tools.environment import installer_environment
from bubble.envs.tools.running import run_installer
from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.text import printable
from bubble.projects.question import LARGEST, failed, write
from bubble.projects.tree import Trees
from bubble.pythons.installed import store
from bubble.pythons.probing.isolation import isolated
from bubble.system.files import names_in, read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bubble.model.key import Key
    from bubble.projects.question import Question
    from bubble.selection.resolve import World
    from bubble.system.staging import Staging

_MINIMUM = (25, 1)  # the first pip that locks
_UNWANTED = {"PIP_OUTPUT", "PIP_QUIET", "PIP_VERBOSE", "PIP_LOG"}
_SYSTEMS = {"linux": "linux", "darwin": "darwin", "windows": "win32"}


class Pip:
    """pip, at work in a directory of its own, run by the interpreter that is locked for."""

    def __init__(self, build: str, world: World, staging: Staging, root: str) -> None:
        """Take the key of an installed build, and the directory (absolute) of the project.

        Raises BubbleError (not_installed, download, …).
        """
        if Trees().has_sources(root):
            raise BubbleError(
                "resolution",
                "[tool.uv.sources] of pyproject.toml says where packages are, and pip doesn't know "
                "it: it would take others of the same names",
                hint="lock by uv: bubble lock",
            )
        self.world, self.staging = world, staging
        self.key = parse_key(build)
        found = next(iter(store.stands_at(world.layout, build)), None)
        if found is None or self.key.platform != world.platform:
            raise BubbleError(
                "not_installed",
                f"pip resolves by the interpreter itself, and {build} isn't installed",
                hint=f"bubble python install {self.key.name}; or lock by uv, for all platforms",
            )
        self.python = found.executable
        told = installer_environment("pip", world.env).variables
        self.env = {n: v for n, v in told.items() if n not in _UNWANTED}
        self.pip = self._pip()

    def answer(self, question: Question) -> dict[str, Any]:
        """Return pip's answer; the versions until now are kept, or none where they don't fit."""
        given = f"{self.staging.path}/requirements.in"
        write(given, "".join(f"{line}\n" for line in question.lines))
        arguments = [*(["-r", given] if question.lines else []), *question.arguments]
        if question.alone:
            arguments.append("--no-deps")
        if not arguments:
            return {"lock-version": "1.0", "created-by": "pip", "packages": []}
        if question.pins:
            pins = f"{self.staging.path}/pins.txt"
            write(pins, "".join(f"{n}=={v}\n" for n, v in question.pins))
            try:
                return self._lock([*arguments, "-c", pins], question.root)
            except BubbleError as error:
                if error.kind != "resolution":
                    raise
        return self._lock(arguments, question.root)

    def _lock(self, arguments: list[str], root: str) -> dict[str, Any]:
        import tomllib

        out = f"{self.staging.path}/pylock.toml"
        self._run([self.pip, "lock", "--quiet", "-o", out, *arguments], root)
        read = tomllib.loads(read_text(out, LARGEST) or "")
        return {**read, "environments": [environment_of(self.key)]}

    def _run(self, words: list[str], cwd: str) -> None:
        command = isolated(
            self.python, "-B", *words[:2], "--disable-pip-version-check", "--no-input", *words[2:]
        )
        status, said = run_installer(
            command, self.env, cwd, show=False, keep=self.staging.descriptor
        )
        if status:
            raise failed("pip", said.replace(self.staging.path, "…"))

    def _pip(self) -> str:
        """Return what the interpreter runs as pip: the store's, else a newer one, fetched by it."""
        seed = pip_seed(self.world.layout, self.key.version)
        place = f"{self.staging.path}/pip"
        os.mkdir(place)
        plant(seed, place, self.world.layout)
        pip = f"{place}/pip"
        numbers = tuple(int(n) for n in seed.version.split(".")[:2] if n.isdecimal())
        if numbers >= _MINIMUM:
            return pip
        newer = f"{self.staging.path}/newer"
        wanted = f"pip>={_MINIMUM[0]}.{_MINIMUM[1]}"
        options = ("--no-deps", "--only-binary", ":all:", "-d", newer)
        try:
            self._run([pip, "download", *options, wanted], self.staging.path)
        except BubbleError as error:
            if error.kind != "resolution":
                raise
            raise BubbleError(
                "resolution",
                f"to lock, pip has to be {wanted.removeprefix('pip>=')} or newer; the one here is "
                f"{printable(seed.version, 40)}, and your index has no newer: {error.message}",
                hint="let the index have one, or lock by uv: bubble lock",
            ) from None
        wheels = [name for name in names_in(newer) if name.endswith(".whl")]
        return f"{newer}/{wheels[0]}/pip"


def environment_of(key: Key) -> str:
    """Return the marker of the machines that run builds like that of a key."""
    machine = key.platform.arch.partition("_v")[0]
    if key.platform.os == "darwin" and machine == "aarch64":
        machine = "arm64"
    return (
        f"python_version == '{key.version.minor}' and implementation_name == "
        f"'{key.implementation}' and sys_platform == '{_SYSTEMS.get(key.platform.os, 'linux')}' "
        f"and platform_machine == '{machine}'"
    )

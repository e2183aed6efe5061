"""Asking a resolver which packages a bubble consists of: uv, for every platform at once."""

from __future__ import annotations

import os
import re

from bubble.envs.making.install import choose_installer
from bubble.model.errors import BubbleError
from bubble.model.text import printable, without_userinfo
from bubble.model.urls import published
from bubble.pythons.probing.isolation import without_python
from bubble.system import process
from bubble.system.files import read_text, write_atomic
from bubble.system.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.projects.inputs import Inputs
    from bubble.projects.manifest import Project
    from bubble.selection.resolve import World

_PATH = re.compile(r'(?<=[{ ]path = )"((?:[^"\\]|\\.)*)"')
_URL = re.compile(r'(?<=[{ ]url = )"((?:[^"\\]|\\.)*)"')
_LINES = 12  # of a failed resolver's output that are worth showing
_LONGEST = 1800.0  # seconds


def resolve(
    project: Project,
    inputs: Inputs,
    minor: str,
    world: World,
    *,
    before: str,
    upgrade: Sequence[str] | None,
) -> str:
    """Return the packages' part of a lock, as TOML.

    `minor` is the interpreter's version (`3.12`), `before` the lock's text until now, whose pins
    stay where they can, except those of `upgrade`: names, or none of them for all; None for
    nothing. Raises BubbleError(resolution).
    """
    backend = choose_installer("", world.env, world.layout)
    if backend[0] != "uv":
        raise BubbleError(
            "resolution",
            "there is no uv, which finds the packages for every platform",
            hint="put it on PATH, or beside bubble: pip install uv",
        )
    with Staging(world.layout, f"{world.layout.home}/lock") as staging:
        out = f"{staging.path}/pylock.toml"
        if before and upgrade != ():
            write_atomic(out, before.encode())
        requirements = f"{staging.path}/requirements.in"
        write_atomic(requirements, "".join(f"{line}\n" for line in inputs.lines).encode())
        command = [
            *(backend[1], "pip", "compile", "--universal", "--format", "pylock.toml"),
            *("--no-header", "--quiet", "--python-version", minor, "--output-file", out),
            *([requirements] if inputs.lines or not inputs.arguments else []),
            *_words(inputs.arguments),
        ]
        for name in upgrade or ():
            command += ["--upgrade-package", name]
        done = process.run(command, env=_environment(world), cwd=project.root, timeout=_LONGEST)
        if done.status:
            raise _failed(done.stderr, requirements)
        text = read_text(out, 64 << 20) or ""
        text = _PATH.sub(lambda m: _relative(m, staging.path, project.root), text)
        return _URL.sub(_clean, text)


def _words(arguments: Sequence[str]) -> list[str]:
    """Return the arguments as `uv pip compile` takes them: requirement files have no option."""
    return [word for word in arguments if word != "-r"]


def _environment(world: World) -> dict[str, str]:
    env = without_python(world.env)
    return {**env, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


def _relative(match: re.Match[str], scratch: str, root: str) -> str:
    """Return a path that was written relative to the scratch, relative to the project."""
    import json

    path = os.path.normpath(os.path.join(scratch, json.loads(f'"{match[1]}"')))
    return json.dumps(os.path.relpath(path, root), ensure_ascii=False)


def _clean(match: re.Match[str]) -> str:
    import json

    url: str = json.loads(f'"{match[1]}"')
    if "@" not in url.partition("://")[2].partition("/")[0]:
        return match[0]
    return json.dumps(published(url)[0], ensure_ascii=False)


def _failed(output: str, requirements: str) -> BubbleError:
    lines = [line.strip() for line in output.replace(requirements, "the manifest").splitlines()]
    said = " | ".join(without_userinfo(line) for line in lines[-_LINES:] if line)
    return BubbleError(
        "resolution",
        f"uv found no packages that fit: {printable(said, 1500)}",
        hint="change what the manifest asks for, and lock again",
    )

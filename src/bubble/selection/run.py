"""Running any command with a selection: its interpreters in front on PATH."""

from __future__ import annotations

import os

from bubble.selection.fallback import child_environment
from bubble.selection.path import DEFAULT_PATH, find_system
from bubble.selection.resolve import command_path, is_command
from bubble.selection.sources import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import Selection, World


def find_command(name: str, selection: Selection, world: World) -> str:
    """Return the absolute path of `name`: a selected Python's command, else the system's.

    A name with a slash is a path. Raises BubbleError(command_not_found).
    """
    if "/" in name:
        return os.path.abspath(name)
    for answer in selection.answers:
        path = f"{answer.prefix}/bin/{name}"
        if not answer.is_system and is_command(path):
            return path
    if selection.answers[0].is_system:
        return find_system(name, world.env, world.layout) or command_path(name, selection, world)
    return command_path(name, selection, world)


def environment(selection: Selection, world: World, request: str) -> dict[str, str]:
    """Return the variables for a command: the selected `bin` directories lead PATH.

    `request`, when given, is also what shims below this command answer for.
    """
    env = child_environment("", world)
    own = [f"{a.prefix}/bin" for a in selection.answers if not a.is_system]
    env["PATH"] = ":".join([*own, env.get("PATH") or DEFAULT_PATH])
    if request:
        env[VARIABLE] = request
    return env

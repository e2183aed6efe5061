"""Running a command in an environment: this process becomes it."""

from __future__ import annotations

import os

from bubble.envs.making.activation import prompt_text
from bubble.model.errors import BubbleError
from bubble.model.text import printable, shell_word
from bubble.selection.answers import is_command, require_whole
from bubble.selection.become import child_environment, execute
from bubble.selection.commands import is_python_command
from bubble.selection.path import DEFAULT_PATH, find_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World


def run(environment: Environment, words: Sequence[str], world: World) -> NoReturn:
    """Become the command `words` with the environment active: its `bin` leads PATH.

    Raises BubbleError: environment (it or its interpreter is gone, or something else lies there),
    command_not_found, cannot_execute.
    """
    require_whole(environment, world.layout)
    env = child_environment(f"{world.layout.home}/", world)
    env.pop("PYTHONHOME", None)
    env["VIRTUAL_ENV"] = environment.path
    shown = environment.name or os.path.basename(environment.project or environment.path)
    env["VIRTUAL_ENV_PROMPT"] = prompt_text(shown)
    env["PATH"] = f"{environment.path}/bin:{env.get('PATH') or DEFAULT_PATH}"
    execute(_command(words[0], environment, world), words[1:], env)


def _command(name: str, environment: Environment, world: World) -> str:
    if "/" in name:
        if not os.path.lexists(name):
            raise BubbleError(
                "command_not_found",
                f"{printable(name, 500)}: no such file",
                hint="check the path; a name without a slash is looked up in the environment",
            )
        return os.path.abspath(name)
    path = f"{environment.path}/bin/{name}"
    if is_command(path):
        return path
    found = "" if is_python_command(name) else find_system(name, world.env, world.layout)
    if not found:
        shown = printable(name, 100)
        raise BubbleError(
            "command_not_found",
            f"{shown}: not found in {environment.title}, nor on PATH",
            hint="install the package that has it: "
            f"bubble run {shell_word(environment.title)} pip install PACKAGE",
        )
    return found

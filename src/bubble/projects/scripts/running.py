"""Becoming a script's interpreter: this process, its arguments, its streams, its directory.

On the path of every run, so it imports what the exec needs and nothing more.
"""

from __future__ import annotations

import os

from bubble.selection.become import child_environment, execute
from bubble.selection.path import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from bubble.selection.become import Surroundings
    from bubble.selection.registry import Environment


def become(
    environment: Environment, word: str, arguments: Sequence[str], world: Surroundings
) -> NoReturn:
    """Become the interpreter of an environment with the script `word`, as it was typed.

    What it starts finds the environment's commands first. Raises BubbleError(cannot_execute).
    """
    env = child_environment(f"{world.layout.home}/", world)
    env.pop("PYTHONHOME", None)
    env["VIRTUAL_ENV"] = environment.path
    env["VIRTUAL_ENV_PROMPT"] = _prompt(word)
    env["PATH"] = f"{environment.path}/bin:{env.get('PATH') or DEFAULT_PATH}"
    execute(f"{environment.path}/bin/python", [word, *arguments], env)


def _prompt(word: str) -> str:
    """Return a script's name where a prompt can show it, whatever its characters are."""
    stem = os.path.basename(word).removesuffix(".py")
    return stem if stem.replace("-", "").replace("_", "").isalnum() else "script"

"""Running any command with a selection: its interpreters in front on PATH."""

from __future__ import annotations

import os
from itertools import takewhile

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.selection import choice, shortcuts
from bubble.selection.become import child_environment
from bubble.selection.commands import command_path
from bubble.selection.path import DEFAULT_PATH
from bubble.selection.sources import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import Answer, Selection, World

ACTIVE = "VIRTUAL_ENV"
_PROMPT = "VIRTUAL_ENV_PROMPT"


def find_command(name: str, selection: Selection, world: World) -> str:
    """Return the path of `name`: a selected Python's command, else the system's.

    A name with a slash is a path, from the working directory. Raises
    BubbleError(command_not_found).
    """
    if "/" in name:
        if not os.path.exists(name):
            shown = printable(name)
            hint = "check the path; a name without a slash is looked up on PATH"
            raise BubbleError("command_not_found", f"{shown}: no such file", hint=hint)
        return name
    return command_path(name, selection, world)


def undisturbed(selection: Selection, world: World) -> World:
    """Return the world without another environment than the selected one that is active in it.

    Installers ask VIRTUAL_ENV before PATH, and its commands would stand for the system's.
    """
    active = world.env.get(ACTIVE, "")
    if not active or _is_same(active, selection.answers[0].prefix):
        return world
    env = {name: value for name, value in world.env.items() if name not in {ACTIVE, _PROMPT}}
    if "PATH" in env:
        entries = env["PATH"].split(":")
        env["PATH"] = ":".join(entry for entry in entries if entry.rstrip("/") != f"{active}/bin")
    return world.replace(env=env)


def environment(
    path: str, selection: Selection, world: World, *, looked_up: bool, chosen: bool
) -> dict[str, str]:
    """Return the variables for the command at `path`: the selected commands lead PATH.

    They are shims of this selection (`selection.choice`), and the `bin` directories behind them.

    `looked_up`: the path was found by its name, so that a wrapper could lead back here for ever.
    `chosen`: the selection was asked for on the command line, and shims below the command answer
    for it, too, wherever they are called. An environment that is selected is active there.
    """
    # what was named by its path is counted as little as what lies in the store
    env = child_environment(path if looked_up else f"{world.layout.home}/", world)
    if chosen:
        answer = selection.answers[0]
        is_stored = answer.is_system or answer.key
        env[VARIABLE] = answer.entry.text if is_stored and answer.entry else answer.prefix
    if selection.answers[0].environment:
        env[ACTIVE] = selection.answers[0].prefix
    elif chosen:
        env.setdefault("UV_SYSTEM_PYTHON", "1")  # else `uv pip` looks for a .venv beside the choice
    # what comes after the system's in the choice can't come before it on PATH
    own = [a.prefix for a in takewhile(lambda a: not a.is_system, selection.answers)]
    # the shims, by which a later BUBBLE_PYTHON is heard, and what has no shim
    text = env.get(VARIABLE, "").strip() or ":".join(map(_exactly, selection.answers))
    shims = choice.leave(text, own, world.layout, world.env) if own else ""
    if shims and len(selection.answers) == 1 and not env.get(VARIABLE):
        shortcuts.leave_choice(world.layout, own[0], shims)
    first = [*([shims] if shims else []), *(f"{prefix}/bin" for prefix in own)]
    env["PATH"] = ":".join([*first, env.get("PATH") or DEFAULT_PATH])
    return env


def _is_same(first: str, second: str) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False


def _exactly(answer: Answer) -> str:
    """Return an answer as BUBBLE_PYTHON says it, so that it means this one and no other."""
    if answer.environment:
        return answer.environment.name or answer.prefix
    return answer.key or answer.prefix

"""What a shell runs before it gets to the shims: what is selected is one thing, PATH another."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.selection import choice
from bubble.selection.answers import is_command
from bubble.selection.path import identity, is_shim_directory
from bubble.selection.sources import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import Selection, World


def place_on_path(name: str, world: World) -> tuple[bool, str]:
    """Return whether the shims are on PATH, and the first `name` on PATH before them, or "".

    The shims of an `exec` are those of its choice, as long as the shell asks for nothing else.
    """
    shims = identity(world.layout.shims)
    before = ""
    for entry in world.env.get("PATH", "").split(":"):
        directory = entry.rstrip("/")
        if shims is not None and directory and identity(directory) == shims:
            made = choice.read(directory)
            if made and world.env.get(VARIABLE, "") in {"", made[0]}:
                paths = (f"{prefix}/bin/{name}" for prefix in made[1])
                before = before or next(filter(is_command, paths), "")
            return True, before
        path = f"{directory}/{name}"
        if not before and os.path.isabs(directory) and is_command(path):
            before = path
    return False, before


def is_of_another_manager(path: str) -> bool:
    """Whether what lies at `path` (absolute) is another manager's shim."""
    return is_shim_directory(os.path.dirname(path))


def shadow(name: str, command: str, world: World) -> str:
    """Return the path of what this shell runs as `name` in place of the selected `command`, or "".

    Without the shims on PATH nothing of what is selected is reached, which is the doctor's to say;
    but an active environment is told in any case.
    """
    on_path, before = place_on_path(name, world)
    if not before or not (on_path or _is_active(before, world)):
        return ""
    return "" if _same_place(before, command) else before


def shadow_of(selection: Selection, world: World, name: str = "python") -> str:
    """Return what `shadow` does, of the command that a selection gives to `name`."""
    from bubble.selection.commands import command_path

    try:
        return shadow(name, command_path(name, selection, world), world)
    except BubbleError:
        return shadow(name, "", world)


def warning(name: str, path: str, world: World) -> tuple[str, ...]:
    """Return what to tell of what `shadow` found, nothing of nothing."""
    if not path:
        return ()
    how = "it comes before the shims on PATH: bubble doctor"
    if _is_active(path, world):
        how = "the active environment comes before what is selected; leave it: deactivate"
    return (f"in this shell, {printable(name, 60)} is {printable(path, 500)}: {how}",)


def _is_active(path: str, world: World) -> bool:
    active = world.env.get("VIRTUAL_ENV", "")
    return os.path.isabs(active) and _same_place(path, f"{active}/bin/x")


def _same_place(first: str, second: str) -> bool:
    """Whether two commands are in one directory: one environment, under whichever name."""
    ours, theirs = (identity(os.path.dirname(path)) if path else None for path in (first, second))
    return ours is not None and ours == theirs

"""The shim's slow path: decide, leave the memo, run the command; and everything `exec` shares."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.pythons.installed.shared import has_system
from bubble.selection import memos, worktree
from bubble.selection.become import INTERPRETERS, child_environment, execute
from bubble.selection.commands import command_path
from bubble.selection.path import is_shim
from bubble.selection.resolve import World, select
from bubble.selection.sources import unreadable
from bubble.system.foreign import foreign_owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bubble.system.layout import Layout


def run_shim(
    name: str,
    arguments: Sequence[str],
    world: World,
    python: str,
    warn: Callable[[str], None],
    *,
    is_typed: bool = False,
) -> int:
    """Run the command `name` in place of this process, as the working directory selects it.

    `python` is the interpreter that runs bubble, `warn` tells the user something, who
    reads all of it if the command `is_typed`; the rest is as `perform` has it. Raises BubbleError
    and OSError.
    """
    selection = select(world)
    for fault in unreadable(world.cwd, selection.source):
        warn(f"passed over: {fault}")
    if is_typed and name.startswith(INTERPRETERS):
        for word in worktree.warning(selection.source, world):
            warn(word)
    if not foreign_owner(world.layout.home, world.env):
        memos.leave(selection, world)
        if has_system(world.layout):
            from bubble.selection.shims import follow_system

            follow_system(world.layout, python)
    path = command_path(name, selection, world)
    if is_shim(path):
        raise BubbleError(
            "cannot_execute",
            f"{printable(path)} is a shim, which only leads back to itself",
            hint="remove it, then: bubble python verify --repair",
        )
    env = child_environment(path, world)
    return perform(name, path, arguments, env, world.layout, python)


def perform(
    name: str,
    path: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    layout: Layout,
    python: str,
) -> int:
    """Become the command `name` at `path` (absolute).

    What installs commands (pip) runs as a child, and the shims are renewed after it: then its
    exit status is returned. Raises BubbleError.
    """
    if not installs_commands(name, arguments):
        execute(path, arguments, env)
    from bubble.selection.child import end_as, run_child
    from bubble.selection.shims import rehash

    status = run_child(path, arguments, env)
    if foreign_owner(layout.home, env):
        return end_as(status)
    try:
        rehash(layout, python)
    except (OSError, BubbleError):
        pass  # a store that can't be written, or a lock that can't be had: pip's result stands
    return end_as(status)


def installs_commands(name: str, arguments: Sequence[str]) -> bool:
    """Whether running this may add or remove commands; the shim asks the same in sh."""
    if name == "pip" or (name.startswith("pip") and name[3:4] in set("0123456789")):
        return True
    return name.startswith(INTERPRETERS) and _runs_pip(arguments)


def _runs_pip(arguments: Sequence[str]) -> bool:
    """Whether an interpreter with these arguments runs pip: `-m pip`, `-Impip`, `-W x -m pip`."""
    then = ""
    for word in arguments:
        if then == "m":
            return word in {"pip", "ensurepip"}
        if then:
            then = ""
        elif word == "--check-hash-based-pycs":
            then = "W"
        elif word[:1] != "-" or word[1:2] in {"", "-"}:
            return False
        else:
            # from the first letter on that takes the rest, or the next argument
            start = next((i for i, letter in enumerate(word) if letter in "cmWX"), len(word))
            rest = word[start:]
            if rest in {"mpip", "mensurepip"}:
                return True
            if rest == "c" or (rest[1:] and rest[0] in "cm"):
                return False
            then = rest if len(rest) == 1 else ""
    return False

"""The shim's slow path: decide, leave the memo, run the command; and everything `exec` shares."""

from __future__ import annotations

import os
import time

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.selection import memos
from bubble.selection.path import identity
from bubble.selection.resolve import World, command_path, select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

DEPTH = "BUBBLE_SHIM_DEPTH"
_DEEPEST = 8  # a system command that leads back here this often never ends
_INSTALLERS = ("pip", "ensurepip")


def run_shim(name: str, arguments: Sequence[str], world: World, python: str) -> int:
    """Run the command `name` in place of this process, as the working directory selects it.

    What installs commands (pip) runs as a child, and the shims are renewed after it. `python` is
    the interpreter that runs bubble. Raises BubbleError.
    """
    looked_at = time.time_ns()
    selection = select(world)
    memos.leave(selection, world, looked_at)
    path = command_path(name, selection, world)
    env = child_environment(path, world)
    if not installs_commands(name, arguments):
        execute(path, arguments, env)
    status = _run(path, arguments, env)
    from bubble.selection.shims import rehash

    try:
        rehash(world.layout, python)
    except OSError:
        pass  # a store that can't be written: pip's result stands
    return status


def installs_commands(name: str, arguments: Sequence[str]) -> bool:
    """Whether running this may add or remove commands; the shim asks the same in sh."""
    if name in _INSTALLERS or (name.startswith("pip") and name[3:4].isdigit()):
        return True
    shown = f"{' '.join(arguments[:3])} "
    return any(word in shown for word in ("-m pip ", "-mpip ", "-m ensurepip "))


def child_environment(path: str, world: World) -> dict[str, str]:
    """Return the variables for the command at `path`: this process's, with few differences.

    `__PYVENV_LAUNCHER__` goes, since it makes an interpreter pretend to be another one. For a
    command from outside the store the depth is counted, so that a wrapper that leads back to a
    shim ends with an error instead of never.
    """
    env = {name: value for name, value in world.env.items() if name != "__PYVENV_LAUNCHER__"}
    if path.startswith(f"{world.layout.home}/"):
        return env
    depth = env.get(DEPTH, "0")
    deep = int(depth) + 1 if depth.isdigit() and len(depth) < 4 else 1
    if deep > _DEEPEST:
        raise BubbleError(
            "cannot_execute",
            f"{printable(path)} leads back to bubble's shims again and again",
            hint="take the wrapper off PATH, or choose a version: bubble use VERSION",
        )
    env[DEPTH] = str(deep)
    return env


def execute(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Become the command at `path` (absolute): same process, argv byte for byte."""
    try:
        os.execve(path, [path, *arguments], dict(env))  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise BubbleError(
            "cannot_execute",
            f"{printable(path)} can't be run: {(error.strerror or str(error)).lower()}",
            hint="look into what is installed: bubble python verify",
        ) from None


def is_shim(path: str, world: World) -> bool:
    """Whether a path leads to the shim script."""
    mine = identity(world.layout.shim)
    return mine is not None and identity(path) == mine


def _run(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a child on this process's descriptors; return its status, or die by its signal."""
    import signal

    ignored = {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGQUIT)}
    child = os.posix_spawn(
        path, [path, *arguments], dict(env), setsigdef=[n for n, h in ignored.items() if h]
    )
    passed_on = [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
    for number in passed_on:
        signal.signal(number, lambda received, _: os.kill(child, received))
    _, waited = os.waitpid(child, 0)
    status = os.waitstatus_to_exitcode(waited)
    if status >= 0:
        return status
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
    return 128 - status

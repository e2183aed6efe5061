"""Mending an environment: moved, copied, or with an interpreter that is gone or not asked for.

What is rewritten in place was broken before, and each file changes in one step: killed in
between, it is still broken, and the same command ends the work. An environment that needs another
minor version is made anew beside the old one.
"""

from __future__ import annotations

import os

from bubble.envs.changing.registering import reregister
from bubble.envs.changing.reinterpret import (
    choose,
    fits,
    is_anothers,
    make_again,
    relink,
    wanted,
    works,
)
from bubble.envs.knowing import placing
from bubble.envs.knowing.bubbles import of_project
from bubble.envs.knowing.here import selected_name
from bubble.envs.knowing.inspect import look_at_all
from bubble.envs.knowing.locate import DEFAULT, is_path, locate, require_own_path
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable, shell_word
from bubble.selection import registry
from bubble.selection.answers import misfit, require_open
from bubble.selection.belonging import registered
from bubble.system.directory import upwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World
    from bubble.system.layout import Layout


class Repaired(Record):
    """The environment as it is registered now, and what was done, a phrase each.

    `left` is what could not be, a sentence each.
    """

    environment: Environment
    done: tuple[str, ...]
    left: tuple[str, ...] = ()


def repair(text: str, world: World, *, installer: str = "", show: bool = False) -> Repaired:
    """Mend the environment that `text` means: a name, a path, or "" for this directory's.

    `installer` and `show` are as in `make`: only an environment that needs another minor version
    gets its packages installed anew. Raises BubbleError (environment: there is nothing that could
    be mended; not_installed: no interpreter fits) and OSError.
    """
    path = find(text or selected_name(world), world.cwd, world.layout)
    require_own_path(path, world.layout)
    with placing.lock(world.layout, path):
        known = registry.environments(world.layout)
        environment, done = reregister(path, world.layout, named=bool(text))
        done += _move_kernels(environment, known, world)
        done += _unshare(environment, world.layout)
        asked = misfit(environment, world)
        if works(environment) and asked is None:
            return _at_home(environment, done, world)
        if asked is not None:
            environment = environment.replace(request=wanted(asked, world))
        choice = choose(environment, world)
        name = choice.installation.key.name
        if fits(path, choice.base):
            environment = relink(environment, choice.base, world)
            return Repaired(environment=environment, done=(*done, f"linked it to {name}"))
    # which takes the lock itself, and replaces what is there in one step
    environment = make_again(environment, choice, world, installer=installer, show=show)
    return Repaired(environment=environment, done=(*done, f"made it anew with {name}"))


def _at_home(environment: Environment, done: tuple[str, ...], world: World) -> Repaired:
    """Let an environment that works use this store's interpreter, if it uses another store's.

    That one's owner can't know who uses it: its next uninstall or gc takes it away.
    """
    if not is_anothers(environment, world.layout):
        return Repaired(environment=environment, done=done)
    left = f"it runs {printable(environment.interpreter, 500)}, which is not of this store"
    try:
        choice = choose(environment, world)
    except BubbleError as error:
        left += f"; to give it one: {error.hint}, then bubble repair again"
        return Repaired(environment=environment, done=done, left=(left,))
    if not fits(environment.path, choice.base):
        return Repaired(environment=environment, done=done, left=(left,))
    name = choice.installation.key.name
    environment = relink(environment, choice.base, world)
    return Repaired(environment=environment, done=(*done, f"linked it to {name}"))


def _move_kernels(
    environment: Environment, known: Iterable[Environment], world: World
) -> tuple[str, ...]:
    """Let its Jupyter kernels run an environment where it is now; return a phrase if any moved."""
    from bubble.envs.kernel import move_kernels

    itself = [e for e in known if environment.identity == e.identity != ""]
    moved: list[str] = []
    for before in [e for e in itself if e.path != environment.path] or [environment]:
        moved += move_kernels(before, environment, world.env)
    names = ", ".join(printable(os.path.basename(path)) for path in moved)
    return (f"let its Jupyter kernels find it: {names}",) if moved else ()


def _unshare(environment: Environment, layout: Layout) -> tuple[str, ...]:
    """Give it files of its own where an earlier bubble made links; return a phrase if it did."""
    from bubble.envs.changing.unshare import is_shared, unshare

    if environment.maker != "bubble" or not is_shared(environment.path):
        return ()
    count = unshare(environment.path, layout)
    return (f"gave it {count} files of its own, which it shared with others",)


def find(text: str, cwd: str, layout: Layout) -> str:
    """Return the absolute path of the environment that is meant, registered or not."""
    if not text:
        here = _of_directory(cwd, layout)
        if here:
            return here
    elif (own := of_project(text, cwd, layout)) is not None and os.path.isdir(own.path):
        return own.path
    else:
        path = os.path.normpath(os.path.join(cwd, os.path.expanduser(text)))
        if not is_path(text):
            path = f"{layout.envs}/{text}"
        for candidate in (path, f"{path}/{DEFAULT}"):
            if placing.is_environment(candidate):
                return candidate
    known = locate(text, cwd, layout)
    if os.path.isdir(known.path):
        return known.path
    for status in look_at_all(layout, cwd):
        if status.environment == known and status.state == "moved":
            return status.detail
    require_open(f"{known.path}/bin/python", printable(known.path))
    word = shell_word(known.title)
    raise BubbleError(
        "environment",
        f"{printable(known.path)} is gone",
        hint=f"where it is now: bubble repair .; or forget it: bubble remove {word}",
    )


def _of_directory(cwd: str, layout: Layout) -> str:
    for directory in upwards(cwd):
        known = registered(layout, directory)
        if known and os.path.isdir(known.path):
            return known.path
        path = f"{directory.rstrip('/')}/{DEFAULT}"
        if placing.is_environment(path):
            return path
    return ""

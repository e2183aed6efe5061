"""Bringing the environment before the last sync back: it and the present one change places."""

from __future__ import annotations

import errno
import os

from bubble.envs.changing.relocate import path_of, relocate
from bubble.envs.knowing import placing
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects import places, state
from bubble.projects.changes import Change, package_changes
from bubble.projects.contents import installed
from bubble.projects.links import links_of
from bubble.projects.status import interpreter_name
from bubble.projects.sync import attach
from bubble.selection import registry
from bubble.selection.identity import is_itself
from bubble.system import kernel
from bubble.system.files import fsync_directory
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.manifest import Bubble, Project
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World


class RolledBack(Record):
    """The environment that is there again, at `path`, and how it differs from the one before.

    `previous` is where that is now, "" where there was none.
    """

    bubble: Bubble
    path: str
    changes: tuple[Change, ...]
    previous: str


def roll_back(project: Project, bubble: Bubble, world: World) -> RolledBack:
    """Let a bubble's environment and the one that its last sync replaced change places.

    In one step; said again, it is undone. Only what the store knows to be the one before is
    brought back. Raises BubbleError (environment: there is none; in_use: something else lies in
    the place; store: the file system can't exchange two directories) and OSError; then nothing
    has changed.
    """
    layout, path = world.layout, project.path(bubble)
    before = places.previous(project, bubble)
    with placing.lock(layout, path):
        sweep(layout)
        places.settle(project, bubble, layout)
        old = places.registered_at(before, "", layout)
        if old is None or os.path.islink(before) or not is_itself(old, layout):
            raise _nothing(before, project, bubble)
        present = _present(project, bubble, world)
        placing.require_unmounted(before)
        here = installed(path) if present is not None else {}
        there = installed(before)
        _tell_its_place(before, project, bubble)
        back = old.replace(path=path, project=places.owner(project, bubble))
        _change_places(back, present, before, world)
    known = state.read_state(layout, back.identity)
    if known is not None:
        ours = state.read_state(layout, present.identity) if present is not None else None
        known = known.replace(links=ours.links if ours else known.links)
        if ours is not None:
            known = known.replace(kernel=ours.kernel)
        links = links_of(project, bubble, known.links, layout)
        attach(project, bubble, back, known, links, world)
    changes = package_changes(here, there)
    if present is not None and present.interpreter != back.interpreter:
        name, was = interpreter_name(back.interpreter), interpreter_name(present.interpreter)
        kind, _, version = name.partition("-")
        changes.insert(0, Change(name=kind, before=was.removeprefix(f"{kind}-"), after=version))
    return RolledBack(
        bubble=bubble,
        path=path,
        changes=tuple(changes),
        previous=before if present is not None else "",
    )


def _present(project: Project, bubble: Bubble, world: World) -> Environment | None:
    """Return what is in the place now; None for nothing; raise for what isn't bubble's."""
    path = project.path(bubble)
    if not os.path.lexists(path):
        return None
    known = places.environment_of(project, bubble, world.layout)
    ours = known is not None and known.maker == "bubble" and is_itself(known, world.layout)
    if os.path.islink(path) or not ours:
        raise BubbleError(
            "in_use",
            f"{printable(path, 500)} is not the environment that sync made there",
            hint=f"move it away, then: {places.command('rollback', bubble)}",
        )
    placing.require_unmounted(path)
    return known


def _tell_its_place(before: str, project: Project, bubble: Bubble) -> None:
    """Rewrite the paths in what is kept, where they name another place than its coming one.

    The project was moved since, or somebody repaired it where it is kept.
    """
    path, was = project.path(bubble), path_of(before)
    if was in {"", path}:
        return
    place = placing.bubble_at(was)
    root = place[0] if place else os.path.dirname(was)
    moved = ((root, project.root),) if root != project.root else ()
    relocate(before, was, path, projects=moved)


def _change_places(
    back: Environment, present: Environment | None, before: str, world: World
) -> None:
    """Exchange the two and then their records; killed in between, `places.settle` ends it."""
    layout, path = world.layout, back.path
    registry.prepare(layout, back)
    try:
        if present is None:
            os.rename(before, path)
        else:
            _exchange(before, path)
    except BaseException:
        registry.abandon(layout, back)
        raise
    fsync_directory(os.path.dirname(path))
    fsync_directory(os.path.dirname(before))
    if present is not None:
        registry.register(layout, present.replace(path=before, project=""))
    registry.register_prepared(layout, back)
    if present is None:
        registry.forget(layout, registry.Environment(path=before))


def _exchange(before: str, path: str) -> None:
    try:
        done = kernel.exchange(before, path)
    except OSError as error:
        if error.errno != errno.EXDEV:  # another disk, or a lower layer's
            raise
        done = False
    if not done:
        raise BubbleError(
            "store",
            f"the file system of {printable(path, 500)} can't exchange two directories",
            hint="make it anew from an older lock: bubble sync",
        )


def _nothing(before: str, project: Project, bubble: Bubble) -> BubbleError:
    strange = os.path.lexists(before)
    return BubbleError(
        "environment",
        f"the bubble {bubble.name} has no environment from before its last sync"
        + (f": what lies in {printable(before, 500)} is something else" if strange else ""),
        hint="make it what an older lock says: git checkout REVISION -- "
        f"{os.path.basename(project.lock(bubble))}; {places.command('sync', bubble)} --frozen",
    )

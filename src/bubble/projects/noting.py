"""Noting that there is nothing to do for a project's bubbles, for `projects.quick` to recognise."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.projects import places, quick, state
from bubble.projects.inputs import inputs_of
from bubble.projects.locate import chosen
from bubble.projects.lock import request_of
from bubble.projects.lockfile import read_lock
from bubble.projects.manifest import MANIFEST, PYPROJECT
from bubble.projects.sources import metadata_files
from bubble.projects.status import IN_SYNC, status_of
from bubble.selection.belonging import inside
from bubble.selection.identity import link_of, mark_file
from bubble.selection.registry import record_path
from bubble.selection.sources import READERS
from bubble.system.directory import upwards
from bubble.system.layout import RECEIPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.manifest import Bubble, Project
    from bubble.selection.resolve import World

    Facts = list[str] | None


def note(project: Project, world: World) -> None:
    """Leave a memo of every bubble that has nothing to do; take the old one away otherwise.

    What is noted was so before and after everything was looked at.
    """
    start = quick.start_of(world.cwd)
    common = _common(project, start)
    blocks: dict[str, tuple[str, list[str]]] = {}
    for bubble in project.bubbles:
        facts = _facts(project, bubble, world)
        if facts is not None:
            blocks[bubble.name] = (project.path(bubble), facts)
    if not start:
        return
    if common is None or not blocks or common != _common(project, start):
        quick.forget(world.layout, start)
        return
    every = [bubble.name for bubble in project.bubbles]
    usual = [bubble.name for bubble in chosen(project, (), everything=False)]
    quick.leave(world.layout, start, usual, every, common, blocks)


def _common(project: Project, start: str) -> Facts:
    """Return what makes the project be this one, with these bubbles; None where it isn't found."""
    files = []
    found = ""
    for directory in upwards(start):
        files += [f"{directory.rstrip('/')}/{name}" for name in (MANIFEST, PYPROJECT)]
        if not found and os.path.realpath(directory) == project.root:
            found = directory
        if found and project.manifest:
            break
    if not found:
        return None
    if not project.manifest:  # a manifest above would be the project's
        files.append(f"{project.root}/requirements.txt")
    return quick.facts_of(files, (), (found,))


def _facts(project: Project, bubble: Bubble, world: World) -> Facts:
    """Return what a bubble's having nothing to do follows from; None where there is something."""
    try:
        before = _looked(project, bubble, world)
        if before is None:
            return None
        status = status_of(project, bubble, world)
        if status.state != IN_SYNC or status.known is None:
            return None
        if status.known.extra or status.known.sources:  # whose files are too many for facts
            return None
        return before if _looked(project, bubble, world) == before else None
    except (BubbleError, OSError):
        return None


def _looked(project: Project, bubble: Bubble, world: World) -> Facts:
    inputs = inputs_of(project, bubble, request_of(project, bubble, world))
    environment = places.environment_of(project, bubble, world.layout)
    if environment is None:
        return None
    path = environment.path
    files = [
        *(*inputs.files, project.lock(bubble)),
        *(record_path(world.layout, environment), mark_file(environment)),
        f"{environment.interpreter}/{RECEIPT}",
        f"{world.layout.synced}/{environment.identity}",
    ]
    links = [inside(directory) for directory in bubble.directories]
    known = state.read_state(world.layout, environment.identity)
    if known and known.metadata:
        lock = read_lock(project.lock(bubble))
        files += metadata_files(project.root, lock.trees if lock else ())
    if known and known.kernel:
        files.append(f"{known.kernel}/kernel.json")
    if not bubble.python:  # the directory decides
        for directory in upwards(project.root):
            files += [f"{directory.rstrip('/')}/{name}" for name, _ in READERS]
        files.append(world.layout.global_pin)
        links.append(f"{world.layout.requests}/now")  # and what is installed
    for directory in (project.root, *bubble.directories):  # it must be what these ask for
        files += [f"{directory}/{name}" for name, _ in READERS]
    held = (mark_file(environment),) if link_of(environment, world.layout) else ()
    return quick.facts_of(dict.fromkeys(files), links, (path, f"{path}/bin/python"), path, held)

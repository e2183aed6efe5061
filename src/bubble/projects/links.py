"""The directories that a bubble is for: a link `train/.venv` to it, which all readers follow.

Shims, hooks and editors know an environment by the very thing that a link leads to. Made and
taken away is only what the store says was made by sync.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects.manifest import DEFAULT, PLACES
from bubble.projects.places import command
from bubble.projects.state import read_state, write_state
from bubble.selection.belonging import inside
from bubble.selection.registry import environments
from bubble.system.files import link_atomic, unlink_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.projects.manifest import Bubble, Project
    from bubble.projects.state import State
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


class Links(Record):
    """What has to be done: directories (absolute) that get a link, and that lose theirs.

    `ours` are those, relative to the project, whose link is bubble's once it is done.
    """

    make: tuple[str, ...]
    drop: tuple[str, ...]
    ours: tuple[str, ...]


def links_of(project: Project, bubble: Bubble, known: tuple[str, ...], layout: Layout) -> Links:
    """Return what has to be done for the bubble's directories; `known` is what sync made before.

    Raises BubbleError (manifest: a directory can't have one; in_use: something is in the way);
    nothing has changed then.
    """
    make, ours = [], []
    others = dict(_others(project, bubble, layout))
    for directory in bubble.directories:
        relative = os.path.relpath(directory, project.root)
        _require_directory(project, bubble, directory, relative)
        place, text = inside(directory), _text(project, bubble, directory)
        found = _link(place)
        if found == text:
            ours += [relative] if relative in known else []
            continue
        if os.path.lexists(place) and not (
            found and (relative in known or found == others.get(relative))
        ):
            raise BubbleError(
                "in_use",
                f"{printable(place, 500)} is there, and this directory's environment is to be "
                f"{bubble.name}",
                hint=f"move it away, then: {command('sync', bubble)}; "
                "or take the directory out of the manifest",
            )
        make.append(directory)
        ours.append(relative)
    wanted = {os.path.relpath(directory, project.root) for directory in bubble.directories}
    drop = [
        os.path.normpath(f"{project.root}/{relative}")
        for relative in known
        if relative not in wanted
        and _link(inside(os.path.normpath(f"{project.root}/{relative}")))
        == _text(project, bubble, os.path.normpath(f"{project.root}/{relative}"))
    ]
    return Links(make=tuple(make), drop=tuple(drop), ours=tuple(ours))


def set_links(project: Project, bubble: Bubble, links: Links, layout: Layout) -> None:
    """Make and take away the links, after the others that they had led to have been told."""
    for directory in links.make:
        relative = os.path.relpath(directory, project.root)
        for environment, state in _states(project, layout):
            if environment.path != project.path(bubble) and relative in state.links:
                left = tuple(link for link in state.links if link != relative)
                write_state(layout, environment.identity, state.replace(links=left))
        link_atomic(_text(project, bubble, directory), inside(directory))
    for directory in links.drop:
        unlink_quietly(inside(directory))


def drop_links(environment: Environment, root: str, layout: Layout) -> None:
    """Take away the links that sync made to an environment of the project at `root`."""
    state = read_state(layout, environment.identity)
    for relative in state.links if state else ():
        directory = os.path.normpath(f"{root}/{relative}")
        if _link(inside(directory)) == os.path.relpath(environment.path, directory):
            unlink_quietly(inside(directory))


def is_shown_by_git(directory: str) -> bool:
    """Whether git may show a link `.venv` in a directory (absolute): `.venv/` doesn't match it.

    By the `.gitignore` files from there up to the repository's root alone.
    """
    while directory.startswith("/") and directory != "/":
        try:
            with open(f"{directory}/.gitignore", encoding="utf-8", errors="replace") as file:
                lines = {line.strip() for line in file}
        except OSError:
            lines = set()
        if lines & {".venv", "**/.venv", "/.venv", ".venv*", "*"}:
            return False
        if os.path.lexists(f"{directory}/.git"):
            return True
        directory = os.path.dirname(directory)
    return False


def _require_directory(project: Project, bubble: Bubble, directory: str, relative: str) -> None:
    where = f"the bubble {bubble.name} is for {printable(relative, 300)}"
    wrong = ""
    if not os.path.isdir(directory):
        wrong = "which is no directory"
    elif os.path.realpath(directory) != directory:
        wrong = "which is reached through a link"
    elif relative.split("/", maxsplit=1)[0] in {PLACES, ".venv"}:
        wrong = "which lies in an environment"
    elif relative == "." and any(other.name == DEFAULT for other in project.bubbles):
        wrong = f"which is that of the bubble {DEFAULT}"
    elif "\n" in relative:
        wrong = "which no record can hold"
    if wrong:
        raise BubbleError(
            "manifest",
            f"{where}, {wrong}",
            hint=f"mend it in {printable(project.manifest, 500)}, or make the directory",
        )


def _others(project: Project, bubble: Bubble, layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield the links that sync made to the project's other bubbles: relative directory, text."""
    for environment, state in _states(project, layout):
        if environment.path != project.path(bubble):
            for relative in state.links:
                directory = os.path.normpath(f"{project.root}/{relative}")
                yield relative, os.path.relpath(environment.path, directory)


def _states(project: Project, layout: Layout) -> Iterator[tuple[Environment, State]]:
    places = (f"{project.root}/.venv", f"{project.root}/{PLACES}/")
    for environment in environments(layout):
        if environment.path == places[0] or environment.path.startswith(places[1]):
            state = read_state(layout, environment.identity)
            if state is not None:
                yield environment, state


def _text(project: Project, bubble: Bubble, directory: str) -> str:
    return os.path.relpath(project.path(bubble), directory)


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""

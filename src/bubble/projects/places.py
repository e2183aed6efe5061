"""Where a project's environments lie, those before them too, and whether these places are free.

What decides is the store: what a repository brings along in these places is refused, never
trusted, and never thrown away.
"""

from __future__ import annotations

import os

from bubble.envs.knowing import placing
from bubble.envs.knowing.ownership import claim
from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects.manifest import DEFAULT, PLACES
from bubble.selection import registry
from bubble.selection.identity import is_itself, mark_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.manifest import Bubble, Project
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

PREVIOUS = placing.PREVIOUS


def owner(project: Project, bubble: Bubble) -> str:
    """Return the project that a bubble's environment is registered for, "" for its own path."""
    return project.root if bubble.name == DEFAULT else ""


def previous(project: Project, bubble: Bubble) -> str:
    """Return the absolute path at which the environment before the last sync is kept."""
    return f"{project.root}/{PLACES}/{PREVIOUS}/{bubble.name}"


def command(verb: str, bubble: Bubble) -> str:
    """Return a command line for a bubble: `bubble sync train`."""
    return f"bubble {verb}" + (f" {bubble.name}" if bubble.name != DEFAULT else "")


def environment_of(project: Project, bubble: Bubble, layout: Layout) -> Environment | None:
    """Return the environment that is registered in a bubble's place, whatever lies there."""
    return registered_at(project.path(bubble), owner(project, bubble), layout)


def registered_at(path: str, project: str, layout: Layout) -> Environment | None:
    """Return the environment that is registered at `path`, a project's (absolute), or for none."""
    found = registry.of_directory(layout, project or path)
    return found if found is not None and found.path == path else None


def settle(project: Project, bubble: Bubble, layout: Layout) -> None:
    """End what a killed sync or rollback had begun: the records follow what lies there.

    The caller holds the place's lock.
    """
    path, before = project.path(bubble), previous(project, bubble)
    place = registry.Environment(path=path, project=owner(project, bubble))
    begun = registry.unfinished(layout, place)
    if begun is None or begun.path != path or not is_itself(begun, layout):
        return
    known = environment_of(project, bubble, layout)
    if known is not None and known.identity == mark_of(before) != "":
        registry.register(layout, known.replace(path=before, project=""))
    elif (stale := registered_at(before, "", layout)) and not is_itself(stale, layout):
        registry.forget(layout, stale)
    registry.register_prepared(layout, begun)


def require_places(
    project: Project, bubble: Bubble, layout: Layout, env: Mapping[str, str]
) -> None:
    """Raise BubbleError(in_use) where what sync must write to, or throw away, isn't bubble's."""
    path, before = project.path(bubble), previous(project, bubble)
    parent = os.path.dirname(path)
    parent = parent if os.path.isdir(parent) else project.root
    if not os.access(parent, os.W_OK):
        raise BubbleError(
            "permission",
            f"{printable(parent, 500)} can't be written, and the environment belongs there",
            hint="check who may write there",
        )
    for directory in (f"{project.root}/{PLACES}", os.path.dirname(before)):
        if os.path.lexists(directory) and (
            os.path.islink(directory) or not os.path.isdir(directory)
        ):
            raise BubbleError(
                "in_use",
                f"{printable(directory, 500)} is where bubble keeps a project's environments, and "
                "it is a link, or no directory",
                hint=f"move it away, then: {command('sync', bubble)}",
            )
    if os.path.lexists(path) and os.path.lexists(before):
        from bubble.envs.making.carry import require_nothing_lost

        require_replaceable(before, bubble, layout)
        require_nothing_lost(before, env, layout)


def require_replaceable(before: str, bubble: Bubble, layout: Layout) -> None:
    """Raise BubbleError(in_use) unless what is kept at `before` was kept there by bubble."""
    known = registered_at(before, "", layout)
    ours = known is not None and is_itself(known, layout)
    if os.path.islink(before) or not (ours or claim(before, layout).is_ours):
        raise BubbleError(
            "in_use",
            f"{printable(before, 500)} is where the environment before is kept, and bubble didn't "
            "make what lies there",
            hint=f"move it away, then: {command('sync', bubble)}",
        )
    placing.require_unmounted(before)


def make_places(project: Project) -> None:
    """Make the directory of a project's environments, which no version control is to see."""
    directory = f"{project.root}/{PLACES}"
    os.makedirs(directory, exist_ok=True)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(f"{directory}/.gitignore", flags, 0o644)
    except FileExistsError:
        return
    try:
        os.write(descriptor, b"*\n")
    finally:
        os.close(descriptor)


def discard(before: str, layout: Layout) -> None:
    """Throw away the environment that is kept at `before` (absolute), with its record."""
    from bubble.projects.state import forget_state

    known, identity = registered_at(before, "", layout), mark_of(before)
    if os.path.lexists(before):
        from bubble.system.removal import set_aside

        set_aside(layout, before).delete()
    for other in registry.environments(layout) if identity else ():
        if other.identity == identity and other.path != before and not is_itself(other, layout):
            registry.forget(layout, other)  # the project was moved here
    if known is not None:
        registry.forget(layout, known)
        forget_state(layout, known.identity)

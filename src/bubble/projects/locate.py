"""Which project a directory belongs to, and which of its bubbles are meant."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects.manifest import DEFAULT, MANIFEST, PYPROJECT
from bubble.projects.reading import read_project
from bubble.system.directory import upwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.projects.manifest import Bubble, Project

# what makes a directory a project's, the nearest one with any of them
_SIGNS = (MANIFEST, PYPROJECT, "pylock.toml", "requirements.txt")


def project_of(cwd: str) -> Project:
    """Return the project that the absolute directory `cwd` is in.

    Its root is the nearest directory upwards with a manifest; where there is none, the nearest
    with a `pyproject.toml`, a lock or a `requirements.txt`. Raises BubbleError (manifest, …).
    """
    plain = ""
    for directory in upwards(cwd):
        root = os.path.realpath(directory)
        present = [name for name in _SIGNS if os.path.lexists(f"{root}/{name}")]
        if not present:
            continue
        project = read_project(root)
        if project.manifest:
            return project
        plain = plain or root
    if plain:
        return read_project(plain)
    raise BubbleError(
        "manifest",
        f"{printable(cwd, 500)} is in no project: no directory from there upwards has a "
        f"{MANIFEST}, a {PYPROJECT} or a requirements.txt",
        hint=f"go to one, or begin one: a {MANIFEST} that says what it is to have",
    )


def chosen(project: Project, names: Sequence[str], *, everything: bool) -> tuple[Bubble, ...]:
    """Return the bubbles of these names; all of them, or the default one where none is named."""
    if everything:
        return project.bubbles
    known = {bubble.name: bubble for bubble in project.bubbles}
    wanted = names or ([DEFAULT] if DEFAULT in known else list(known))
    return tuple(bubble_of(project, name) for name in dict.fromkeys(wanted))


def bubble_of(project: Project, name: str) -> Bubble:
    """Return the bubble of a name; BubbleError(manifest) for one that there isn't."""
    from bubble.projects.reading import normalized

    for bubble in project.bubbles:
        if bubble.name == normalized(name):
            return bubble
    where = os.path.basename(project.manifest) or "this project, which has no manifest,"
    names = ", ".join(bubble.name for bubble in project.bubbles)
    raise BubbleError(
        "manifest",
        f"{where} has no bubble “{printable(name, 80)}”",
        hint=f"those that there are: {names}",
    )

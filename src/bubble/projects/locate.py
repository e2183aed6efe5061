"""Which project a directory belongs to, and which of its bubbles are meant."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.package import canonical_name
from bubble.model.text import printable
from bubble.projects.manifest import DEFAULT, MANIFEST, PYPROJECT
from bubble.projects.reading import read_project
from bubble.system.directory import upwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bubble.projects.manifest import Bubble, Project

# what makes a directory a project's, the nearest one with any of them
_SIGNS = (MANIFEST, PYPROJECT, "pylock.toml", "requirements.txt")
_MANIFESTS = _SIGNS[:2]


def project_of(cwd: str, home: str = "") -> Project:
    """Return the project that the absolute directory `cwd` is in.

    Its root is the nearest directory upwards with a manifest; where there is none, the nearest
    with a `pyproject.toml`, a lock or a `requirements.txt`. Upwards is as `cwd` is spelled, then as
    it really lies. `home` (absolute, "" for none) and `/` are no projects, whatever lies there, and
    above `cwd` only those count whose files are this user's, root's, or of who owns `cwd`: what a
    stranger leaves in a directory that is everybody's says nothing. Raises BubbleError (manifest,
    io).
    """
    if not cwd:
        raise BubbleError("io", "the working directory was deleted", hint="cd somewhere else")
    strangers: list[str] = []
    for start in dict.fromkeys([cwd, os.path.realpath(cwd)]):
        project = _upwards(start, home, strangers)
        if project is not None:
            return project
    if strangers:
        where = printable(os.path.dirname(strangers[0]), 500)
        raise BubbleError(
            "manifest",
            f"{printable(cwd, 500)} is in no project of yours: {printable(strangers[0], 500)} "
            "belongs to another user",
            hint=f"if that is what you mean, do it there: cd {_quoted(where)}",
        )
    raise BubbleError(
        "manifest",
        f"{printable(cwd, 500)} is in no project: no directory from there upwards has a "
        f"{MANIFEST}, a {PYPROJECT} or a requirements.txt"
        + ("; HOME and / are none, whatever is there" if is_wide(cwd, home) else ""),
        hint=_beginning(cwd),
    )


def _beginning(cwd: str) -> str:
    """Return how to begin a project: of another tool's file, where one lies there."""
    from bubble.projects.found import FOREIGN

    found = next((name for name in FOREIGN if os.path.isfile(f"{cwd}/{name}")), "")
    return (
        f"take it over: bubble import {found}" if found else "go to one, or begin one: bubble new"
    )


def _upwards(cwd: str, home: str, strangers: list[str]) -> Project | None:
    plain: Project | None = None
    for root in _roots(cwd, home, strangers):
        try:
            project = read_project(root)
        except BubbleError:
            # above a project, what can't be read matters only where it could be its manifest
            if plain is None or os.path.lexists(f"{root}/{MANIFEST}") or _speaks(root):
                raise
            continue
        if project.manifest:
            return project
        plain = plain or project
    return plain


def _roots(cwd: str, home: str, strangers: list[str]) -> Iterator[str]:
    """Yield the real paths of the directories upwards that could be a project's root."""
    owners = {os.geteuid(), 0, _owner(cwd)}
    for directory in upwards(cwd):
        root = os.path.realpath(directory)
        present = [path for name in _SIGNS if os.path.lexists(path := f"{root}/{name}")]
        if not present or is_wide(root, home):
            continue
        foreign = [path for path in present if directory != cwd and _owner(path) not in owners]
        if foreign:
            strangers += foreign
        else:
            yield root


def is_wide(directory: str, home: str) -> bool:
    """Whether a directory is one that all else lies below: `/`, or a user's `home` (or "")."""
    real = os.path.realpath(directory)
    return real == "/" or bool(home and real == os.path.realpath(home))


def _owner(path: str) -> int:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return -1


def _speaks(root: str) -> bool:
    """Whether a `pyproject.toml` that can't be read may have a manifest in it."""
    from bubble.projects.toml import LARGEST
    from bubble.system.version_file import read_regular

    try:
        return b"bubble" in (read_regular(f"{root}/{PYPROJECT}", LARGEST) or b"")
    except BubbleError:
        return False


def _quoted(text: str) -> str:
    from bubble.model.quoting import quoted

    return quoted(text, "sh")


def chosen(project: Project, names: Sequence[str], *, everything: bool) -> tuple[Bubble, ...]:
    """Return the bubbles of these names; all of them, or the default one where none is named."""
    if everything:
        return project.bubbles
    known = {bubble.name: bubble for bubble in project.bubbles}
    wanted = names or ([DEFAULT] if DEFAULT in known else list(known))
    return tuple(dict.fromkeys(bubble_of(project, name) for name in wanted))


def bubble_of(project: Project, name: str) -> Bubble:
    """Return the bubble of a name; BubbleError(manifest) for one that there isn't."""
    for bubble in project.bubbles:
        if bubble.name == canonical_name(name):
            return bubble
    import difflib

    names = [bubble.name for bubble in project.bubbles]
    close = difflib.get_close_matches(canonical_name(name), names, 1)
    where = printable(project.manifest, 500)
    raise BubbleError(
        "manifest",
        f"{where or 'this project, which has no manifest,'} has no bubble “{printable(name, 80)}”",
        hint=f"did you mean: {close[0]}" if close else f"those that there are: {', '.join(names)}",
    )

"""A git worktree without the environment that the project's main worktree has: a word, no more.

`git worktree add` brings what is committed, and an environment isn't. Nothing of git is run, and
its files say only which directory to look up in the registry: that another one's environment
exists decides nothing here.
"""

from __future__ import annotations

import os

from bubble.model.record import Record
from bubble.model.text import printable
from bubble.selection.belonging import inside
from bubble.selection.identity import is_itself
from bubble.selection.registry import of_directory
from bubble.system.directory import upwards
from bubble.system.git_link import path_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World
    from bubble.selection.sources import Source
    from bubble.system.layout import Layout

_ASKED = {"file", "global", "default"}  # sources that are no environment and nobody's word


class Worktree(Record):
    """A directory (absolute) of a worktree, and the environment of its counterpart in `main`."""

    directory: str
    main: str
    environment: Environment

    @property
    def command(self) -> str:
        """The command that makes the same environment here."""
        from shlex import quote

        paths = (self.environment.path, inside(self.directory))
        return " ".join(["bubble clone", *(quote(printable(path)) for path in paths)])

    @property
    def said(self) -> str:
        """What to tell of it."""
        where = printable(self.directory, 500)
        return (
            f"{where} is of a git worktree and has no environment; that of the main one is "
            f"{printable(self.environment.path, 500)}"
        )


def lonely(source: Source, world: World) -> Worktree | None:
    """Return the worktree that one works in, if its main one has an environment and it has none.

    `source` is what decides here: not where that is an environment, or asked for by name.
    """
    return look(world.cwd, world.layout) if source.kind in _ASKED else None


def look(cwd: str, layout: Layout) -> Worktree | None:
    """Return the nearest directory from `cwd` upwards that lacks what the main worktree has."""
    found = _worktree(cwd)
    if found is None:
        return None
    root, main = found
    for directory in upwards(cwd):
        if os.path.lexists(inside(directory)):
            return None  # what it is, is told elsewhere
        counterpart = f"{main.rstrip('/')}{directory[len(root.rstrip('/')) :]}"
        known = of_directory(layout, counterpart)
        if known and is_itself(known, layout):
            return Worktree(directory=directory, main=main, environment=known)
        if directory == root:
            break
    return None


def warning(source: Source, world: World) -> tuple[str, ...]:
    """Return what to tell of such a worktree, nothing of nothing."""
    found = lonely(source, world)
    return (f"{found.said}; for the same one here: {found.command}",) if found else ()


def _worktree(cwd: str) -> tuple[str, str] | None:
    """Return the root of the worktree that a directory is in, and that of the main one.

    Both are absolute, the latter is real. git's own files must say so on both sides.
    """
    for directory in upwards(cwd):
        path = f"{directory.rstrip('/')}/.git"
        if not os.path.lexists(path):
            continue
        own = path_in(path, "gitdir:")  # nothing of a directory: that is a main one
        git, _, _ = own.rpartition("/worktrees/")
        if not git.endswith("/.git"):
            return None  # a submodule's, or a bare repository's
        back = path_in(f"{own}/gitdir")
        if not back or os.path.realpath(back) != os.path.realpath(path):
            return None
        return directory, os.path.realpath(git.removesuffix("/.git") or "/")
    return None

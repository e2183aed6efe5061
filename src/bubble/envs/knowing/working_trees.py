"""Somebody's work inside an environment: checkouts of editable installs, and other repositories.

pip puts what `-e git+…` names into `src` of the environment that it installs into. People work
there; an environment can be made again, their changes can't.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.editables import editables, site_packages
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.selection.path import find_tool
from bubble.system.files import names_in
from bubble.system.git import unsaved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bubble.system.layout import Layout

SYSTEMS = {".git": "git", ".hg": "hg", ".svn": "svn", ".bzr": "bzr"}  # as installers call them
_NOT_LOOKED_INTO = {"__pycache__", "bin", "include", "node_modules"}
_SHOWN = 3


class Unsaved(Record):
    """A working tree (absolute path) that isn't known to be elsewhere, and why."""

    path: str
    why: str


def working_trees(root: str) -> list[str]:
    """Return the directories in the environment at `root` that hold somebody's work (absolute).

    Those that are under version control, and the projects of editable installs.
    """
    real = os.path.realpath(root)
    found = dict.fromkeys(_controlled(root))
    for editable in editables(root):
        project = editable.project
        inside = f"{os.path.realpath(project)}/".startswith(f"{real}/") and os.path.isdir(project)
        if inside and not any(f"{project}/".startswith(f"{tree}/") for tree in found):
            found[project] = None
    return list(found)


def unsaved_in(root: str, env: Mapping[str, str], layout: Layout) -> list[Unsaved]:
    """Return the working trees in the environment at `root` that nothing would bring back.

    git is run, alone (`system.git`), where there is one to compare.
    """
    trees = working_trees(root)
    git = find_tool("git", env, layout) if trees else ""
    found = ((tree, _why(tree, git, root)) for tree in trees)
    return [Unsaved(path=tree, why=why) for tree, why in found if why]


def told(trees: Sequence[Unsaved]) -> str:
    """Return a phrase that names working trees, and why they can't go."""
    named = [f"{printable(t.path, 500)}: {printable(t.why, 200)}" for t in trees[:_SHOWN]]
    more = f" and {len(trees) - _SHOWN} more" if trees[_SHOWN:] else ""
    return f"{'; '.join(named)}{more}"


def require_saved(
    root: str, env: Mapping[str, str], layout: Layout, *, hint: str, carried: Sequence[str] = ()
) -> None:
    """Raise BubbleError(environment) where somebody's work would go with what is at `root`.

    What lies below one of `carried` (absolute) stays, and isn't asked for.
    """
    trees = [
        tree
        for tree in unsaved_in(root, env, layout)
        if not any(f"{tree.path}/".startswith(f"{kept}/") for kept in carried)
    ]
    if trees:
        raise BubbleError("environment", f"somebody's work would be lost: {told(trees)}", hint=hint)


def _why(tree: str, git: str, root: str) -> str:
    if not os.path.lexists(f"{tree}/.git"):
        system = next((s for name, s in SYSTEMS.items() if os.path.lexists(f"{tree}/{name}")), "")
        return (
            f"whether its changes are elsewhere only {system} knows"
            if system
            else ("it is installed for editing, and under no version control")
        )
    return unsaved(tree, git, within=root)


def _controlled(root: str) -> Iterator[str]:
    """Yield the directories below `root` that are under version control, not those inside them."""
    packages = {f"{root}/{directory}" for directory in site_packages(root)}
    todo = [root]
    while todo:
        directory = todo.pop()
        try:
            with os.scandir(directory) as entries:
                found = {e.name: e for e in entries}
        except OSError:
            continue
        if not found.keys().isdisjoint(SYSTEMS):
            yield directory
            continue
        below = [e.path for e in found.values() if e.is_dir(follow_symlinks=False)]
        if directory in packages:  # whatever is in a package was installed
            yield from (p for p in below if not set(names_in(p)).isdisjoint(SYSTEMS))
            continue
        todo += sorted(p for p in below if os.path.basename(p) not in _NOT_LOOKED_INTO)

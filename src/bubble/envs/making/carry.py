"""Somebody's work in an environment that is made anew: it goes along, or nothing is done.

Checkouts in `src` and other working trees (`knowing.working_trees`) are copied into the staged
environment, and installed from there. Where they aren't to go along, only what is known to be
elsewhere is thrown away with the old environment.
"""

from __future__ import annotations

import os

from bubble.envs.exchange.export import sayable
from bubble.envs.knowing.editables import editables, site_packages
from bubble.envs.knowing.working_trees import require_saved, working_trees
from bubble.envs.making.duplicate import duplicate
from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.system.layout import Layout


def carriable(path: str) -> tuple[str, ...]:
    """Return the working trees in the environment at `path` that can go along, relative to it.

    Not those among the packages of one minor version, nor the environment itself.
    """
    packages = tuple(f"{path}/{directory}/" for directory in site_packages(path))
    trees = (tree for tree in working_trees(path) if tree != path)
    return tuple(os.path.relpath(t, path) for t in trees if not f"{t}/".startswith(packages))


def carry(path: str, root: str, carried: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Copy trees of the environment at `path` into the staged one at `root`, both absolute.

    Returns the installer's arguments, which name them there.
    """
    for tree in carried:
        os.makedirs(f"{root}/{tree}", exist_ok=True)
        duplicate(f"{path}/{tree}", f"{root}/{tree}")
    moved = {f"{path}/{tree}": f"{root}/{tree}" for tree in carried}
    before = ("", *arguments)
    return [
        sayable(_moved(argument, moved)) if option == "-e" else argument
        for option, argument in zip(before, arguments, strict=False)
    ]


def require_nothing_lost(
    path: str, env: Mapping[str, str], layout: Layout, *, carried: Sequence[str] = ()
) -> None:
    """Raise BubbleError(environment) where work would go with the environment at `path`.

    Replacing it is no word on what somebody works on in it.
    """
    if os.path.isdir(path):
        from shlex import quote

        title = os.path.basename(path) if os.path.dirname(path) == layout.envs else path
        require_saved(
            path,
            env,
            layout,
            hint="commit and push it, or move it away; to throw it away with the environment: "
            f"bubble remove --yes {quote(printable(title))}",
            carried=tuple(f"{path}/{tree}" for tree in carried),
        )


def require_projects(root: str, path: str) -> None:
    """Raise BubbleError(environment) where the environment that will be at `path` needs the old.

    It lies at `root`, relocated: what it has installed for editing must not lie in what it
    replaces.
    """
    for editable in editables(root):
        inside = os.path.relpath(editable.project, path)
        if editable.project.startswith(f"{path}/") and not os.path.isdir(f"{root}/{inside}"):
            shown = printable(editable.project, 500)
            raise BubbleError(
                "environment",
                f"{shown}, which is to be installed for editing, goes with the environment that "
                "it lies in",
                hint="move it out of there, and name its new place; for a checkout: "
                "-e git+URL@COMMIT#egg=NAME, as bubble export writes it",
            )


def _moved(argument: str, moved: Mapping[str, str]) -> str:
    real = os.path.realpath(argument) if os.path.isabs(argument) else ""
    for before, after in moved.items():
        known = os.path.realpath(before)
        if f"{real}/".startswith(f"{known}/"):
            return after + real[len(known) :]
    return argument

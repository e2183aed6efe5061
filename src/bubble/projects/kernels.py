"""The Jupyter kernel that a bubble keeps: made, renewed and taken away with its environment."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects.state import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.manifest import Bubble, Project
    from bubble.projects.state import State
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

_NEEDS = "ipykernel"


def require_ipykernel(project: Project, bubble: Bubble, expected: Mapping[str, str]) -> None:
    """Raise BubbleError(manifest) where a kernel is wanted and the lock has no ipykernel."""
    if bubble.kernel and _NEEDS not in expected:
        raise BubbleError(
            "manifest",
            f"the bubble {bubble.name} is to keep a Jupyter kernel, and has no {_NEEDS}",
            hint=f"add {_NEEDS} to its dependencies in {printable(project.manifest, 500)}",
        )


def is_current(_project: Project, bubble: Bubble, environment: Environment, known: State) -> bool:
    """Whether a bubble's kernel is there and this environment's, or gone where none is wanted."""
    if not bubble.kernel:
        return not known.kernel
    from bubble.envs.kernel import read_kernel

    kernel = read_kernel(known.kernel) if known.kernel else None
    return kernel is not None and kernel.identity == environment.identity


def keep_kernel(
    project: Project, bubble: Bubble, environment: Environment, known: State, world: World
) -> str:
    """Make a bubble's kernel what it is to be; return its directory (absolute), "" for none.

    Only a kernel that sync made is taken away. Raises BubbleError and OSError.
    """
    if is_current(project, bubble, environment, known):
        return known.kernel
    from bubble.envs.kernel import install_kernel, read_kernel, remove_kernel

    before = read_kernel(known.kernel) if known.kernel else None
    name = os.path.basename(known.kernel)
    if before is not None and before.is_ours and before.environment != environment.path:
        if os.path.lexists(before.environment):
            name = ""  # the original's, of which this is a copy
        else:
            remove_kernel(before, world.layout)  # of what was moved here: it comes along
        before = None
    if not bubble.kernel:
        if before is not None and before.is_ours and before.environment == environment.path:
            remove_kernel(before, world.layout)
        return ""
    base = os.path.basename(project.root)
    name = name or _name(f"{base}-{bubble.name}")
    version = environment.request.rpartition(".")[0] or environment.request
    title = f"Python {version} ({base} {bubble.name})"
    try:
        kernel = install_kernel(environment, world.env, name=name, display_name=title)
    except BubbleError as error:
        if error.kind != "usage":
            raise
        name = f"{name}-{digest(os.fsencode(project.root))[:6]}"  # another project's has the name
        kernel = install_kernel(environment, world.env, name=name, display_name=title)
    return kernel.path


def _name(text: str) -> str:
    """Return a kernel's name: Jupyter takes ASCII letters, digits, `-`, `_` and `.`."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in text)
    return kept.strip("-.").lower()[:100] or "bubble"

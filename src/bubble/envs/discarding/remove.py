"""Throwing an environment away: only what bubble knows and made, without a trace."""

from __future__ import annotations

import os
from shlex import quote

from bubble.envs.knowing import placing
from bubble.envs.knowing.working_trees import require_saved
from bubble.model.errors import BubbleError
from bubble.model.text import printable, shell_word
from bubble.selection import registry
from bubble.selection.identity import is_registered, mark_file
from bubble.system.files import unlink_quietly
from bubble.system.removal import set_aside
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


def remove(
    environment: Environment,
    layout: Layout,
    *,
    env: Mapping[str, str] | None = None,
    discard: bool = False,
    also: Callable[[Environment], object] | None = None,
) -> bool:
    """Delete a registered environment and its record; False when it was gone already.

    The directory must carry the identity that the record has, and must be no link: anything else
    is left alone. It leaves its place in one step; its bytes go afterwards, by descriptor, across
    no link and no mount. An environment that another tool made is only forgotten. Where somebody's
    work would go that isn't known to be elsewhere (`knowing.working_trees`; `env` says where git
    is), `discard` must say so. `also` gets the
    record before that goes: for what has to go with the environment. Raises
    BubbleError(environment, store) and OSError.
    """
    path = environment.path
    with placing.lock(layout, path):
        environment = registry.current(layout, environment)  # it may have been made anew
        sweep(layout)  # which may end what a killed removal began
        remains = None
        if environment.maker == "bubble" and os.path.lexists(path):
            _require_ours(environment, layout)
            if not discard:
                shown = quote(printable(environment.title))
                require_saved(
                    path,
                    env or {},
                    layout,
                    hint="commit and push it, or move it away; to throw it away: "
                    f"bubble remove --yes {shown}",
                )
            remains = set_aside(layout, path)
        else:
            _take_mark(environment, layout)
        if also:
            also(environment)
        try:
            if remains:
                remains.delete()
        finally:  # the record goes last: until then, whoever was killed can say it again
            registry.abandon(layout, environment)
            registry.forget(layout, environment)
            if environment.identity and "/" not in environment.identity:
                unlink_quietly(f"{layout.synced}/{environment.identity}")
    return remains is not None


def release_adopted(layout: Layout) -> None:
    """Leave every environment that another tool made as it was before it was adopted.

    For when the store goes, which alone knows of them. Raises OSError.
    """
    for environment in registry.environments(layout):
        _take_mark(environment, layout)


def _take_mark(environment: Environment, layout: Layout) -> None:
    mark = mark_file(environment)
    if environment.maker != "bubble" and mark and is_registered(environment, layout):
        unlink_quietly(mark)


def _require_ours(environment: Environment, layout: Layout) -> None:
    path = environment.path
    shown = printable(path, 500)
    if os.path.islink(path):
        raise BubbleError(
            "environment",
            f"{shown} is a link, which bubble didn't make",
            hint="remove the link by hand",
        )
    if not is_registered(environment, layout):
        raise BubbleError(
            "environment",
            f"{shown} is not the environment that was registered there",
            hint=f"look into it; to take it in, if you trust it: bubble adopt {shell_word(path)}",
        )
    placing.require_unmounted(path)

"""Renaming a named environment: a clone under the new name, then the old one goes."""

from __future__ import annotations

import os

from bubble.envs.knowing import placing
from bubble.envs.making.clone import both_locks, copy_to, require_sound
from bubble.model.errors import BubbleError
from bubble.model.name import require_name
from bubble.model.text import printable, shell_word
from bubble.selection import registry
from bubble.selection.identity import mark_of
from bubble.system.removal import set_aside
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


def rename(
    source: Environment,
    name: str,
    layout: Layout,
    *,
    also: Callable[[Environment, Environment], object] | None = None,
) -> Environment:
    """Give a named environment another name, and return its new record.

    The new one is complete before the old one leaves its place: killed in between, the old one
    works, or the new one, or both; the same command then ends what was begun. `also` gets both
    records while both environments are there: for what has to follow. Raises BubbleError
    (usage, environment, in_use, store) and OSError.
    """
    require_name(name)
    if not source.name and placing.bubble_at(source.path):
        raise BubbleError(
            "usage",
            f"{printable(source.path)} is called what its project's manifest calls it",
            hint="change the name there, remove this one, then: bubble sync --all",
        )
    if not source.name:
        raise BubbleError(
            "usage",
            f"{printable(source.path)} has no name: it belongs to its directory",
            hint=f"bubble clone {shell_word(source.path)} {name}",
        )
    if source.path != f"{layout.envs}/{source.name}" or source.maker != "bubble":
        raise BubbleError(
            "usage",
            f"{source.name} lies at {printable(source.path)}, where bubble didn't put it",
            hint=f"bubble clone {source.name} {name}",
        )
    with both_locks(layout, source.path, f"{layout.envs}/{name}"):
        source = registry.current(layout, source)  # it may have been made anew meanwhile
        new = source.replace(name=name, path=f"{layout.envs}/{name}")
        sweep(layout)
        if not _is_done_already(source, new, layout):
            require_sound(source, layout)
            _require_deletable(source.path)
            copy_to(source, new, layout, links=True)  # what it shares, with whom it does
        if also:
            also(source, new)
        remains = set_aside(layout, source.path) if os.path.lexists(source.path) else None
        try:
            if remains:
                remains.delete()
        finally:  # whoever is killed before can say it again
            registry.forget(layout, source)
    return new


def _is_done_already(source: Environment, new: Environment, layout: Layout) -> bool:
    """Whether an earlier attempt got as far as the new environment; refuse a name that is taken."""
    known = registry.of_name(layout, new.name)
    there = os.path.lexists(new.path)
    begun = known is not None and known.identity == source.identity and new.name != source.name
    if begun and there and not os.path.islink(new.path):
        if mark_of(new.path) == source.identity:
            return True
    elif not there and (begun or known is None):
        return False
    raise BubbleError(
        "in_use",
        f"{new.name} is there already",
        hint=f"choose another name; what is there: bubble info {new.name}",
    )


def _require_deletable(path: str) -> None:
    if os.path.islink(path):
        raise BubbleError(
            "store",
            f"{printable(path)} can't be moved: it is a link",
            hint="remove the link by hand",
        )
    placing.require_unmounted(path)

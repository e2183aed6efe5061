"""Where an environment is to be made and something is there: what it is, and what keeps it.

Only what this store made is ever replaced, and only when that was asked for.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.placing import require_unmounted
from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.selection import registry
from bubble.selection.identity import is_itself, mark_of, reached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

THROWS_AWAY = "--force throws it away, with all that is installed in it"


def require_free(
    new: Environment,
    layout: Layout,
    *,
    force: bool,
    arguments: Sequence[str] = (),
    again: str = "",
) -> None:
    """Raise BubbleError(in_use) unless the place of `new` is free, or ours and to be replaced.

    What a killed creation left there, complete but told to nobody, is replaced without being asked.
    `arguments` are what the installer was to get: the hint says how to install it into what is
    there. `again` is the command to say once the place is free.
    """
    if not os.path.lexists(new.path):
        return
    identity = mark_of(new.path)
    unfinished = registry.unfinished(layout, new)
    begun = bool(identity) and unfinished is not None and unfinished.identity == identity
    known = registry.current(layout, new)
    here = bool(identity) and known.path == new.path and is_itself(known, layout)
    if os.path.islink(new.path) or not (begun or here):
        _require_ours(
            new, layout, force=force, command=again or f"bubble create {new.name}".rstrip()
        )
    elif not force and not begun:
        raise BubbleError(
            "in_use",
            f"{printable(new.path, 500)} is there already",
            hint=_into_it(new, arguments),
        )
    require_unmounted(new.path)


def _require_ours(new: Environment, layout: Layout, *, force: bool, command: str) -> None:
    """Refuse what isn't registered in this place, but for a copy of ours that is to be replaced."""
    from bubble.envs.knowing.ownership import claim

    shown = printable(new.path, 500)
    if (original := reached(new.path, layout)) and original.path != new.path:
        raise BubbleError(
            "in_use",
            f"{shown} is there already: it leads to {printable(original.title, 500)}",
            hint=f"use that as it is, or remove the link, then: {command}",
        )
    found = claim(new.path, layout)
    if found.is_ours and not os.path.islink(new.path):
        if not force:
            keep = "keep it, and let it be this one's" + f", {found.condition}" * (
                found.condition != ""
            )
            raise BubbleError(
                "in_use",
                f"{shown} is there already: it {found.said}",
                hint=f"{keep}: {found.command}; {THROWS_AWAY}",
            )
        return
    known = registry.current(layout, new)
    if known.path == new.path and is_itself(known, layout):
        raise BubbleError(
            "in_use",
            f"{shown} is there already: {known.maker} made it, and bubble only knows it",
            hint=f"move it away, then: {command}",
        )
    if not _can_be_adopted(new.path, layout):
        raise BubbleError(
            "in_use",
            f"{shown} is there already, and bubble didn't make it",
            hint=f"move it away, then: {command}",
        )
    raise BubbleError(
        "in_use",
        f"{shown} is there already, and {found.said}",
        hint=f"move it away, then: {command}; or if you trust what is in it: {found.command}",
    )


def _into_it(new: Environment, arguments: Sequence[str]) -> str:
    """Return how to have what was asked for, with what is there."""
    from shlex import quote  # which costs as much as the rest of a creation that goes well

    word = quote(new.name or os.path.basename(new.path))
    if not arguments or any(os.path.basename(a).startswith("pylock.") for a in arguments):
        return f"see what is in it: bubble info {word}; {THROWS_AWAY}"
    wanted = " ".join(quote(argument) for argument in arguments)
    if os.path.exists(f"{new.path}/bin/pip"):
        return f"install into it: bubble run {word} pip install {wanted}; {THROWS_AWAY}"
    return f"install into it: uv pip install --python {quote(new.path)} {wanted}; {THROWS_AWAY}"


def _can_be_adopted(path: str, layout: Layout) -> bool:
    from bubble.envs.making.adopt import examine

    try:
        return examine(path, "", layout) == path
    except BubbleError:
        return False

"""Who uses which interpreter: what makes an uninstall think twice."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.selection.registry import environments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.pythons.store import Installation
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

_SHOWN = 5


def users_by_prefix(layout: Layout) -> dict[str, list[Environment]]:
    """Return the environments by the absolute prefix of the installation that they run on now.

    A minor link counts for the installation that it points at.
    """
    found: dict[str, list[Environment]] = {}
    targets: dict[str, str] = {}
    for environment in environments(layout):
        link = environment.interpreter
        if link not in targets:
            targets[link] = _target(link)
        found.setdefault(targets[link], []).append(environment)
    return found


def would_break(installation: Installation, layout: Layout) -> list[Environment]:
    """Return the environments that stop working when an installation goes.

    One made for the minor goes on with another patch release of it, if one is installed.
    """
    using = users_by_prefix(layout).get(installation.prefix, [])
    if not using:
        return []
    minor = f"{layout.pythons}/{installation.key.minor}"
    if _has_other_patch(installation, layout):
        return [e for e in using if e.interpreter != minor]
    return using


def carried_along(installed: Iterable[Installation], layout: Layout) -> list[Environment]:
    """Return the environments that follow their minor link to one of the installations."""
    minors = {f"{layout.pythons}/{i.key.minor}" for i in installed}
    return [e for e in environments(layout) if e.interpreter in minors]


def held(layout: Layout) -> set[str]:
    """Return the prefixes that environments are bound to: made for that exact build."""
    return {e.interpreter for e in environments(layout) if not os.path.islink(e.interpreter)}


def require_unused(installation: Installation, layout: Layout) -> None:
    """Raise BubbleError(in_use), which names them, while environments need an installation."""
    breaks = would_break(installation, layout)
    if not breaks:
        return
    titles = [e.title for e in breaks]
    more = f" and {len(titles) - _SHOWN} more" if titles[_SHOWN:] else ""
    shown = ", ".join(titles[:_SHOWN]) + more
    raise BubbleError(
        "in_use",
        f"{installation.key.name} is used by {len(titles)} "
        f"environment{'s' * (len(titles) > 1)}: {shown}",
        hint="look at them first: bubble list; --force breaks them",
        details={"used_by": [e.path for e in breaks]},
    )


def _target(link: str) -> str:
    if not os.path.islink(link):
        return link
    return os.path.join(os.path.dirname(link), os.readlink(link))


def _has_other_patch(installation: Installation, layout: Layout) -> bool:
    from bubble.pythons.store import installations

    return any(
        other.key.minor == installation.key.minor
        and other.key.platform == installation.key.platform
        and other.key != installation.key
        for other in installations(layout)
    )

"""The system's store, which an administrator keeps for everybody, below a user's own: only read.

Nothing is ever written there on behalf of a user, not even a lock; it may be on a medium that
can't be written. Whoever looks after it uses it as a store of its own (`bubble --system`).
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout


def has_system(layout: Layout) -> bool:
    """Whether a store of the system's lies below this one, open to this user. Costs one look."""
    return bool(layout.system) and os.access(layout.beneath.pythons, os.R_OK | os.X_OK)


def is_closed(layout: Layout) -> bool:
    """Whether there is a store of the system's that this user may not enter: a group's, say."""
    from bubble.system.gone import barred

    return bool(layout.system) and not has_system(layout) and bool(barred(layout.beneath.pythons))


def not_ours(title: str, layout: Layout) -> BubbleError:
    """Return the error for a change of what lies in the system's store; `title` is for people."""
    return BubbleError(
        "permission",
        f"{title} belongs to the system's store, {printable(layout.system, 500)}: whoever looks "
        "after this machine changes it, and your own bubble only reads it",
        hint="ask them; which you have, and whose: bubble list",
        details={"system_home": layout.system},
    )

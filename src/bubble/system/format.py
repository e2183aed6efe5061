"""The number of the store's format: which bubble may use it as it is."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.layout import Layout

FORMAT = "2"


def is_current(layout: Layout) -> bool:
    """Whether the store has this format, or isn't there yet. Costs one call of the system.

    Raises BubbleError(store) for one of a newer bubble.
    """
    try:
        found = os.readlink(layout.format)
    except OSError:
        return not os.path.lexists(layout.home)
    if found == FORMAT:
        return True
    if found.isdecimal() and int(found) > int(FORMAT):
        raise BubbleError(
            "store",
            f"{layout.home} has format {found}, of a newer bubble; this one knows {FORMAT}",
            hint="update bubble, or set BUBBLE_HOME to another directory",
        )
    return False

"""What many directories select: what the same requests mean is looked up once for all of them."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.selection.answers import meant
from bubble.selection.resolve import resolve
from bubble.selection.sources import choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import Selection, World
    from bubble.selection.sources import Choice


class Selector:
    """`resolve.select` for thousands of directories of one store.

    What was looked up isn't looked up again: what is installed since doesn't show.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Selection | None] = {}

    def select(self, world: World) -> Selection | None:
        """Return what the working directory selects; None where `resolve.select` raises."""
        try:
            choice = choose(world.cwd, world.env, world.layout)
            source, entries = choice.source, choice.entries
            if source.kind not in {"file", "global"}:
                return resolve(choice, world)
            asked = (source.kind, entries, *(meant(entry, source, world) for entry in entries))
        except BubbleError:
            return None
        if asked not in self._known:
            self._known[asked] = _resolved(choice, world)
        found = self._known[asked]
        return found and found.replace(source=source)


def _resolved(choice: Choice, world: World) -> Selection | None:
    try:
        return resolve(choice, world)
    except BubbleError:
        return None

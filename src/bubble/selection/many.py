"""What many directories select: what the same requests mean is looked up once for all of them."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.selection.answers import meant
from bubble.selection.resolve import resolve
from bubble.selection.sources import choose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import Answer, World
    from bubble.selection.sources import Choice, Source

    Answers = tuple[Answer, ...]


class Selector:
    """`resolve.select` for thousands of directories of one store.

    What was looked up isn't looked up again: what is installed since doesn't show.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Answers] = {}

    def select(self, world: World) -> tuple[Source, Answers] | None:
        """Return the source that decides in the working directory, and what it selects.

        None where `resolve.select` raises. Of an answer's entry, the line may be another file's.
        """
        try:
            choice = choose(world.cwd, world.env, world.layout)
            source = choice.source
            if source.kind not in {"file", "global"}:
                return source, resolve(choice, world).answers
            asked = (source.file_name, *[meant(entry, source, world) for entry in choice.entries])
        except BubbleError:
            return None
        answers = self._known.get(asked)
        if answers is None:
            answers = self._known[asked] = _answers(choice, world)
        return (source, answers) if answers else None


def _answers(choice: Choice, world: World) -> Answers:
    """Return what a source selects, which is something; nothing where that is an error."""
    try:
        return resolve(choice, world).answers
    except BubbleError:
        return ()

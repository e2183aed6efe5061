"""The Python that a directory asks for below any environment: what a new one is made of."""

from __future__ import annotations

from bubble.selection.sources import candidates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import World


def selected_request(world: World) -> str:
    """Return the first request that the working directory makes, environments left out.

    "3", the newest installed one, where nothing names one. Raises BubbleError(version_file).
    """
    for choice in candidates(world.cwd, world.env, world.layout):
        if choice.source.kind != "environment" and choice.entries:
            return choice.entries[0].text
    return "3"

"""The Python that a directory asks for below any environment: what a new one is made of."""

from __future__ import annotations

from bubble.pythons.installed import store
from bubble.selection.answers import meant
from bubble.selection.sources import candidates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.resolve import World
    from bubble.selection.sources import Source
    from bubble.system.version_file import Entry


def selected_request(world: World) -> str:
    """Return the first request that the working directory makes, environments left out.

    A range's is the pin above it that is in the range, if there is one. "3", the newest installed
    one, where nothing names one. Raises BubbleError(version_file).
    """
    for choice in candidates(world.cwd, world.env, world.layout):
        if choice.source.kind != "environment" and choice.entries:
            return _pinned(choice.entries[0], choice.source, world)
    return "3"


def _pinned(entry: Entry, source: Source, world: World) -> str:
    asked, *pins = meant(entry, source, world).split("^")
    if pins:
        best = store.meaning("^".join([asked, *pins]), world.layout, world.platform)
        for pin in pins:
            if best is not None and store.meaning(pin, world.layout, world.platform) == best:
                return pin
    return asked

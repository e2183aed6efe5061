"""The interpreter of a script: its lock's, else the pin of its directory, else the newest that is.

What is missing is installed: running a script is the user's command, not the directory's.
"""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.request import parse_request
from bubble.pythons.installed import store
from bubble.selection.sources import pin_above

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.scripts.metadata import Metadata
    from bubble.projects.scripts.source import Script
    from bubble.pythons.installed.store import Installation
    from bubble.pythons.installing.progress import Progress
    from bubble.selection.resolve import World
    from bubble.system.layout import Layout


def request_of(script: Script, metadata: Metadata, world: World) -> str:
    """Return the request for a script's interpreter, where no lock names one.

    A pin of its directory that is installed and in the range, else the range; without a range the
    first pin that is installed, else the first; without either, any.
    """
    asked = metadata.requires_python
    wanted = _pins(script, world.layout)
    for text in wanted:
        best = store.meaning(text, world.layout, world.platform)
        if best is None:
            continue
        if not asked or parse_request(asked).matches(best.key, world.platform):
            return text
    return asked or (wanted[0] if wanted else "3")


def installation_of(request: str, world: World, progress: Progress) -> Installation:
    """Return the best installation for a request, installed if there is none.

    Raises BubbleError (unavailable, offline, download, checksum, …).
    """
    found = store.meaning(request, world.layout, world.platform)
    if found is not None:
        return found
    from bubble.pythons.installing.batch import install_requests

    batch = install_requests([parse_request(request)], world, progress)
    if batch.errors:
        raise batch.errors[0]
    return batch.installed[0].installation


def _pins(script: Script, layout: Layout) -> list[str]:
    """Return the versions that the nearest version file above a script asks for, or the global pin.

    One that can't be read says nothing: it is a preference here, as beside a `pyproject.toml`.
    """
    try:
        above = pin_above(f"{script.directory.rstrip('/')}/script", layout)
    except BubbleError:
        return []
    return [entry.text for entry in (above.entries if above else ()) if _is_pin(entry.text)]


def _is_pin(text: str) -> bool:
    try:
        return parse_request(text).is_python
    except BubbleError:
        return False

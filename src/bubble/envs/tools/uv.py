"""uv, for whoever resolves or installs packages with it: found, or fetched where there is none."""

from __future__ import annotations

from bubble.envs.tools.found import is_recent, own_uv, uvs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.selection.resolve import World


def uv_for(
    world: World, *, fetch: bool = False, tell: Callable[[str], None] = lambda _: None
) -> str:
    """Return the absolute path of a uv that is recent enough, "" where there is none.

    With `fetch`, bubble's own is put into the store then, by the user's configuration of pip;
    `tell` gets a sentence before. Raises BubbleError (offline: BUBBLE_OFFLINE is set; unavailable:
    uv isn't built for this platform, or there is no pip to fetch it with; download, checksum,
    archive, probe, locked) and OSError; then nothing has changed.
    """
    for found in uvs(world.env, world.layout):
        if found.place == "store" or is_recent(found.path, world.env):
            return found.path
    if not fetch:
        return ""
    from bubble.envs.tools.fetch import fetch_uv

    fetch_uv(world, tell)
    return own_uv(world.layout)

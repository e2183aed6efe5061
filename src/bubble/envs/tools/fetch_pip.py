"""Fetching upstream's pip, for an archive of an interpreter whose own is its distribution's."""

from __future__ import annotations

import os

from bubble.envs.tools.fetch import download
from bubble.model.errors import BubbleError
from bubble.pythons.installed.pip_wheels import known
from bubble.system.files import sha256_of, write_atomic
from bubble.system.http.settings import offline
from bubble.system.lock import Lock, lock_timeout
from bubble.system.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.selection.resolve import World

_OTHERWISE = "or install a Python that brings its own: bubble python install 3"


def fetch_pip(version: str, world: World, tell: Callable[[str], None]) -> str:
    """Return the path of upstream's wheel of a known version of pip, which the user's pip gets.

    It stays in the cache of downloads, by its sha256 as all do. Raises BubbleError (offline,
    unavailable, download, checksum, locked) and OSError.
    """
    layout, digest = world.layout, known(version)
    path = f"{layout.downloads}/{digest}"
    with Lock(f"{layout.download_locks}/{digest}", timeout=lock_timeout(world.env)):
        if sha256_of(path) == digest:
            return path
        if offline(world.env):
            raise BubbleError(
                "offline",
                f"pip {version} is needed, but BUBBLE_OFFLINE switches the network off",
                hint=f"unset BUBBLE_OFFLINE, {_OTHERWISE}",
            )
        tell(f"getting pip {version}: this Python's own is its distribution's")
        with Staging(layout, f"{layout.home}/pip-{version}") as staging:
            os.mkdir(scratch := f"{staging.path}/.scratch")
            wheel = download("pip", version, {digest}, scratch, world, staging, _OTHERWISE)
            os.makedirs(layout.downloads, exist_ok=True)
            with open(wheel, "rb") as file:
                write_atomic(path, file.read())
        return path

"""The interpreter that a lock names: this build, these bytes, installed where it is missing.

A lock may lie in anybody's repository. Only what the user's own catalogue knows by its sha256, or
what upstream's own address serves with these bytes, gets into the store that all projects share.
"""

from __future__ import annotations

from bubble.model.download import UPSTREAM, Download
from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.text import printable
from bubble.pythons.installed import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.lockfile import Build, Lock
    from bubble.pythons.installed.store import Installation
    from bubble.pythons.installing.progress import Progress
    from bubble.selection.resolve import World


def build_for(lock: Lock, path: str, world: World) -> Build:
    """Return the build that a lock (at `path`) names for this machine; raise BubbleError(lock)."""
    for build in lock.builds:
        if parse_key(build.key).platform == world.platform:
            return build
    names = ", ".join(str(parse_key(build.key).platform) for build in lock.builds)
    raise BubbleError(
        "lock",
        f"{printable(path, 500)} names no interpreter for {world.platform}"
        + (f", only for {names}" if names else ""),
        hint="make it anew here: bubble lock",
    )


def installed(build: Build, world: World) -> Installation | None:
    """Return the installation of exactly this build; None where there is none.

    Raises BubbleError(lock) where the store has another build of the same version.
    """
    present = store.installation_at(world.layout, build.key)
    if present is None:
        return None
    receipt = store.read_receipt(present.prefix)
    if receipt.sha256 == build.sha256:
        return present
    raise BubbleError(
        "lock",
        f"{present.key.name} is installed as build {receipt.build or 'of unknown origin'}, "
        f"and the lock has build {build.build}",
        hint=f"exchange it for all that use it: bubble python uninstall {build.key} --force; "
        "then sync again; or lock what is here: bubble lock --python",
    )


def require(build: Build, world: World, progress: Progress) -> Installation:
    """Return the installation of exactly this build, installed if need be.

    Raises BubbleError (lock, unavailable, offline, download, checksum, …).
    """
    from bubble.pythons.installing.batch import install_downloads

    found = installed(build, world)
    if found is not None:
        return found
    batch = install_downloads([_download(build, world)], world, progress)
    if batch.errors:
        raise batch.errors[0]
    return batch.installed[0].installation


def _download(build: Build, world: World) -> Download:
    from bubble.pythons.catalogue import open_catalogue

    key = parse_key(build.key)
    known = open_catalogue(world.layout, world.env, refresh=True).by_sha256(build.sha256)
    if known is not None and known.key == key:
        return known
    if build.url.startswith(UPSTREAM) and ".." not in build.url:
        return Download(key=key, url=build.url, sha256=build.sha256, build=build.build)
    raise BubbleError(
        "unavailable",
        f"the lock's build of {key.name} is in no catalogue that is known here "
        f"(sha256 {build.sha256[:12]}…)",
        hint="fetch a newer catalogue: bubble python update; or say where it is: BUBBLE_CATALOG",
    )

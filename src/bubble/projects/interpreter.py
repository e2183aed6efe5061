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
    """Return the installation of exactly this build, by the sha256 of its archive, or None."""
    for present in store.stands_at(world.layout, build.key):
        if store.read_receipt(present.prefix).sha256 == build.sha256:
            return present
    return None


def require(build: Build, world: World, progress: Progress) -> Installation:
    """Return the installation of exactly this build, installed if need be.

    Raises BubbleError (lock: the store has another build of the same version; unavailable,
    offline, download, checksum, …).
    """
    found = installed(build, world)
    if found is not None:
        return found
    present = store.installation_at(world.layout, build.key)
    if present is not None:
        raise _another(build, present)
    from bubble.pythons.installing.batch import install_downloads

    batch = install_downloads([download_of(build, world)], world, progress)
    if batch.errors:
        raise batch.errors[0]
    made = batch.installed[0].installation
    if installed(build, world) is None:  # somebody else was faster, with another one
        raise _another(build, made)
    return made


def _another(build: Build, present: Installation) -> BubbleError:
    receipt = store.read_receipt(present.prefix)
    what = f"build {receipt.build}" if receipt.build else "a build of unknown origin"
    return BubbleError(
        "lock",
        f"{present.key.name} is installed as {what} (sha256 {receipt.sha256[:12] or 'unknown'}…), "
        f"and the lock has build {printable(build.build, 80)} (sha256 {build.sha256[:12]}…)",
        hint="exchange it for all that use it: "
        f"bubble python uninstall --force {build.key}, then: bubble sync; "
        "or lock what is here: bubble lock --python",
    )


def download_of(build: Build, world: World) -> Download:
    """Return what a lock's build is to be fetched as; raise BubbleError(unavailable).

    What this user's catalogue knows, or what upstream's own address serves.
    """
    from bubble.pythons.catalogue import open_catalogue

    key = parse_key(build.key)
    known = open_catalogue(world.layout, world.env, refresh=True).by_sha256(build.sha256)
    if known is not None and known.key == key:
        return known
    if _is_upstream(build):
        return Download(key=key, url=build.url, sha256=build.sha256, build=build.build)
    raise BubbleError(
        "unavailable",
        f"the lock's build of {key.name} is in no catalogue that is known here "
        f"(sha256 {build.sha256[:12]}…)",
        hint="fetch a newer catalogue: bubble python update; or say where it is: BUBBLE_CATALOG",
    )


def _is_upstream(build: Build) -> bool:
    """Whether a build's address is upstream's own, of the very build that its key names.

    So a lock can't have a debug build, or one of another version, stand in the store as this one.
    """
    from bubble.pythons.catalogue.entry import MalformedError, checked_url
    from bubble.pythons.installing.local import key_of_file

    try:
        url = checked_url(build.url)
    except MalformedError:
        return False
    tag, slash, rest = url.removeprefix(UPSTREAM).partition("/")
    found = Download(key=parse_key(build.key), url=url, sha256=build.sha256, build=build.build)
    name = found.file_name
    return (
        url.startswith(UPSTREAM)
        and bool(slash)
        and "/" not in rest
        and not set("%?#") & set(name)
        and tag == build.build
        and f"+{tag}-" in name
        and name.endswith((".tar.gz", ".tar.zst"))
        and key_of_file(name) == found.key
        and found.is_installable
    )

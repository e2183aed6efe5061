"""Which builds of the interpreter a lock names: one version, for every platform asked for."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.platform import parse_platform
from bubble.model.request import parse_request
from bubble.projects.lockfile import Build
from bubble.pythons.installed import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.model.download import Download
    from bubble.model.platform import Platform
    from bubble.pythons.catalogue import Catalogue
    from bubble.selection.resolve import World

USUAL = (
    "linux-x86_64-gnu",
    "linux-aarch64-gnu",
    "linux-x86_64-musl",
    "linux-aarch64-musl",
    "darwin-x86_64-none",
    "darwin-aarch64-none",
    "windows-x86_64-none",
)


def builds_for(
    request: str, platforms: Sequence[str], world: World, *, kept: str, newest: bool
) -> tuple[Build, ...]:
    """Return the builds of one version that satisfies `request`, this machine's first.

    The version is `kept` (of the lock before) while that satisfies the request; else, unless
    `newest`, that of the best installed interpreter whose build the catalogue has; else the newest
    that there is. Every platform of `platforms` must have it; of the usual ones, where none is
    named, those that have. Raises BubbleError(unavailable).
    """
    from bubble.pythons.catalogue import open_catalogue

    catalogue = open_catalogue(world.layout, world.env, refresh=True)
    wanted = parse_request(request)
    named = [parse_platform(text) for text in platforms]
    here = [world.platform] if not named or world.platform in named else []
    others = [p for p in named or map(parse_platform, USUAL) if p not in here]
    base = (here or others)[0]
    candidates = catalogue.matching(wanted.replace(platform=base), base)
    if not candidates:
        raise _unavailable(catalogue, request, base)
    order = _preferred(candidates, request, world, kept=kept, newest=newest)
    for download in order:
        found = [download, *(f for p in others if (f := _same(catalogue, download, p)))]
        if not named or len(found) == 1 + len([p for p in others if p != base]):
            return tuple(_build(d) for d in found)
    raise BubbleError(
        "unavailable",
        f"no version that satisfies “{request}” has builds for all of {', '.join(platforms)}",
        hint="lock for fewer platforms, or for another Python",
    )


def _preferred(
    candidates: Sequence[Download], request: str, world: World, *, kept: str, newest: bool
) -> list[Download]:
    first = []
    if not newest:
        first = [d for d in candidates if str(d.key.version) == kept]
        present = store.matching(world.layout, parse_request(request), world.platform)
        first += [d for i in present for d in candidates if d.key == i.key]
    return [*first, *(d for d in candidates if d not in first)]


def _same(catalogue: Catalogue, download: Download, platform: Platform) -> Download | None:
    """Return the build of the same version and variant for another platform."""
    key = download.key.replace(platform=platform)
    exact = parse_request(str(key))
    return next((d for d in catalogue.matching(exact, platform) if d.key == key), None)


def _build(download: Download) -> Build:
    return Build(
        key=str(download.key), build=download.build, url=download.url, sha256=download.sha256
    )


def _unavailable(catalogue: Catalogue, request: str, platform: Platform) -> BubbleError:
    from bubble.pythons.catalogue.explain import unavailable

    return unavailable(catalogue, parse_request(request), platform)

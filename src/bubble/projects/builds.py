"""Which builds of the interpreter a lock names: one version, for every platform asked for."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.platform import parse_platform
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.projects.lockfile import Build
from bubble.pythons.installed import store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bubble.model.download import Download
    from bubble.model.key import Key
    from bubble.model.platform import Platform
    from bubble.model.request import Request
    from bubble.projects.lockfile import Lock
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


class _Wanted(Record):
    """What builds are looked for.

    `platforms` are all of them in the order of the lock, the same on every machine; `first` is the
    one that the version is chosen for, this machine's if it is asked for.
    """

    request: Request
    first: Platform
    platforms: tuple[Platform, ...]
    named: bool

    @property
    def needed(self) -> set[Platform]:
        """The platforms that have to have a build."""
        return {self.first, *(self.platforms if self.named else ())}

    def satisfied_by(self, build: Build) -> bool:
        key = parse_key(build.key)
        return self.request.replace(platform=None).matches(key, key.platform, build=build.build)


def builds_for(
    text: str,
    platforms: Sequence[str],
    world: World,
    *,
    newest: bool,
    kept: str = "",
    before: Lock | None = None,
    only: str = "",
) -> tuple[Build, ...]:
    """Return the builds of one version that satisfies the request `text`.

    They are those of the lock `before` while they satisfy the request, with what is missing for a
    platform beside them; else, unless `newest`, of the version of the best installed interpreter
    whose bytes can be had elsewhere; else of the newest that there is. `kept` is a version to stay
    with as well, `only` one that it has to be. Every platform of `platforms` must have it; of the
    usual ones, where none is named, those that have. Raises BubbleError(unavailable, request, …).
    """
    wanted = _wanted(text, platforms, world)
    at_hand = [] if newest else _kept(before, wanted)
    if at_hand and _covers(at_hand, wanted) and not only:
        return tuple(at_hand)
    from bubble.pythons.catalogue import open_catalogue

    catalogue = open_catalogue(world.layout, world.env, refresh=True)
    for found in _candidates(catalogue, wanted, world, at_hand, kept, newest=newest):
        if only and str(parse_key(found[0].key).version) != only:
            continue
        if _covers(found, wanted):
            return tuple(found)
    raise _none(catalogue, wanted, only)


def _wanted(text: str, platforms: Sequence[str], world: World) -> _Wanted:
    request = parse_request(text)
    if not request.is_python:
        raise BubbleError(
            "request",
            f"“{request}” is what this directory asks for, and no version that could be locked",
            hint='say which one in the manifest: python = "3.12"',
        )
    if request.platform is not None:
        platforms = [str(request.platform)]
    named = [parse_platform(name) for name in dict.fromkeys(platforms)]
    every = tuple(named) or tuple(dict.fromkeys([*map(parse_platform, USUAL), world.platform]))
    first = world.platform if world.platform in every else every[0]
    return _Wanted(request=request, first=first, platforms=every, named=bool(named))


def _kept(before: Lock | None, wanted: _Wanted) -> list[Build]:
    """Return the builds of the lock before that are still asked for, in the order of a lock."""
    by_platform = {}
    for build in before.builds if before else ():
        if wanted.satisfied_by(build):
            by_platform[parse_key(build.key).platform] = build
    every = wanted.platforms if wanted.named else (*wanted.platforms, *by_platform)
    return [by_platform[platform] for platform in dict.fromkeys(every) if platform in by_platform]


def _covers(builds: Sequence[Build], wanted: _Wanted) -> bool:
    """Whether there is one for every platform that has to have one."""
    have = {parse_key(build.key).platform for build in builds}
    return wanted.needed <= have


def _candidates(
    catalogue: Catalogue,
    wanted: _Wanted,
    world: World,
    at_hand: Sequence[Build],
    kept: str,
    *,
    newest: bool,
) -> Iterator[list[Build]]:
    """Yield the builds of one version after another, the most wanted version first."""
    by_version = catalogue.matching(wanted.request.replace(platform=wanted.first), wanted.first)
    if at_hand:
        yield _of_version(catalogue, wanted, at_hand[0].key, at_hand)
    for download in by_version if not newest else ():
        if str(download.key.version) == kept:
            yield _of_version(catalogue, wanted, str(download.key), [])
    if not newest and wanted.first == world.platform:
        for build in _installed(catalogue, wanted, world):
            yield _of_version(catalogue, wanted, build.key, [build])
    for download in by_version:
        yield _of_version(catalogue, wanted, str(download.key), [])


def _of_version(
    catalogue: Catalogue, wanted: _Wanted, key: str, have: Sequence[Build]
) -> list[Build]:
    """Return the builds of a key's version and variant: those at hand, else the catalogue's."""
    at_hand = {parse_key(build.key).platform: build for build in have}
    found = []
    for platform in dict.fromkeys((*wanted.platforms, *at_hand)):
        build = at_hand.get(platform)
        if build is None:
            download = _in_catalogue(catalogue, key, platform)
            build = _build(download) if download else None
        if build is not None:
            found.append(build)
    return found


def _installed(catalogue: Catalogue, wanted: _Wanted, world: World) -> Iterator[Build]:
    """Yield what is installed and satisfies the request, where its bytes can be had elsewhere."""
    from bubble.model.download import UPSTREAM

    for installation in store.matching(world.layout, wanted.request, world.platform):
        try:
            receipt = store.read_receipt(installation.prefix)
        except BubbleError:
            continue
        if known := _with_bytes(catalogue, installation.key, receipt.sha256):
            yield _build(known)
        elif receipt.sha256 and receipt.origin.startswith(UPSTREAM):
            yield Build(
                key=str(installation.key),
                build=receipt.build,
                url=receipt.origin,
                sha256=receipt.sha256,
            )


def _with_bytes(catalogue: Catalogue, key: Key, sha256: str) -> Download | None:
    """Return the build of a key that has these bytes; not the newest, where that is another."""
    for found in (_in_catalogue(catalogue, str(key), key.platform), catalogue.by_sha256(sha256)):
        if found is not None and (found.key, found.sha256) == (key, sha256):
            return found
    return None


def _in_catalogue(catalogue: Catalogue, key: str, platform: Platform) -> Download | None:
    """Return the build of the same version and variant as a key's for another platform."""
    wanted = parse_key(key).replace(platform=platform)
    exact = parse_request(str(wanted))
    return next((d for d in catalogue.matching(exact, platform) if d.key == wanted), None)


def _build(download: Download) -> Build:
    from bubble.model.urls import published

    url = download.url
    if not url.startswith("file:"):
        url = published(url)[0]
    return Build(key=str(download.key), build=download.build, url=url, sha256=download.sha256)


def _none(catalogue: Catalogue, wanted: _Wanted, only: str) -> BubbleError:
    from bubble.pythons.catalogue.explain import unavailable

    request = wanted.request.replace(platform=wanted.first)
    matching = catalogue.matching(request, wanted.first)
    if only:
        return BubbleError(
            "unavailable",
            f"the catalogue has no build of Python {only}, which is to be locked",
            hint="fetch a newer one: bubble python update; or say where it is: BUBBLE_CATALOG",
        )
    if not matching:
        return unavailable(catalogue, request, wanted.first)
    lacking = _lacking(catalogue, wanted, str(matching[0].key))
    return BubbleError(
        "unavailable",
        f"no version that satisfies “{request}” has builds for all platforms of the manifest: "
        f"{matching[0].key.name} has none for {', '.join(lacking)}",
        hint="leave these out of platforms, or ask for another Python",
    )


def _lacking(catalogue: Catalogue, wanted: _Wanted, key: str) -> list[str]:
    return [str(p) for p in wanted.platforms if _in_catalogue(catalogue, key, p) is None]

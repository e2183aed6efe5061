"""What to say when the catalogue has nothing for a request: what is nearest, and the next step."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.key import SUFFIXES, VARIANTS
from bubble.model.record import Record
from bubble.model.request import HINT
from bubble.model.version import STAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.model.download import Download
    from bubble.model.key import Key
    from bubble.model.platform import Platform
    from bubble.model.request import Request
    from bubble.pythons.catalogue.catalogue import Catalogue

    # the sentence, the nearest keys (the first goes into the hint), another hint
    _Explanation = tuple[str, Sequence[Key], str]

TITLES = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}
VARIANT_TITLES = {
    "": "default",
    "freethreaded": "free-threaded",
    "debug": "debug",
    "freethreaded+debug": "free-threaded debug",
}


class _Case(Record):
    """What was asked of what: `wanted` is the platform that the request means."""

    catalogue: Catalogue
    request: Request
    wanted: Platform
    host: Platform

    def usable(self) -> tuple[Download, ...]:
        """Return what could be installed of the request's implementation and variant."""
        return tuple(
            d
            for d in self.catalogue.downloads(self.wanted)
            if d.key.implementation == self.request.implementation
            and d.key.variant == self.request.variant
            and d.is_installable
        )

    def finals(self) -> list[Key]:
        """Return the keys of `usable`, newest first, without pre-releases unless one was asked."""
        asked = self.request.stage >= 0
        return [d.key for d in self.usable() if asked or not d.key.version.is_prerelease]

    @property
    def plain(self) -> str:
        """What was asked without platform: `3.12t`, `pypy3.10`, `>=3.10`."""
        request = self.request
        if request.platform is None:
            return str(request)
        number = request.specifier or ".".join(map(str, request.release))
        head = "" if request.implementation == "cpython" else request.implementation
        stage = f"{STAGES[request.stage]}{request.serial}" if request.stage >= 0 else ""
        return f"{head}{number}{stage}{SUFFIXES[request.variant]}" or "Python"

    def spelt(self, key: Key) -> str:
        """Return the shortest request for `key` on this machine."""
        if key.platform != self.host:
            return str(key)
        return key.request


def unavailable(catalogue: Catalogue, request: Request, platform: Platform) -> BubbleError:
    """Return the error for a `request` that nothing in `catalogue` satisfies on `platform`."""
    if not request.is_python:
        return BubbleError(
            "request", f"“{request}” is no version that could be installed", hint=HINT
        )
    case = _Case(
        catalogue=catalogue, request=request, wanted=request.platform or platform, host=platform
    )
    for explanation in (
        _no_platform,
        _no_implementation,
        _other_release,
        _not_installable,
        _only_prereleases,
        _other_variant,
        _other_platform,
    ):
        if found := explanation(case):
            return _error(case, *found)
    return _error(case, *_nearest(case))


def _error(case: _Case, message: str, nearest: Sequence[Key], hint: str = "") -> BubbleError:
    catalogue = case.catalogue
    dated = f"the catalogue of {catalogue.date}" if catalogue.date else "the catalogue"
    names = [case.spelt(key) for key in nearest]
    install = f"bubble python install {names[0]}" if names else ""
    hint = ", or ".join(part for part in (install, hint) if part)
    return BubbleError(
        "unavailable",
        f"{message} ({dated}, {catalogue.origin})",
        hint=hint or "bubble python list --available --all-versions",
        details={"request": str(case.request), "platform": str(case.wanted), "nearest": names},
    )


def _no_platform(case: _Case) -> _Explanation | None:
    names = case.catalogue.platform_names
    if str(case.wanted) in names:
        return None
    similar = [n for n in names if n.startswith(f"{case.wanted.os}-")] or names
    return (
        f"there are no builds for {case.wanted}; there are for {', '.join(similar)}",
        (),
        "bubble python list --available --all-platforms",
    )


def _no_implementation(case: _Case) -> _Explanation | None:
    implementation = case.request.implementation
    if any(d.key.implementation == implementation for d in case.catalogue.downloads(case.wanted)):
        return None
    others = [
        str(p)
        for p in case.catalogue.platforms
        if any(d.key.implementation == implementation for d in case.catalogue.downloads(p))
    ]
    where = f"; there is for {', '.join(others)}" if others else ""
    return (
        f"there is no {TITLES[implementation]} for {case.wanted}{where}",
        (),
        "bubble python list --available",
    )


def _other_release(case: _Case) -> _Explanation | None:
    """Return what there is of the Python that a release of PyPy or GraalPy was asked for."""
    request = case.request
    if not request.build:
        return None
    any_release = request.replace(build="")
    found = [d for d in case.usable() if any_release.matches(d.key, case.wanted)]
    if not found or any(request.matches(d.key, case.wanted, build=d.build) for d in found):
        return None
    shown = ", ".join(f"{d.build} ({case.spelt(d.key)})" for d in found[:6])
    return f"there is no {case.plain} for {case.wanted}; there is {shown}", [found[0].key], ""


def _not_installable(case: _Case) -> _Explanation | None:
    """Something matches, and can't be installed: no checksum, a static build, a .zip."""
    for download in case.catalogue.downloads(case.wanted):
        if case.request.matches(download.key, case.wanted, build=download.build):
            release = download.key.version[:2]
            nearest = [key for key in case.finals() if key.version[:2] == release]
            return f"{download.key} can't be installed: {download.obstacle}", nearest[:1], ""
    return None


def _only_prereleases(case: _Case) -> _Explanation | None:
    request = case.request
    if request.stage >= 0:
        return None
    found = [d.key for d in case.usable() if request.matches(d.key, case.wanted, prereleases=True)]
    if not found:
        return None
    message = f"{request} has only pre-releases so far: ask for {case.spelt(found[0])}"
    return message, found[:1], _update_hint(case)


def _other_variant(case: _Case) -> _Explanation | None:
    others = [
        found[0].key
        for variant in VARIANTS
        if (found := case.catalogue.matching(case.request.replace(variant=variant), case.wanted))
    ]
    if not others:
        return None
    title = VARIANT_TITLES[case.request.variant]
    same = case.finals()
    newest = f"; the newest {title} one is {case.spelt(same[0])}" if same else ""
    kinds = ", ".join(VARIANT_TITLES[key.variant] for key in others)
    message = f"{case.plain} has no {title} build for {case.wanted} (it has: {kinds}){newest}"
    return message, [*same[:1], *others], ""


def _other_platform(case: _Case) -> _Explanation | None:
    where = [
        str(platform)
        for platform in case.catalogue.platforms
        if "_v" not in platform.arch
        and case.catalogue.matching(case.request.replace(platform=platform), platform)
    ]
    if not where:
        return None
    found, nearest = _nearest_key(case)
    return (
        f"there is no {case.plain} for {case.wanted}, but for {', '.join(where)}{found}",
        nearest,
        "",
    )


def _nearest(case: _Case) -> _Explanation:
    found, nearest = _nearest_key(case)
    subject = f"nothing is {case.plain}" if case.request.kind == "range" else ""
    message = f"{subject or f'there is no {case.plain}'} for {case.wanted}{found}"
    return message, nearest, _update_hint(case)


def _nearest_key(case: _Case) -> tuple[str, list[Key]]:
    """Return the end of a sentence, and the key that is nearest to what was asked."""
    keys = case.finals()
    if not keys:
        return "", []
    first, last = min(key.version for key in keys), max(key.version for key in keys)
    span = f"; builds go from {first.minor} to {last.minor}" if first != last else ""
    release = case.request.release
    if case.request.kind == "range" or len(release) < 2:
        return f"{span}, the newest is {case.spelt(keys[0])}", keys[:1]
    same = [key for key in keys if key.version[:2] == release[:2]]
    if not same:
        nearest = min(keys, key=lambda key: _distance(key, release[:2]))
        if release[:2] > last[:2]:  # 9.9 is nearer to what comes last than to 3.9
            nearest = keys[0]
        return f"{span}, the nearest is {case.spelt(nearest)}", [nearest]
    if len(release) == 2 or release[2] > same[0].version[2]:
        return f": the newest {same[0].version.minor} is {case.spelt(same[0])}", same[:1]
    nearest = min(same, key=lambda key: _distance(key, release))
    return f": the nearest is {case.spelt(nearest)}", [nearest]


def _distance(key: Key, release: tuple[int, ...]) -> tuple[int, ...]:
    """Return how far a key is from a release; of equally near ones the newest is the least."""
    apart = tuple(abs(a - b) for a, b in zip(key.version, release, strict=False))
    return (*apart, *(-n for n in key.version))


def _update_hint(case: _Case) -> str:
    if case.catalogue.origin == "embedded" or case.catalogue.origin.startswith("updated "):
        return "for a newer catalogue: bubble python update"
    return ""

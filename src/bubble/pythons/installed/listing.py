"""What is installed and what there is, side by side."""

from __future__ import annotations

from bubble.model.record import Record
from bubble.pythons.installed.store import build_of, read_receipt, usable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.model.key import Key
    from bubble.model.platform import Platform
    from bubble.model.request import Request
    from bubble.pythons.catalogue import Catalogue
    from bubble.pythons.installed.store import Installation
    from bubble.system.layout import Layout


class Row(Record):
    """One build: installed (`prefix`, absolute) or available (`prefix` is "").

    `origin` is the interpreter that an adopted one stands for, else "". `outdated_by` is the newest
    version of its minor, when that is newer than every installed one; what is adopted is its
    installer's business, and never outdated, as is what the system's store has (`system`).
    """

    key: Key
    prefix: str = ""
    origin: str = ""
    outdated_by: str = ""
    system: bool = False


class Listing(Record):
    """The rows, the most wanted first, and which catalogue they were held against."""

    rows: tuple[Row, ...]
    catalogue: str = ""
    warning: str = ""
    # why nothing is available that satisfies the request, and what is nearest
    explanation: str = ""


def list_pythons(
    layout: Layout,
    env: Mapping[str, str],
    platform: Platform,
    *,
    request: Request | None = None,
    installed: bool = True,
    available: bool = True,
    all_versions: bool = False,
    all_platforms: bool = False,
) -> Listing:
    """Return what is installed and the newest available build of each minor.

    `request` keeps what satisfies it; `all_versions` shows every patch and pre-release. Without
    `available` the catalogue still tells what is outdated.
    """
    from bubble.pythons.catalogue import open_catalogue

    catalogue = open_catalogue(layout, env)
    platforms = catalogue.platforms if all_platforms else (_platform(request, platform),)
    there = [
        i
        for i in usable(layout)
        if i.key.platform in platforms and (request is None or _satisfies(i, request))
    ]
    rows: list[Row] = []
    for one in platforms:
        mine = [i for i in there if i.key.platform == one]
        if mine or available:
            rows += _rows(
                mine,
                layout,
                _available(catalogue, one, request, all_versions=all_versions),
                installed=installed,
                available=available,
                all_versions=all_versions,
                asked=request is not None,
            )
    explanation = ""
    if not rows and request is not None and available:
        from bubble.pythons.catalogue.explain import unavailable

        explanation = unavailable(catalogue, request, platform).message
    return Listing(
        rows=tuple(rows),
        explanation=explanation,
        catalogue=f"{catalogue.origin}, {catalogue.date}",
        warning=catalogue.warning,
    )


def _satisfies(installation: Installation, request: Request) -> bool:
    build = build_of(installation) if request.build else ""
    return request.matches(installation.key, installation.key.platform, build=build)


def _platform(request: Request | None, platform: Platform) -> Platform:
    return request.platform if request is not None and request.platform else platform


def _available(
    catalogue: Catalogue, platform: Platform, request: Request | None, *, all_versions: bool
) -> list[Key]:
    if request is not None:
        return [d.key for d in catalogue.matching(request, platform)]
    if not all_versions:
        return [d.key for d in catalogue.newest(platform)]
    return [d.key for d in catalogue.downloads(platform) if d.is_installable]


def _rows(
    mine: Sequence[Installation],
    layout: Layout,
    keys: Sequence[Key],
    *,
    installed: bool,
    available: bool,
    all_versions: bool,
    asked: bool,
) -> list[Row]:
    newest: dict[str, Key] = {}
    for key in keys:
        known = newest.get(key.minor)
        if known is None or key.rank > known.rank:
            newest[key.minor] = key
    best: dict[str, Key] = {}
    for installation in mine:
        best.setdefault(installation.key.minor, installation.key)
    rows = []
    if installed:
        for installation in mine:
            key = installation.key
            newer = newest.get(key.minor)
            adopted = installation.is_adopted
            system = layout.is_beneath(installation.prefix)
            outdated = newer is not None and newer.version > best[key.minor].version
            rows.append(
                Row(
                    key=key,
                    prefix=installation.prefix,
                    origin=_origin(installation) if adopted else "",
                    outdated_by=str(newer.version)
                    if newer and outdated and not (adopted or system)
                    else "",
                    system=system,
                )
            )
    if available:
        have = {str(i.key) for i in mine}
        shown = [*newest.values()]
        if all_versions:
            shown = [*keys]
        elif not asked:
            shown = [k for k in shown if _is_wanted(k, best)]
        rows += [Row(key=key) for key in shown if str(key) not in have]
    rows.sort(key=lambda row: row.key.rank, reverse=True)
    return rows


def _is_wanted(key: Key, best: Mapping[str, Key]) -> bool:
    """Whether the short listing shows an available build: the plain ones, and installed minors."""
    return not key.variant or key.minor in best


def _origin(installation: Installation) -> str:
    """Return what an adopted interpreter stands for; a damaged receipt is `verify`'s business."""
    from bubble.model.errors import BubbleError

    try:
        return read_receipt(installation.prefix).executable
    except BubbleError:
        return installation.executable

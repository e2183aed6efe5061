"""The catalogue: which builds exist, and the best one for a request.

Where it comes from (highest first): BUBBLE_CATALOG alone (`custom`), or else the embedded one
merged with what `bubble python update` stored, build by build, the newer build winning.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.platform import parse_platform
from bubble.pythons.catalogue.volume import Volume, build_rank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bubble.model.download import Download
    from bubble.model.platform import Platform
    from bubble.model.request import Request
    from bubble.system.layout import Layout

EMBEDDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "catalogue.tsv")
STORED = "updated.tsv"  # below layout.catalogue


def open_catalogue(layout: Layout, env: Mapping[str, str], *, refresh: bool = False) -> Catalogue:
    """Return the catalogue that `env` asks for.

    `refresh` asks a BUBBLE_CATALOG on the network whether it has changed; when that fails, the
    last good copy serves, and `Catalogue.warning` says so. Raises BubbleError(catalogue, download,
    offline) when there is no catalogue to be had.
    """
    source = env.get("BUBBLE_CATALOG", "")
    if source:
        from bubble.pythons.catalogue.custom import open_custom

        volume, warning = open_custom(layout, env, source, refresh=refresh)
        return Catalogue((volume,), origin=volume.head["source"], warning=warning)
    embedded = Volume(EMBEDDED)
    stored, warning = open_stored(layout)
    if stored is None:
        return Catalogue((embedded,), origin="embedded", warning=warning)
    newer = stored.head["date"] > embedded.head["date"]
    origin = f"updated {stored.head['updated']}" if newer else "embedded"
    return Catalogue((embedded, stored), origin=origin)


def open_stored(layout: Layout) -> tuple[Volume | None, str]:
    """Return what `update` stored, or None, and a warning when it can't be used."""
    try:
        return Volume(f"{layout.catalogue}/{STORED}"), ""
    except FileNotFoundError:
        return None, ""
    except (OSError, BubbleError) as error:
        reason = error.strerror if isinstance(error, OSError) else error.message
        return None, f"the stored catalogue update is left out ({reason}): run bubble python update"


class Catalogue:
    """Downloads by platform. `date` is the newest CPython build's, `YYYY-MM-DD` or ""."""

    def __init__(self, volumes: tuple[Volume, ...], *, origin: str, warning: str = "") -> None:
        """Take the volumes to merge: of equally new builds of a key the first volume's counts."""
        self._volumes = volumes
        self.origin = origin
        self.warning = warning
        self.date = max(volume.head["date"] for volume in volumes)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms that there are builds for, sorted by name."""
        return tuple(parse_platform(name) for name in self.platform_names)

    @property
    def platform_names(self) -> list[str]:
        """The platforms as they are written in keys, sorted."""
        return sorted({name for volume in self._volumes for name in volume.platforms})

    def downloads(self, platform: Platform) -> tuple[Download, ...]:
        """Return everything for `platform`, installable or not, the most wanted first."""
        found = [volume.decode(line, platform) for volume, line in self._lines(platform, "")]
        return tuple(sorted(found, key=lambda download: download.key.rank, reverse=True))

    def newest(self, platform: Platform) -> tuple[Download, ...]:
        """Return the newest installable final release of each CPython minor and variant.

        Decodes one line of each, of hundreds: this is what the everyday listing shows.
        """
        lines: dict[tuple[str, str], list[tuple[int, Volume, str]]] = {}
        for volume, line in self._lines(platform, "cpython-"):
            number, _, variant = line.partition("\t")[0].removeprefix("cpython-").partition("+")
            minor, _, patch = number.rpartition(".")
            if patch.isdigit():  # no pre-release
                lines.setdefault((minor, variant), []).append((int(patch), volume, line))
        found = []
        for of_minor in lines.values():
            of_minor.sort(key=lambda candidate: candidate[0], reverse=True)
            for _, volume, line in of_minor:
                download = volume.decode(line, platform)
                if download.is_installable:
                    found.append(download)
                    break
        return tuple(sorted(found, key=lambda download: download.key.rank, reverse=True))

    def matching(self, request: Request, platform: Platform) -> tuple[Download, ...]:
        """Return the installable downloads that satisfy `request`, best first."""
        wanted = request.platform or platform
        found = [
            download
            for volume, line in self._lines(wanted, _prefix(request))
            if _variant(line) == request.variant
            and _fits(request, download := volume.decode(line, wanted), wanted)
            and download.is_installable
        ]
        return tuple(sorted(found, key=lambda download: download.key.rank, reverse=True))

    def select(self, request: Request, platform: Platform) -> Download:
        """Return the best download for `request`.

        Raises BubbleError(unavailable) that names what is nearest and the catalogue's date.
        """
        found = self.matching(request, platform)
        if found:
            return found[0]
        from bubble.pythons.catalogue.explain import unavailable

        raise unavailable(self, request, platform)

    def by_file(self, file_name: str) -> Download | None:
        """Return the download whose archive has this name (percent-decoded or not)."""
        name = file_name.replace("%2B", "+").replace("%2b", "+")
        for volume in reversed(self._volumes):
            for platform in volume.platforms:
                parsed = parse_platform(platform)
                for line in volume.lines(platform):
                    # the tail is in the line as it is, whatever the field's form
                    tail = line.rpartition("\t")[2].rpartition("/")[2].replace("%2B", "+")
                    if name.endswith(tail):
                        download = volume.decode(line, parsed)
                        if download.file_name == name:
                            return download
        return None

    def by_sha256(self, sha256: str) -> Download | None:
        """Return the download whose archive has this digest (lower-case hex)."""
        if len(sha256) != 64:
            return None
        for volume in reversed(self._volumes):
            for platform, line in volume.records():
                if sha256 in line:
                    return volume.decode(line, parse_platform(platform))
        return None

    def _lines(self, platform: Platform, prefix: str) -> Iterator[tuple[Volume, str]]:
        """Yield the lines of `platform` that start with `prefix`, one a key: the newest build's."""
        if len(self._volumes) == 1:
            only = self._volumes[0]
            for line in only.lines(str(platform)):
                if line.startswith(prefix):
                    yield only, line
            return
        newest: dict[str, tuple[tuple[int, ...], Volume, str]] = {}
        for volume in self._volumes:
            for line in volume.lines(str(platform)):
                if line.startswith(prefix):
                    name, build, _ = line.split("\t", 2)
                    rank = build_rank(build)
                    if name not in newest or newest[name][0] < rank:
                        newest[name] = (rank, volume, line)
        for _, volume, line in newest.values():
            yield volume, line


def _fits(request: Request, download: Download, platform: Platform) -> bool:
    return request.matches(download.key, platform, build=download.build)


def _prefix(request: Request) -> str:
    """Return what a line of a matching key starts with: most lines need no closer look."""
    head = f"{request.implementation}-"
    if request.kind != "version" or not request.release:
        return head
    return (
        head + ".".join(str(n) for n in request.release) + ("." if len(request.release) < 3 else "")
    )


def _variant(line: str) -> str:
    return line.partition("\t")[0].partition("+")[2]

"""Downloads from volumes and into them: for `update`, BUBBLE_CATALOG, and the embedded data."""

from __future__ import annotations

from bubble.model.platform import parse_platform
from bubble.pythons.catalogue.volume import build_rank, encode, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bubble.model.download import Download
    from bubble.pythons.catalogue.volume import Volume


def everything(volume: Volume) -> list[Download]:
    """Return every download of a volume."""
    downloads = []
    for name in volume.platforms:
        platform = parse_platform(name)
        downloads += [volume.decode(line, platform) for line in volume.lines(name)]
    return downloads


def newest(*sources: Iterable[Download]) -> list[Download]:
    """Return one download a key: the newest build, the earliest source's among equals."""
    best: dict[str, Download] = {}
    for downloads in sources:
        for download in downloads:
            known = best.setdefault(str(download.key), download)
            if known is not download and build_rank(known.build) < build_rank(download.build):
                best[str(download.key)] = download
    return list(best.values())


def volume_of(downloads: Iterable[Download], head: Mapping[str, str]) -> bytes:
    """Return the bytes of a volume, each platform's lines in the order of `Key.rank`."""
    sections: dict[str, list[Download]] = {}
    for download in downloads:
        sections.setdefault(str(download.key.platform), []).append(download)
    for section in sections.values():
        section.sort(key=lambda d: (d.key.rank, build_rank(d.build)), reverse=True)
    return pack({name: map(encode, section) for name, section in sections.items()}, head)

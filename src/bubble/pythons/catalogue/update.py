"""`bubble python update`: a newer index, checked as a whole, stored as a whole, or nothing.

What is stored is one file that `rename` replaces, so no lock is needed: a reader sees the old
update or the new one, and of two updates at once the last one stays. Older builds stay in it until
an embedded catalogue is newer than they are, so that a later index can be held against them.
"""

from __future__ import annotations

import os
import time

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.urls import shown
from bubble.pythons.catalogue.catalogue import EMBEDDED, STORED, open_stored
from bubble.pythons.catalogue.custom import compile_source, compiled_path
from bubble.pythons.catalogue.index import LIMIT, read_index
from bubble.pythons.catalogue.known import known_files, refuse_contradictions, refuse_older
from bubble.pythons.catalogue.listed import everything, newest, volume_of
from bubble.pythons.catalogue.source import read_source
from bubble.pythons.catalogue.volume import Volume, build_rank
from bubble.system.files import is_alive, is_temporary, unlink_quietly, write_atomic, writer_of
from bubble.system.http.fetch import fetch
from bubble.system.trouble import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bubble.model.download import Download
    from bubble.model.key import Key
    from bubble.pythons.catalogue.index import Index
    from bubble.system.http.settings import Settings
    from bubble.system.layout import Layout

INDEX_URL = "https://releases.astral.sh/github/versions/main/v1/python-build-standalone.ndjson"


class UpdateReport(Record):
    """What an update brought: `before` and `after` are the catalogue's dates (`YYYY-MM-DD`).

    `builds` counts builds that are new, over all platforms; `versions` are those that there was no
    build of before, newest first; `newest` is the newest new patch of each CPython minor.
    """

    source: str
    before: str
    after: str
    builds: int
    versions: tuple[str, ...]
    newest: tuple[str, ...]
    skipped: int = 0

    def lines(self) -> tuple[str, ...]:
        """Return the report for people."""
        date = self.after or "no date"
        if not self.builds:
            return (f"The catalogue is up to date: {date} ({self.source})",)
        before = f", was {self.before}" if self.before not in {"", self.after} else ""
        plural = "build" if self.builds == 1 else "builds"
        news = f", with {', '.join(self.newest)}" if self.newest else ""
        return (
            f"The catalogue is of {date}{before} ({self.source})",
            f"{self.builds} new {plural}{news}",
        )


def update(
    layout: Layout,
    env: Mapping[str, str],
    *,
    url: str = "",
    settings: Settings | None = None,
) -> UpdateReport:
    """Fetch an index, from `url` or upstream, and add what is new in it to the stored catalogue.

    Where BUBBLE_CATALOG is set and `url` isn't, that catalogue is read anew. Raises BubbleError
    and leaves everything as it was: usage, offline, download, catalogue (malformed, older, larger
    than 64 MiB, or contradicting a known sha256), io, permission, no_space.
    """
    if env.get("BUBBLE_CATALOG") and not url:
        return _update_custom(layout, env, env["BUBBLE_CATALOG"], settings)
    url = url or INDEX_URL
    name = shown(url)
    embedded = Volume(EMBEDDED)
    stored, _ = open_stored(layout)
    volumes = [embedded, *([stored] if stored else [])]
    before = max(volume.head["date"] for volume in volumes)
    same = stored is not None and stored.head.get("source") == _ascii(name)
    etag = stored.head.get("etag", "") if stored and same else ""
    fetched = fetch(url, limit=LIMIT, env=env, settings=settings, etag=etag)
    if fetched.data is None:
        return _report(name, before, before, [], [])
    index = _absolute(read_index(fetched.data, name), url, name)
    refuse_older(index, before, name)
    old = [everything(volume) for volume in volumes]
    refuse_contradictions(index, known_files([*old[0], *old[-1]]), name)
    head = {
        "date": index.date,
        "updated": time.strftime("%Y-%m-%d", time.gmtime()),
        "source": _ascii(name),
        "etag": fetched.etag if fetched.etag.isascii() and fetched.etag.isprintable() else "",
    }
    kept = _worth_keeping([*(old[1] if stored else []), *index.downloads], old[0])
    _store(layout, volume_of(kept, head))
    report = _report(name, before, index.date, newest(*old), index.downloads)
    return report.replace(skipped=index.skipped)


def _update_custom(
    layout: Layout, env: Mapping[str, str], text: str, settings: Settings | None
) -> UpdateReport:
    source = read_source(text)
    try:
        old = Volume(compiled_path(layout, source), base=source.base)
    except (OSError, BubbleError):
        old = None
    known = everything(old) if old else []
    before = old.head["date"] if old else ""
    volume = compile_source(
        layout, env, source, old=None if source.path else old, settings=settings
    )
    return _report(volume.head["source"], before, volume.head["date"], known, everything(volume))


def _report(
    source: str, before: str, after: str, old: Sequence[Download], found: Sequence[Download]
) -> UpdateReport:
    builds = {str(download.key): build_rank(download.build) for download in old}
    fresh = [
        download
        for download in found
        if str(download.key) not in builds or builds[str(download.key)] < build_rank(download.build)
    ]
    names = {_name(download.key) for download in old}
    keys = {_name(d.key): d.key for d in fresh if _name(d.key) not in names}
    patches: dict[str, str] = {}
    versions = sorted(keys.values(), key=lambda key: (key.version, key.rank), reverse=True)
    for key in versions:
        if key.implementation == "cpython":
            patches.setdefault(key.version.minor, str(key.version))
    return UpdateReport(
        source=source,
        before=before,
        after=after,
        builds=len(fresh),
        versions=tuple(_name(key) for key in versions),
        newest=tuple(patches.values()),
    )


def _name(key: Key) -> str:
    return f"{key.implementation}-{key.version}"


def _absolute(index: Index, url: str, name: str) -> Index:
    """Return an index whose URLs are absolute, so that they mean the same in the stored file."""
    if all("://" in address for _, address, _ in index.artifacts):
        return index
    base = url.partition("#")[0].partition("?")[0].rpartition("/")[0]
    if "@" in base:
        raise BubbleError(
            "catalogue",
            f"{name} has relative URLs, and its own holds credentials, which are never stored",
            hint="set BUBBLE_CATALOG to that URL instead",
        )

    def complete(address: str) -> str:
        return address if "://" in address else f"{base}/{address.removeprefix('./')}"

    return index.replace(
        downloads=tuple(d.replace(url=complete(d.url)) for d in index.downloads),
        artifacts=tuple((build, complete(url), sha) for build, url, sha in index.artifacts),
    )


def _worth_keeping(downloads: Iterable[Download], embedded: Sequence[Download]) -> list[Download]:
    """Return each download once, without what the embedded catalogue has, or has a newer one of."""
    known = {str(download.key): download for download in embedded}
    kept = []
    for download in dict.fromkeys(downloads):
        rival = known.get(str(download.key))
        newer = rival is None or build_rank(rival.build) <= build_rank(download.build)
        if newer and download != rival:
            kept.append(download)
    return kept


def _store(layout: Layout, data: bytes) -> None:
    path = f"{layout.catalogue}/{STORED}"
    try:
        os.makedirs(layout.catalogue, exist_ok=True)
        _sweep(layout.catalogue)
        write_atomic(path, data, durable=True)
    except OSError as error:
        raise BubbleError(
            kind_of(error),
            f"the update can't be stored in {printable(layout.catalogue)}: {error.strerror}",
            hint="the catalogue stays as it was; make room or set BUBBLE_HOME elsewhere",
        ) from None


def _sweep(directory: str) -> None:
    """Remove what killed updates left: temporary files of processes that are no more."""
    for name in os.listdir(directory):
        if is_temporary(name) and not is_alive(writer_of(name)):
            unlink_quietly(f"{directory}/{name}")


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")

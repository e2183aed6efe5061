"""Reading an index of builds, and writing one.

Two formats are read: uv's download metadata (a JSON map, key → build; a mirror writes it, too),
and python-build-standalone's release index (one JSON object a line and release). Either may be
compressed with zstd or gzip. Entries are checked one by one; those of an unknown implementation,
variant or platform are left out and counted.
"""

from __future__ import annotations

import json
import zlib

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable, size
from bubble.pythons.catalogue.entry import MalformedError, UnknownError, checked
from bubble.pythons.catalogue.release import read_release
from bubble.pythons.catalogue.volume import build_rank

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.model.download import Download

LIMIT = 64 * 2**20  # bytes of an index, as it comes and decompressed
_FORMATS = (
    "check the address: it must give a map as `bubble mirror create` writes it, "
    "or upstream's ndjson"
)
_AGAIN = "try again; if it stays so, tell whoever publishes it"


class Index(Record):
    """What an index holds: one download a key, the newest build of the preferred flavour.

    `artifacts` are the (build, URL, sha256) of everything in it; `skipped` counts what is unknown.
    """

    downloads: tuple[Download, ...]
    artifacts: tuple[tuple[str, str, str], ...]
    skipped: int

    @property
    def date(self) -> str:
        """The newest CPython build's date, `YYYY-MM-DD`, or ""."""
        return date_of(self.downloads)


def read_index(data: bytes, name: str) -> Index:
    """Return the content of an index; `name` is what messages call it (printable).

    Raises BubbleError(catalogue) that names the first malformed entry.
    """
    text = _text(data, name)
    first = _json(text.partition("\n")[0], name, strict=False)
    if isinstance(first, dict) and "artifacts" in first:
        index = _read_releases(text, name)
    else:
        index = _read_map(_json(text, name, strict=True), name)
    if not index.downloads:
        raise BubbleError(
            "catalogue",
            f"{name} holds no builds that bubble knows ({index.skipped} entries of other kinds)",
            hint=_FORMATS,
        )
    return index


def dump_json(downloads: Iterable[Download]) -> str:
    """Return a catalogue in uv's format; URLs are written as they stand (relative ones, too)."""
    entries = {str(download.key): json_entry(download) for download in downloads}
    return json.dumps(entries, indent=1, sort_keys=True) + "\n"


def json_entry(download: Download) -> dict[str, object]:
    """Return the value that uv's format has for a download."""
    key = download.key
    family, _, level = key.platform.arch.partition("_v")
    major, minor, patch = key.version[:3]
    return {
        "arch": {"family": family, "variant": f"v{level}" if level else None},
        "build": download.build,
        "libc": key.platform.libc,
        "major": major,
        "minor": minor,
        "name": key.implementation,
        "os": key.platform.os,
        "patch": patch,
        "prerelease": str(key.version).removeprefix(f"{major}.{minor}.{patch}"),
        "sha256": download.sha256 or None,
        "url": download.url,
        "variant": key.variant or None,
    }


def date_of(downloads: Iterable[Download]) -> str:
    """Return the date of the newest CPython build as `YYYY-MM-DD`; "" if none has a date."""
    builds = [
        d.build
        for d in downloads
        if d.key.implementation == "cpython" and len(d.build) == 8 and d.build.isdigit()
    ]
    newest = max(builds, default="")
    return f"{newest[:4]}-{newest[4:6]}-{newest[6:]}" if newest else ""


def _read_map(entries: object, name: str) -> Index:
    if not isinstance(entries, dict):
        raise BubbleError("catalogue", f"{name} is no JSON map of builds", hint=_FORMATS)
    newest: dict[str, Download] = {}
    artifacts = []
    skipped = 0
    for title, entry in entries.items():
        try:
            download = _map_entry(entry)
        except UnknownError:
            skipped += 1
            continue
        except MalformedError as error:
            raise _malformed(name, title, error) from None
        artifacts.append((download.build, download.url, download.sha256))
        known = newest.get(str(download.key))
        if known is None or build_rank(known.build) < build_rank(download.build):
            newest[str(download.key)] = download
    return Index(downloads=tuple(newest.values()), artifacts=tuple(artifacts), skipped=skipped)


def _map_entry(entry: object) -> Download:
    if not isinstance(entry, dict):
        raise MalformedError("it is no JSON object")
    arch = entry.get("arch")
    family = arch.get("family") if isinstance(arch, dict) else arch
    level = arch.get("variant") if isinstance(arch, dict) else None
    numbers = [entry.get(part) for part in ("major", "minor", "patch")]
    if not all(type(n) is int and 0 <= n < 10**6 for n in numbers):
        raise MalformedError("its version is no three numbers")
    stage = entry.get("prerelease") or ""
    if not isinstance(stage, str) or stage[:1].isdigit():
        raise MalformedError(f"its pre-release is none: “{printable(str(stage), 40)}”")
    return checked(
        implementation=entry.get("name"),
        version=".".join(map(str, numbers)) + stage,
        variant=entry.get("variant"),
        platform=f"{entry.get('os')}-{family}{f'_{level}' if level else ''}-{entry.get('libc')}",
        url=entry.get("url"),
        sha256=entry.get("sha256"),
        build=entry.get("build"),
    )


def _read_releases(text: str, name: str) -> Index:
    best: dict[str, tuple[tuple[int, ...], int, Download]] = {}
    artifacts = []
    skipped = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        release = _json(line, f"line {number} of {name}", strict=True)
        try:
            for flavour, found in read_release(release):
                if found is None:
                    skipped += 1
                    continue
                artifacts.append((found.build, found.url, found.sha256))
                if flavour < 0:
                    continue
                rank = build_rank(found.build)
                known = best.get(str(found.key))
                if known is None or (known[0], -known[1]) < (rank, -flavour):
                    best[str(found.key)] = (rank, flavour, found)
        except MalformedError as error:
            raise _malformed(name, f"line {number}", error) from None
    downloads = tuple(download for _, _, download in best.values())
    return Index(downloads=downloads, artifacts=tuple(artifacts), skipped=skipped)


def _text(data: bytes, name: str) -> str:
    try:
        if data.startswith(b"\x28\xb5\x2f\xfd"):
            data = _unzstd(data)
        elif data.startswith(b"\x1f\x8b"):
            unpack = zlib.decompressobj(31)
            data = unpack.decompress(data, LIMIT + 1)
            if len(data) <= LIMIT and not unpack.eof:
                raise BubbleError("catalogue", f"{name} is cut short", hint=_AGAIN)
    except (zlib.error, ValueError):
        raise BubbleError(
            "catalogue", f"{name} is damaged: it can't be decompressed", hint=_AGAIN
        ) from None
    if len(data) > LIMIT:
        raise BubbleError("catalogue", f"{name} is larger than {size(LIMIT)}", hint=_FORMATS)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BubbleError("catalogue", f"{name} is no text in UTF-8", hint=_FORMATS) from None


def _unzstd(data: bytes) -> bytes:
    import zstandard

    unpack = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()
    pieces, total = [], 0
    try:
        for start in range(0, len(data), 65536):
            pieces.append(unpack.decompress(data[start : start + 65536]))
            total += len(pieces[-1])
            if total > LIMIT or unpack.eof:
                break
    except zstandard.ZstdError as error:
        raise ValueError(error) from None
    if total <= LIMIT and not unpack.eof:
        raise ValueError("cut short")
    return b"".join(pieces)


def _json(text: str, name: str, *, strict: bool) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if not strict:
            return None
        reason = getattr(error, "msg", "not readable")
        what = f"no JSON, or cut short ({printable(str(reason))})" if text.strip() else "empty"
        raise BubbleError("catalogue", f"{name} is {what}", hint=_FORMATS) from None


def _malformed(name: str, title: str, error: MalformedError) -> BubbleError:
    return BubbleError(
        "catalogue",
        f"{name}: entry “{printable(title, 120)}” is malformed: {error}",
        hint="tell whoever publishes it, or use another catalogue",
    )

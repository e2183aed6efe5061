"""The file format that a catalogue is kept in: lines, in sections, one section a platform.

A look-up reads the head and its own platform's section, and parses neither JSON nor the other
6,000 lines. The embedded catalogue, what `update` stored and the compiled copies of
BUBBLE_CATALOG are all volumes, and each is one file, so that `os.replace` swaps it whole.

    bubble-catalogue 1 <bytes of the head, 8 digits> <bytes of the file, 8 digits>
    date<TAB>2026-11-10
    @linux-x86_64-gnu<TAB><offset from the head's end><TAB><bytes>
    …
    cpython-3.12.4<TAB>20240726<TAB><sha256><TAB>install_only_stripped.tar.gz

The last field is the URL: without a slash it is the tail of the URL that upstream's naming gives
for this build; `^` stands for upstream's releases; a relative one is relative to the catalogue.
Everything is printable ASCII.
"""

from __future__ import annotations

import io
import os

from bubble.model.download import UPSTREAM, Download
from bubble.model.errors import BubbleError
from bubble.model.key import Key
from bubble.model.text import printable
from bubble.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

    from bubble.model.platform import Platform

MAGIC = b"bubble-catalogue 1"
_FIRST = len(MAGIC) + 19  # the first line's length


class Volume:
    """A catalogue file, or its bytes. Each look-up reads head and section from one open file."""

    def __init__(self, path: str, data: bytes = b"", base: str = "") -> None:
        """Take a file's path, or its content; `base` (with a final /) completes relative URLs."""
        self.path = path
        self.base = base
        self._data = data
        with self._open() as file:
            self.head, self._sections = self._read_head(file)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The names of the platforms that it has something for."""
        return tuple(self._sections)

    def lines(self, platform: str) -> list[str]:
        """Return the lines of one platform, the most wanted first (Key.rank)."""
        if platform not in self._sections:
            return []
        with self._open() as file:
            # the file may have been replaced since the head was read: take both from this one
            sections = self._read_head(file)[1]
            if platform not in sections:
                return []
            offset, size = sections[platform]
            file.seek(offset, os.SEEK_CUR)
            return self._text(file.read(size)).split("\n")[:-1]

    def records(self) -> Iterator[tuple[str, str]]:
        """Yield (platform's name, line) for everything in it."""
        for platform in self.platforms:
            for line in self.lines(platform):
                yield platform, line

    def decode(self, line: str, platform: Platform) -> Download:
        """Return the download that a line of `platform` stands for; BubbleError(catalogue)."""
        try:
            name, build, sha256, url = line.split("\t")
            implementation, _, number = name.partition("-")
            number, _, variant = number.partition("+")
            version = Version.parse(number)
        except ValueError:
            raise self._damaged() from None
        if url.startswith("^"):
            url = UPSTREAM + url[1:]
        elif "/" not in url:
            url = _standard(number, build, platform) + url
        elif "://" not in url:
            url = self.base + url.removeprefix("./")
        key = Key(
            implementation=implementation, version=version, variant=variant, platform=platform
        )
        return Download(key=key, url=url, sha256=sha256, build=build)

    def _open(self) -> BinaryIO:
        return io.BytesIO(self._data) if self._data else open(self.path, "rb")

    def _read_head(self, file: BinaryIO) -> tuple[dict[str, str], dict[str, tuple[int, int]]]:
        first = file.read(_FIRST)
        head: dict[str, str] = {}
        sections: dict[str, tuple[int, int]] = {}
        try:
            if not first.startswith(MAGIC + b" "):
                raise self._damaged()
            size, total = map(int, first[len(MAGIC) :].split())
            for line in self._text(file.read(size)).split("\n")[:-1]:
                name, value = line.split("\t", 1)
                if name.startswith("@"):
                    offset, count = value.split("\t")
                    sections[name[1:]] = (int(offset), int(count))
                else:
                    head[name] = value
        except ValueError:
            raise self._damaged() from None
        length = len(self._data) if self._data else os.fstat(file.fileno()).st_size
        if length != total:  # a file cut short by a power cut
            raise self._damaged()
        return head, sections

    def _text(self, data: bytes) -> str:
        try:
            return data.decode("ascii")
        except UnicodeDecodeError:
            raise self._damaged() from None

    def _damaged(self) -> BubbleError:
        return BubbleError(
            "catalogue",
            f"the catalogue file {printable(self.path)} is damaged",
            hint=f"delete {printable(self.path)}",
        )


def encode(download: Download) -> str:
    """Return the line of a download, whose URL may be relative to the catalogue."""
    key = download.key
    url = download.url
    standard = _standard(str(key.version), download.build, key.platform)
    if "/" not in url:
        url = f"./{url}"
    elif url.startswith(standard) and "/" not in url.removeprefix(standard):
        url = url.removeprefix(standard)
    elif url.startswith(UPSTREAM):
        url = "^" + url.removeprefix(UPSTREAM)
    return f"{key.name}\t{download.build}\t{download.sha256}\t{url}"


def pack(sections: Mapping[str, Iterable[str]], head: Mapping[str, str]) -> bytes:
    """Return the bytes of a volume; sections are sorted by name."""
    body = ""
    fields = "".join(f"{name}\t{value}\n" for name, value in head.items())
    for name in sorted(sections):
        text = "".join(f"{line}\n" for line in sections[name])
        fields += f"@{name}\t{len(body)}\t{len(text)}\n"
        body += text
    content = (fields + body).encode("ascii")
    return b"%s %08d %08d\n%s" % (MAGIC, len(fields), _FIRST + len(content), content)


def build_rank(build: str) -> tuple[int, ...]:
    """Return what orders builds of one key: dates and dotted versions by number, others first."""
    parts = build.split(".")
    if all(part.isascii() and part.isdigit() for part in parts):
        return tuple(int(part) for part in parts)
    return ()


def _standard(version: str, build: str, platform: Platform) -> str:
    """Return what the URL of a CPython build starts with since 2022."""
    return f"{UPSTREAM}{build}/cpython-{version}%2B{build}-{platform.triple}-"

"""One entry of the catalogue: which build, where it is, and which bytes it must be."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.key import Key

UPSTREAM = "https://github.com/astral-sh/python-build-standalone/releases/download/"
DYNAMIC_MUSL = "20250311"  # the first tag whose musl builds load extension modules
NOT_UNPACKED = (".zip", ".tar.bz2", ".tar.xz")  # PyPy and GraalPy, mostly for Windows
CDN = "https://releases.astral.sh/github/python-build-standalone/releases/download/"


class Download(Record):
    """A build that can be fetched.

    `url` is absolute; `sha256` is lower-case hex, or "" where upstream published none (such an
    entry is not installable); `build` is upstream's tag: a date for CPython, a version else.
    """

    key: Key
    url: str
    sha256: str
    build: str

    @property
    def file_name(self) -> str:
        """The archive's name, percent-decoded: `cpython-3.12.4+20240726-…-install_only.tar.gz`."""
        return _unquote(self.url.rpartition("/")[2])

    @property
    def asset(self) -> str:
        """`<tag>/<file name>`: where the archive lies below a mirror."""
        return f"{self.build}/{self.file_name}"

    @property
    def flavour(self) -> str:
        """`install_only_stripped`, `install_only`, `full`, or `other` (PyPy, GraalPy)."""
        if self.key.implementation != "cpython":
            return "other"
        stem = self.file_name.partition(".tar.")[0]
        for flavour in ("install_only_stripped", "install_only"):
            if stem.endswith(flavour):
                return flavour
        return "full"

    @property
    def obstacle(self) -> str:
        """Why it can't be installed, as the end of a sentence, or ""."""
        if not self.sha256:
            return "upstream published no checksum for it"
        if self._is_static:
            return "it is linked statically and can't load extension modules"
        if self.url.endswith(NOT_UNPACKED):
            return "bubble unpacks .tar.gz and .tar.zst, and it is neither"
        return ""

    @property
    def is_installable(self) -> bool:
        """Whether nothing stands against installing it."""
        return not self.obstacle

    @property
    def _is_static(self) -> bool:
        key = self.key
        return (
            key.platform.libc == "musl"
            and key.implementation == "cpython"
            and len(self.build) == 8
            and self.build < DYNAMIC_MUSL
        )


def urls_of(download: Download, mirror: str = "") -> tuple[str, ...]:
    """Return where to ask for the archive, in order.

    `mirror` (BUBBLE_MIRROR) replaces upstream's `…/releases/download` prefix. Without one,
    upstream's CDN comes first, then GitHub. Builds from elsewhere have the one address. Raises
    BubbleError(usage) for a mirror that is no URL.
    """
    if not download.url.startswith(UPSTREAM):
        return (download.url,)
    from bubble.model.urls import shown  # lazily: urllib.parse would cost a listing its start

    if mirror and not mirror.lower().startswith(("https://", "http://", "file:///")):
        raise BubbleError(
            "usage",
            f"BUBBLE_MIRROR must be a URL, not “{shown(mirror)}”",
            hint="set it to https://…, http://… or file:///…, or unset it",
        )
    if "?" in mirror or "#" in mirror:
        raise BubbleError(
            "usage",
            f"BUBBLE_MIRROR can't have a query or a fragment: {shown(mirror)}",
            hint="each build's path is put behind it; in a file:/// URL write ? and # as %3F, %23",
        )
    path = download.url.removeprefix(UPSTREAM)
    if mirror:
        return (f"{mirror.rstrip('/')}/{path}",)
    return (CDN + path, download.url)


def _unquote(text: str) -> str:
    # the only escape in upstream's names; urllib.parse would cost a listing its start
    return text.replace("%2B", "+").replace("%2b", "+")

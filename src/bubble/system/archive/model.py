"""What the extractor takes and gives: limits, entries, the result, and its one way to refuse."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

HINT = "remove the downloaded file and try again; if it stays so, report the archive's URL"


class Entry(tuple[str, str, int, int, int, str]):
    """One thing that was written: `(path, kind, mode, size, crc32, target)`.

    A bare tuple underneath, because thousands are made during an installation.
    """

    __slots__ = ()

    @property
    def path(self) -> str:
        """Path relative to the destination, `/` between components."""
        return self[0]

    @property
    def kind(self) -> str:
        """`file` (hard links too), `dir` or `link`."""
        return self[1]

    @property
    def mode(self) -> int:
        """0o644 or 0o755; 0o777 for a link, whose mode means nothing."""
        return self[2]

    @property
    def size(self) -> int:
        """Bytes of a file's content; 0 for the others."""
        return self[3]

    @property
    def crc32(self) -> int:
        """CRC-32 of a file's content; 0 for the others."""
        return self[4]

    @property
    def target(self) -> str:
        """A link's target as in the archive; empty for the others."""
        return self[5]


class Limits(Record):
    """How much an archive may ask for. The defaults are far above every real build.

    The largest real ones are full builds: about 20,000 members, over 1 GiB expanded, some 10:1,
    compressed with `zstd -22`, whose window is 2^27 bytes.
    """

    members: int = 200_000
    depth: int = 40  # components of a name
    name_length: int = 1024  # bytes of a name; a component has 255 by the file systems' limit
    expanded_size: int = 4 << 30  # bytes after decompression
    ratio: int = 100  # expanded : compressed …
    ratio_from: int = 16 << 20  # … looked at from this many expanded bytes on
    window_log: int = 27  # zstd's window is at most 2^window_log bytes, and as much memory


class Extracted(Record):
    """What was written, in the archive's order (directories without a member of their own too).

    `layout` is `install_only`, `full` or `other`; `python_json` is the text of a full build's
    `python/PYTHON.json`, else empty.
    """

    entries: tuple[Entry, ...]
    layout: str
    python_json: str = ""


def refusal(problem: str, member: str = "") -> BubbleError:
    """Return the error for an archive that breaks the rules, naming the member if there is one."""
    where = f"“{printable(member)}”: " if member else ""
    return BubbleError("archive", f"the archive is refused: {where}{problem}", hint=HINT)

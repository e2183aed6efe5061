"""What is already known of archives: an index that contradicts it is refused as a whole."""

from __future__ import annotations

import time

from bubble.model.download import UPSTREAM
from bubble.model.errors import BubbleError
from bubble.model.text import printable

FUTURE = 7 * 86400  # seconds that a clock may be slow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.model.download import Download
    from bubble.pythons.catalogue.index import Index


def known_files(downloads: Iterable[Download]) -> dict[str, str]:
    """Return file → sha256 for every download that has one."""
    return {identity(d.url): d.sha256 for d in downloads if d.sha256}


def identity(url: str) -> str:
    """Return what tells files apart: `<tag>/<file name>` for upstream's, the URL for others."""
    name = url.removeprefix(UPSTREAM).removeprefix("./")
    return name.replace("%2b", "%2B").replace("+", "%2B")


def refuse_older(index: Index, known: str, name: str) -> None:
    """Raise BubbleError(catalogue) unless the index is dated, and as new as what is known.

    A date in the future is refused, too: it would make every true index after it an older one.
    """
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + FUTURE))
    if index.date > max(today, known):
        reason = f"is refused: its newest build is of {index.date}, which is yet to come"
    elif not index.date:
        reason = "is refused: none of its builds has a date"
    elif index.date < known:
        reason = f"is refused: it is older ({index.date}) than what is known ({known})"
    else:
        return
    raise BubbleError(
        "catalogue",
        f"{name} {reason}",
        hint="the catalogue stays as it was; try again later",
    )


def refuse_contradictions(index: Index, known: dict[str, str], name: str) -> None:
    """Raise BubbleError(catalogue) if a file's sha256 in `index` isn't the one that is known.

    Every artifact counts, also those that would not be chosen. A known file without a sha256 in
    the index is no contradiction: the known one stays.
    """
    seen = dict(known)
    wrong = []
    for _, url, sha256 in index.artifacts:
        if sha256 and seen.setdefault(identity(url), sha256) != sha256:
            wrong.append(url.rpartition("/")[2].replace("%2B", "+"))
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise BubbleError(
            "catalogue",
            f"{name} is refused: it gives another sha256 than the known one for "
            f"{', '.join(printable(n, 120) for n in wrong[:3])}{more}",
            hint="the catalogue stays as it was; a published archive never changes, "
            "so ask whoever serves this index",
            details={"files": wrong},
        )

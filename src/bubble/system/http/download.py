"""Bringing one file, known by its sha256, from the first place that has it."""

from __future__ import annotations

import os
import re
import time

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.urls import shown
from bubble.system.files import sha256_of
from bubble.system.http.address import scheme_of
from bubble.system.http.exchange import ExchangeError
from bubble.system.http.local import open_local
from bubble.system.http.part import Part
from bubble.system.http.settings import offline, settings_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bubble.system.http.part import Follower
    from bubble.system.http.settings import Settings

    Progress = Callable[[int, int | None], None]


class Transfer(Record):
    """A finished download: where it is, the URL that served it, and what it took.

    `bytes_transferred` came over the network in this call (0 for `file://`); `bytes_resumed` were
    there from an earlier one. `url` is "" when the file was already at the destination.
    """

    path: str
    url: str
    bytes_transferred: int
    bytes_resumed: int


def download(
    urls: Sequence[str],
    destination: str,
    *,
    sha256: str,
    env: Mapping[str, str],
    settings: Settings | None = None,
    progress: Progress | None = None,
    retried: Callable[[str], None] | None = None,
    follower: Follower | None = None,
) -> Transfer:
    """Bring the file with this sha256 (hex) to `destination` (absolute) and return what it took.

    `urls` are tried in order: the next one when a place can't be reached, fails or doesn't have
    the file; a file with other bytes ends it. What an interrupted call left is in
    `<destination>.part` and `.part.json`; the next call goes on from there. `progress` gets the
    bytes that are there and the total (None while unknown), in the calling thread; what it raises
    stops the download, as KeyboardInterrupt does, and leaves it resumable. `retried` is told once,
    in the calling thread, why the first attempt that failed is made again, and when. `follower` is
    told of what was hashed.

    Raises BubbleError: usage, offline, download, checksum, no_space, permission, io, locked.
    """
    sha256 = sha256.lower()
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise BubbleError("usage", "not a sha256", hint="give 64 hexadecimal digits")
    if not urls or not os.path.isabs(destination):
        raise BubbleError("internal", f"nothing to download to {printable(destination)}")
    places = reachable(urls, env)
    settings = settings or settings_from(env)
    deadline = time.monotonic() + settings.deadline
    part = Part(destination, sha256, deadline=deadline, follower=follower)
    try:
        if sha256_of(destination) == sha256:
            part.discard()
            return Transfer(path=destination, url="", bytes_transferred=0, bytes_resumed=0)
        return _from_first(places, part, _Terms(env, settings, deadline, progress, retried))
    finally:
        part.close()


def reachable(urls: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Return the URLs that may be asked; raise BubbleError(offline) when none, or (usage)."""
    schemes = [scheme_of(url) for url in urls]
    if not offline(env):
        return list(urls)
    allowed = [url for url, scheme in zip(urls, schemes, strict=True) if scheme == "file"]
    if not allowed:
        raise BubbleError(
            "offline",
            f"{shown(urls[0])} is needed, but BUBBLE_OFFLINE switches the network off",
            hint="unset BUBBLE_OFFLINE, or install from a local archive or a file:// mirror",
        )
    return allowed


class _Terms:
    """What holds for every place that is tried, and the bytes that all of them sent."""

    def __init__(
        self,
        env: Mapping[str, str],
        settings: Settings,
        deadline: float,
        progress: Progress | None,
        retried: Callable[[str], None] | None,
    ) -> None:
        self.env = env
        self.settings = settings
        self.deadline = deadline
        self.progress = progress
        self.transferred = 0
        self._retried = retried

    def tell(self, retry: str) -> None:
        """Say why there is a retry, the first time that there is one."""
        if self._retried is not None:
            self._retried(retry)
        self._retried = None


def _from_first(urls: list[str], part: Part, terms: _Terms) -> Transfer:
    failures: list[ExchangeError] = []
    for url in urls:
        try:
            _from(url, part, terms)
        except ExchangeError as error:
            failures.append(error)
            continue
        if terms.progress is not None:
            terms.progress(part.size_done, part.total)
        resumed = part.resumed
        part.publish()
        return Transfer(
            path=part.destination,
            url=url,
            bytes_transferred=terms.transferred,
            bytes_resumed=resumed,
        )
    raise _all_failed(failures)


def _from(url: str, part: Part, terms: _Terms) -> None:
    """Fill the part from `url` and check it; raise ExchangeError or BubbleError."""
    doubtful = _fill(url, part, terms, terms.settings)
    if (found := part.digest()) != part.sha256 and doubtful:
        # pieces of different versions, or a piece that went bad on disk: once more, in one piece
        part.start_over()
        _fill(url, part, terms, terms.settings.replace(connections=1))
        found = part.digest()
    if found != part.sha256:
        size = part.total
        part.discard()
        raise BubbleError(
            "checksum",
            f"{shown(url)}: these are not the bytes that were asked for "
            f"({size} bytes, sha256 {found}, expected {part.sha256})",
            hint="retry; if it stays so, the server has a damaged or another file",
            details={"sha256": found, "expected": part.sha256},
        )


def _fill(url: str, part: Part, terms: _Terms, settings: Settings) -> bool:
    """Bring every byte; return whether a wrong hash may be cured by starting over."""
    if scheme_of(url) == "file":
        source, size = open_local(url, settings.max_size)
        try:
            part.take(source, size)
        finally:
            os.close(source)
        return False
    from bubble.system.http.swarm import Swarm  # imports http.client, with email

    swarm = Swarm(url, part, env=terms.env, settings=settings, deadline=terms.deadline)
    try:
        swarm.run(terms.progress, terms.tell)
    finally:
        terms.transferred += swarm.transferred
    return swarm.doubtful


def _all_failed(failures: list[ExchangeError]) -> BubbleError:
    """Return one error that names every place that was tried."""
    error = failures[-1].as_error()
    message = "; ".join(failure.message for failure in failures)
    hint = next((failure.hint for failure in failures if failure.hint), error.hint)
    details = {"attempts": [failure.message for failure in failures], **error.details}
    if not all(failure.missing for failure in failures):
        details.pop("missing", None)
    return BubbleError("download", message, hint=hint, details=details)

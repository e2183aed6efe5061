"""Bringing one small document into memory, whole or not at all."""

from __future__ import annotations

import os
import threading
import time

from bubble.model.record import Record
from bubble.model.text import size
from bubble.model.urls import shown
from bubble.system.http.address import scheme_of
from bubble.system.http.download import reachable
from bubble.system.http.exchange import ExchangeError
from bubble.system.http.local import open_local
from bubble.system.http.settings import settings_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from bubble.system.http.answer import Reply
    from bubble.system.http.client import Connection
    from bubble.system.http.settings import Settings

WATCH_EVERY = 0.1


class Fetched(Record):
    """A document; `data` is None when it is still the one that `etag` named."""

    data: bytes | None
    etag: str
    url: str


def fetch(
    url: str,
    *,
    limit: int,
    env: Mapping[str, str],
    settings: Settings | None = None,
    etag: str = "",
) -> Fetched:
    """Return the document at `url` (http, https, file), at most `limit` bytes.

    With `etag` from an earlier answer, a server may say that nothing changed. A document without
    a Content-Length may come cut short unnoticed: the reader's parser has to notice.
    Raises BubbleError: usage, offline, download.
    """
    reachable([url], env)
    settings = settings or settings_from(env)
    try:
        if scheme_of(url) == "file":
            return Fetched(data=_read(url, limit), etag="", url=url)
        return _get(url, limit, env, settings, etag)
    except ExchangeError as error:
        raise error.as_error() from None


def _read(url: str, limit: int) -> bytes:
    source, _ = open_local(url, limit)
    with os.fdopen(source, "rb") as file:
        return file.read(limit)


def _get(url: str, limit: int, env: Mapping[str, str], settings: Settings, etag: str) -> Fetched:
    from bubble.system.http.client import Connection  # imports socket

    deadline = time.monotonic() + settings.deadline
    connection = Connection(env, settings)
    try:
        for attempt in range(1, settings.attempts + 1):
            try:
                with _Guard(connection, settings, deadline) as guard:
                    return _once(url, limit, connection, etag, guard)
            except ExchangeError as error:
                pause = max(settings.pause(attempt), error.after)
                late = time.monotonic() + pause >= deadline
                most = settings.unreachable_attempts if error.unreachable else settings.attempts
                if not error.retry or attempt >= most or late:
                    raise
                time.sleep(pause)
        raise AssertionError
    finally:
        connection.close()


def _once(url: str, limit: int, connection: Connection, etag: str, guard: _Guard) -> Fetched:
    headers = {"If-None-Match": etag} if etag else {}
    try:
        with connection.get(url, headers) as reply:
            if reply.status == 304 and etag:
                return Fetched(data=None, etag=etag, url=url)
            data = _body(reply, limit, guard)
            fetched = Fetched(data=data, etag=reply.etag, url=url)
    except ExchangeError as error:
        raise (guard.reason(url) or error) from None
    if (cut := guard.reason(url)) is not None:  # an aborted body may end cleanly
        raise cut
    return fetched


def _body(reply: Reply, limit: int, guard: _Guard) -> bytes:
    if reply.status != 200:
        raise ExchangeError(
            f"{shown(reply.url)}: the server answered {reply.status}, which was not asked for",
            retry=False,
            status=reply.status,
        )
    too_large = ExchangeError(f"{shown(reply.url)}: larger than {size(limit)}", retry=False)
    if (reply.length or 0) > limit:
        raise too_large
    data = bytearray()
    for chunk in reply.chunks():
        data += chunk
        guard.received = len(data)
        if len(data) > limit:
            raise too_large
    return bytes(data)


class _Guard:
    """Aborts a connection, from another thread, at the deadline or below the minimum rate."""

    def __init__(self, connection: Connection, settings: Settings, deadline: float) -> None:
        self.received = 0
        self._why = ""
        self._late = False
        self._connection = connection
        self._settings = settings
        self._deadline = deadline
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def reason(self, url: str) -> ExchangeError | None:
        """Return why the connection was aborted, if it was."""
        if not self._why:
            return None
        return ExchangeError(f"{shown(url)}: {self._why}", retry=not self._late)

    def _watch(self) -> None:
        mark, at = 0, time.monotonic()
        while not self._done.wait(WATCH_EVERY):
            now = time.monotonic()
            if now >= self._deadline:
                self._why, self._late = f"not done within {self._settings.deadline:g} s", True
            elif now - at >= self._settings.rate_window:
                rate = (self.received - mark) / (now - at)
                if rate < self._settings.minimum_rate:
                    self._why = f"too slow: {rate:.0f} bytes/s over {now - at:.0f} s"
                mark, at = self.received, now
            if self._why:
                self._connection.abort()

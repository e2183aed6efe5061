"""Who fetches which bytes: the spans in work, the gaps between them, and who takes a share."""

from __future__ import annotations

import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.http.answer import Reply
    from bubble.system.http.client import Connection
    from bubble.system.http.part import Part
    from bubble.system.http.settings import Settings

CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
STALLED = 5.0


class Span:
    """The bytes `[pos, end)` that one worker fetches; `end` is None while it isn't known.

    `body_end` is where the body that was asked for ends; `end` comes before it when another worker
    took the rest. `full` marks the body of a plain 200.
    """

    def __init__(self, pos: int, end: int | None, connection: Connection) -> None:
        self.pos = pos
        self.end = end
        self.connection = connection
        self.body_end: int | None = None
        self.full = False
        self.leaving = False  # its connection is about to be closed
        self.cancelled = False
        self.reason = ""
        self.received = 0
        self.answered_at: float | None = None
        self.asked_at = self.last = self.mark_time = time.monotonic()
        self.mark_received = 0

    def answered(self, body_end: int | None, *, full: bool) -> None:
        """Note where the response's body ends; a `full` one starts at 0."""
        if full:
            self.pos, self.end, self.full = 0, body_end, True
        elif self.end is None:
            self.end = body_end
        self.body_end = body_end
        self.answered_at = self.last = time.monotonic()

    def advance(self, count: int) -> None:
        """Note that `count` bytes were written."""
        self.pos += count
        self.received += count
        self.last = time.monotonic()


class Spans:
    """The spans in work on one part; the part's lock guards it."""

    def __init__(self, part: Part, settings: Settings) -> None:
        self.active: list[Span] = []
        self._part = part
        self._settings = settings

    def claim(self, connection: Connection, *, split: bool, most: int = 0) -> Span | None:
        """Return bytes that nobody fetches, or half of what the slowest to end has left.

        `most` limits that half (0: doesn't), in bytes.
        """
        gap = self._first_gap()
        if gap is not None:
            span = Span(gap[0], gap[1], connection)
        elif split and (victim := self._longest()) is not None:
            assert victim.end is not None
            middle = victim.pos + (victim.end - victim.pos) // 2
            if most:
                middle = max(middle, victim.end - most)
            span = Span(middle, victim.end, connection)
            victim.end = middle
        else:
            return None
        self.active.append(span)
        return span

    def release(self, span: Span) -> None:
        """Take a span out of work: what it didn't fetch is a gap again."""
        with self._part.lock:
            if span in self.active:
                self.active.remove(span)
                self._part.lock.notify_all()

    def regrow(self) -> None:
        """Let spans go on through gaps that others took from them and failed to fetch."""
        for span in self.active:
            if span.end is None or span.body_end is None or span.leaving:
                continue
            starts = [s.pos for s in self.active] + [start for start, _ in self._part.done]
            span.end = min([s for s in starts if s >= span.end] + [span.body_end])

    def others(self, span: Span) -> bool:
        """Return whether another worker has a span."""
        return any(other is not span for other in self.active)

    def end_slow(self, now: float, *, idle: bool) -> None:
        """Abort spans below the minimum rate, and stalled ones when a worker has nothing to do."""
        for span in self.active:
            passed = now - span.mark_time
            if passed >= self._settings.rate_window:
                rate = (span.received - span.mark_received) / passed
                if rate < self._settings.minimum_rate:
                    span.reason = f"too slow: {rate:.0f} bytes/s over {passed:.0f} s"
                span.mark_time, span.mark_received = now, span.received
            elif idle and now - span.last > STALLED:
                span.reason = f"nothing came for {STALLED:.0f} s"
            if span.reason:
                span.connection.abort()

    def _first_gap(self) -> tuple[int, int | None] | None:
        """Return the first range that is neither done nor in work."""
        total = self._part.total
        taken = self._part.done + [(s.pos, s.end) for s in self.active if s.end is not None]
        if len(taken) < len(self._part.done) + len(self.active):
            return None  # somebody is finding out where the end is
        position = 0
        for start, end in sorted(taken):
            if position < start:
                return position, start
            position = max(position, end)
        return None if position == total else (position, total)

    def _longest(self) -> Span | None:
        longest, most = None, self._settings.steal_size - 1
        for span in self.active:
            if span.end is not None:
                left = span.end - span.pos
                if left > most:
                    longest, most = span, left
        return longest


def check_range(reply: Reply, span: Span, part: Part, *, same_url: bool) -> str:
    """Return what is wrong with the answer to a range request, or ""."""
    if reply.status != 206:
        gone = reply.status == 416
        return "the server " + ("doesn't have the rest" if gone else "ignored the range")
    match = CONTENT_RANGE.fullmatch(reply.headers.get("content-range", "").strip())
    if match is None:
        return "the server sent a part without saying which"
    start, last, total = (int(group) for group in match.groups())
    end = span.body_end if span.body_end is not None else total
    if start != span.pos or last != end - 1 or (part.total is not None and total != part.total):
        return "the server sent another part than was asked for"
    if reply.length is not None and reply.length != end - start:
        return "the server sent a part of another length than it says"
    known = part.validator
    if same_url and known.startswith('"') and reply.etag and reply.etag != known:
        return "the file changed while it was being downloaded"
    return ""

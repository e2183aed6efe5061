"""Filling a partial file from one URL: worker threads, and the calling thread that watches them.

One connection starts with a plain GET. When the server takes ranges and the file will take a
while, further connections take halves of what the others have left, so that no slow one holds up
the end. The calling thread hashes what is there, enforces the deadline and the minimum rate, and
can be interrupted at any time: the partial file stays fit for a resume.
"""

from __future__ import annotations

import threading
import time

from bubble.model.errors import BubbleError
from bubble.model.text import size
from bubble.model.urls import shown
from bubble.system.http.client import Connection
from bubble.system.http.exchange import ExchangeError
from bubble.system.http.part import PartClosedError
from bubble.system.http.spans import Spans, check_range
from bubble.system.http.spread import Spread
from bubble.system.http.trust import Trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bubble.system.http.answer import Reply
    from bubble.system.http.part import Part
    from bubble.system.http.settings import Settings
    from bubble.system.http.spans import Span

    Progress = Callable[[int, int | None], None]

# how long a thread that hangs while connecting is waited for, when there is haste or not
HASTY_JOIN = 0.5
JOIN = 2.0


class Swarm:
    """The transfer of one URL into one `Part`; everything is guarded by the part's lock.

    `transferred` counts the body bytes that came over the network. `doubtful` says that bytes
    may stem from different versions of the file, or that its end may be missing unnoticed.
    """

    def __init__(
        self, url: str, part: Part, *, env: Mapping[str, str], settings: Settings, deadline: float
    ) -> None:
        self.url = url
        self.part = part
        self.settings = settings
        self.transferred = 0
        self.doubtful = part.size_done > 0
        self._env = env
        self._trust = Trust(env)
        self._deadline = deadline
        self._lock = part.lock
        self._spans = Spans(part, settings)
        self._connections: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self._live = 0
        self._stopped = False
        self._error: BaseException | None = None
        self._resolved = ""  # where the redirects led: segments need not follow them again
        self._ranges = False  # whether the server is known to take ranges
        self._plain = False  # whether it was found to answer ranges wrongly
        self._failures = 0
        self._best = 0
        self._spread = Spread(part, self._spans, settings)
        self._dismissed: Connection | None = None
        self._retry = ""  # why and when there is one, until it is told

    def run(self, progress: Progress | None, tell: Callable[[str], None] = lambda _: None) -> None:
        """Return when every byte is there; raise ExchangeError, BubbleError, or what interrupts.

        `progress` is called in this thread, ten or twenty times a second, with the bytes that are
        there and the total, `tell` before each retry; what they raise stops the transfer.
        """
        tick_at = 0.0
        try:
            self._start(1)
            import bubble.system.http.answer  # noqa: F401 - while the worker connects

            while not self._finished():
                if not self.part.hash_some():
                    with self._lock:
                        if not self._finished():
                            self._lock.wait(self._spread.pause)
                self._tell_retry(tell)
                now = time.monotonic()
                if now >= tick_at:
                    tick_at = now + self._spread.pause
                    self._watch(now)
                    if progress is not None:
                        progress(self.part.size_done, self.part.total)
        finally:
            self._stop()
        if self._error is not None:
            raise self._error
        self._tell_retry(tell)  # one that was over before this thread saw it

    # --- the calling thread

    def _tell_retry(self, tell: Callable[[str], None]) -> None:
        with self._lock:
            retry, self._retry = self._retry, ""
        if retry:
            tell(retry)

    def _start(self, count: int) -> None:
        with self._lock:
            for _ in range(count):
                connection = Connection(self._env, self.settings, self._trust)
                thread = threading.Thread(target=self._work, args=(connection,), daemon=True)
                self._connections.append(connection)
                self._threads.append(thread)
                self._live += 1
                thread.start()

    def _stop(self) -> None:
        """End the workers. One that hangs while connecting is left behind: it can't write."""
        with self._lock:
            self._stopped = True
            self._lock.notify_all()
        for connection in self._connections:
            connection.abort()
        until = time.monotonic() + (HASTY_JOIN if self.part.complete else JOIN)
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _finished(self) -> bool:
        with self._lock:
            return self._stopped or self._error is not None or self.part.complete

    def _watch(self, now: float) -> None:
        with self._lock:
            if now >= self._deadline:
                raise BubbleError(
                    "download",
                    f"{shown(self.url)}: not done within {self.settings.deadline:g} s",
                    hint="retry: it goes on where it stopped; BUBBLE_HTTP_DEADLINE allows more",
                )
            if self._live == 0 and not self._finished():
                raise BubbleError("internal", f"{shown(self.url)}: the download stopped by itself")
            self._spans.end_slow(now, idle=self._live > len(self._spans.active))
            self.part.save()
            self._open_further(now)

    def _open_further(self, now: float) -> None:
        """Open further connections where that pays; one that was tried in vain ends its piece."""
        ranges = self._ranges and not self._plain
        if further := self._spread.further(now, self._live, ranges=ranges):
            self._start(further)
        elif self._spread.in_vain:
            self._dismissed = self._connections[-1]

    # --- the workers

    def _work(self, connection: Connection) -> None:
        try:
            while (span := self._claim(connection)) is not None:
                try:
                    self._fill(span, connection)
                except ExchangeError as error:
                    if not self._survives(span, error):
                        return
                finally:
                    self._spans.release(span)
        except PartClosedError:
            pass
        except Exception as error:  # noqa: BLE001 -- handed to the calling thread, which raises it
            with self._lock:
                if not self._stopped and self._error is None:
                    self._error = error
        finally:
            connection.close()
            with self._lock:
                self._live -= 1
                self._lock.notify_all()

    def _claim(self, connection: Connection) -> Span | None:
        """Wait for bytes that nobody fetches; None when there will be none."""
        with self._lock:
            while not self._finished():
                if connection is self._dismissed:
                    return None
                if self._plain and self.part.done and not self._spans.active:
                    self.part.start_over()  # without ranges there is no going on
                span = self._spans.claim(connection, split=not self._plain, most=self._spread.most)
                if span is not None:
                    return span
                self._lock.wait()
            return None

    def _fill(self, span: Span, connection: Connection) -> None:
        with self._lock:
            url = self._resolved or self.url
            headers = self._headers(span)
        with connection.get(url, headers) as reply:
            with self._lock:
                if self._obsolete(span):
                    return
                self._accept(span, reply, asked="Range" in headers)
            for chunk in reply.chunks():
                if not self._store(span, chunk):
                    break
        with self._lock:
            if self._obsolete(span):
                return
            if span.reason:  # a body that ends with the connection ends cleanly when aborted
                raise ExchangeError(f"{shown(self.url)}: {span.reason}", retry=True)
            if span.end is None:
                self.part.total = span.end = span.pos
                self.doubtful = True
                self._lock.notify_all()
            elif span.pos < span.end:
                raise ExchangeError(f"{shown(self.url)}: the body ended early", retry=True)

    def _obsolete(self, span: Span) -> bool:
        return span.cancelled or self._stopped

    def _headers(self, span: Span) -> dict[str, str]:
        """Return a plain request when nothing is there, else one for the span's range."""
        part = self.part
        if self._plain or (not part.done and span.pos == 0 and len(self._spans.active) == 1):
            return {}
        span.body_end = span.end  # what the answer is held to, though others may take a share
        last = "" if span.end is None else str(span.end - 1)
        headers = {"Range": f"bytes={span.pos}-{last}"}
        if part.validator and part.url == shown(self.url):
            headers["If-Range"] = part.validator
        else:
            self.doubtful = True
        return headers

    def _accept(self, span: Span, reply: Reply, *, asked: bool) -> None:
        """Take up the head of a response, or raise ExchangeError."""
        where = shown(reply.url)
        if reply.status == 200 and (not asked or len(self._spans.active) == 1):
            if self.part.done:
                self.part.start_over()
            length = reply.length
            self._limit(length or 0)
            self.part.total, self.part.url = length, shown(self.url)
            self.part.validator = reply.validator
            self._ranges = (
                length is not None and reply.headers.get("accept-ranges", "").lower() == "bytes"
            )
            span.answered(length, full=True)
        elif asked and reply.status in {200, 206, 416}:
            wrong = check_range(reply, span, self.part, same_url=self.part.url == shown(self.url))
            if wrong:
                raise self._mistrust(span, f"{where}: {wrong}")
            self.part.total = int(reply.headers["content-range"].rpartition("/")[2])
            self._limit(self.part.total)
            self._ranges = True
            span.answered(span.body_end or self.part.total, full=False)
        else:
            text = f"{where}: the server answered {reply.status} to a request that doesn't allow it"
            raise ExchangeError(text, retry=False, status=reply.status)
        self._resolved = reply.url
        self._lock.notify_all()

    def _limit(self, total: int) -> None:
        if total > self.settings.max_size:
            limit = size(self.settings.max_size)
            raise ExchangeError(f"{shown(self.url)}: larger than {limit}", retry=False)

    def _store(self, span: Span, chunk: bytes) -> bool:
        """Write a chunk; return whether the rest of the body is wanted."""
        with self._lock:
            self.transferred += len(chunk)
            if self._obsolete(span):
                return False
            room = len(chunk) if span.end is None else span.end - span.pos
            if room <= 0:
                span.leaving = True
                return False
            self._limit(span.pos + min(room, len(chunk)))
            self.part.write(span.pos, chunk[:room] if room < len(chunk) else chunk)
            span.advance(min(room, len(chunk)))
            if self.part.complete:
                self._lock.notify_all()
            # at the body's own end one more read lets the connection be used again
            span.leaving = span.pos == span.end != span.body_end
            return not span.leaving

    def _mistrust(self, span: Span, why: str) -> ExchangeError:
        """Ask for no range any more: go on with a whole body that is coming, or start over."""
        self._plain = self.doubtful = True
        active = [s for s in self._spans.active if s is not span]
        whole = next((s for s in active if s.full and not s.leaving), None)
        for other in list(self._spans.active):
            if other is not whole:
                other.cancelled = True
                self._spans.release(other)
                if other is not span:
                    other.connection.abort()
        if whole is not None:
            whole.end = whole.body_end
        else:
            self.part.start_over()
        return ExchangeError(why, retry=True)

    def _survives(self, span: Span, error: ExchangeError) -> bool:
        """Decide after a failure: go on (after a pause), retire, or give the whole up."""
        with self._lock:
            if self._finished():
                return False
            self._spans.release(span)
            if span.cancelled:
                return True
            if span.reason:  # what the client says about the abort is beside the point
                error = ExchangeError(f"{shown(self.url)}: {span.reason}", retry=True)
            moved, self._resolved = self._resolved not in {"", self.url}, ""
            if self._live > 1 and self._spans.others(span):
                self._spans.regrow()  # too many connections for this server: the others go on
                return False
            if self.part.size_done >= self._best + self.settings.progress_size:
                self._failures = 0
            self._best = max(self._best, self.part.size_done)
            self._failures += 1
            if not (error.retry or moved or self._plain) and self._ranges:
                self._mistrust(span, error.message)  # it sent the file, but refuses a part of it
                return True
            most = self.settings.attempts
            if error.unreachable and not self.transferred:  # a server may restart under way
                most = min(most, self.settings.unreachable_attempts)
            if self._failures >= most or not (error.retry or moved):
                self._error = error
                self._lock.notify_all()
                return False
            pause = max(self.settings.pause(self._failures), error.after)
            when = f" in {pause:.0f} s" if pause >= 1 else ""
            attempt = f"{self._failures + 1} of {most}"
            self._retry = f"{error.message}; trying again{when} ({attempt})"
            self._lock.notify_all()
            self._lock.wait_for(self._finished, pause)
            return True

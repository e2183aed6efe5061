"""What the fault server's paths answer: a request, the means to answer it, and ready answers."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.fault_server import FaultServer

_FILE_BLOCK = 1 << 22
BLOCK = 64 * 1024
REASONS = {200: "OK", 206: "Partial Content", 302: "Found", 304: "Not Modified"}


@dataclass
class Entry:
    """One request, and what was sent back; `sent` counts body bytes given to the socket."""

    connection: int
    method: str
    path: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0

    @property
    def range(self) -> str:
        return self.headers.get("range", "")


class Exchange:
    """A request on a connection, and the means to answer it well or badly."""

    def __init__(self, server: FaultServer, sock: socket.socket, entry: Entry) -> None:
        self.server = server
        self.sock = sock
        self.entry = entry
        self.keep = True

    def head(self, status: int, headers: dict[str, str | int]) -> None:
        self.entry.status = status
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def answer(self, status: int, body: bytes = b"", **headers: str | int) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.head(status, {"Content-Length": len(body), **named})
        self.send(body)

    def send(self, data: bytes, rate: float | None = None) -> None:
        """Send body bytes, at most `rate` a second."""
        if rate is None:
            self._give(data)
            return
        step = max(1, min(BLOCK, int(rate / 50)))
        started, sent = time.monotonic(), 0
        while sent < len(data):
            piece = data[sent : sent + step]
            self._give(piece)
            sent += len(piece)
            late = started + sent / rate - time.monotonic()
            if late > 0 and self.server.stopping.wait(late):
                raise ConnectionError

    def _give(self, piece: bytes) -> None:
        self.entry.sent += len(piece)  # before it is sent: who has it may look at once
        try:
            self.sock.sendall(piece)
        except BaseException:
            self.entry.sent -= len(piece)
            raise

    @property
    def is_tls(self) -> bool:
        return self.server.is_tls

    def send_file(self, path: str, start: int, end: int) -> None:
        """Send a part of a file without copying it through here: a fast server."""
        with open(path, "rb", buffering=0) as file:
            while start < end:
                most, count = min(end - start, _FILE_BLOCK), 0
                self.entry.sent += most
                try:
                    count = os.sendfile(self.sock.fileno(), file.fileno(), start, most)
                finally:
                    self.entry.sent -= most - count
                if not count:
                    raise ConnectionError
                start += count

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionError


Handler = Callable[[Exchange], None]


@dataclass
class Resource:
    """A file (its bytes, or a path) that is served right, unless told otherwise."""

    body: bytes | str
    etag: str = '"v1"'
    last_modified: str = ""
    ranges: bool = True
    headers: dict[str, str | int] = field(default_factory=dict)
    rate: float | None = None
    # the Content-Length that is sent: right, none (the body ends with the connection), chunked, N
    length: str | int = "right"
    # the connection ends after so many body bytes of a response, the first `cut_times` times
    cut: int | None = None
    cut_times: int = 1_000_000
    with_reset: bool = False
    # the body stops there and waits for `server.go`, once
    hold_at: int | None = None
    # what a range request gets instead: another Content-Range, another status
    content_range: str = ""
    range_status: int = 206
    ignore_if_range: bool = False
    # what a request without a range gets
    plain_status: int = 200

    def __call__(self, exchange: Exchange) -> None:
        total = len(self.body) if isinstance(self.body, bytes) else os.path.getsize(self.body)
        start, end, status = self._wanted(exchange.entry, total)
        headers: dict[str, str | int] = {"Content-Type": "application/octet-stream"}
        headers |= {"ETag": self.etag} if self.etag else {}
        headers |= {"Last-Modified": self.last_modified} if self.last_modified else {}
        headers |= {"Accept-Ranges": "bytes"} if self.ranges else {}
        if status == 206:
            headers["Content-Range"] = self.content_range or f"bytes {start}-{end - 1}/{total}"
        if status in {204, 304, 416}:
            end = start
        if self.length == "right":
            headers["Content-Length"] = end - start
        elif self.length == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        elif self.length == "none":
            headers["Connection"] = "close"
            exchange.keep = False
        else:
            headers["Content-Length"] = self.length
            exchange.keep = False
        exchange.head(status, headers | self.headers)
        self._send(exchange, start, end)

    def _wanted(self, entry: Entry, total: int) -> tuple[int, int, int]:
        text = entry.range.removeprefix("bytes=")
        if not text or not self.ranges:
            return 0, total, self.plain_status
        condition = entry.headers.get("if-range", "")
        if condition not in {"", self.etag, self.last_modified} and not self.ignore_if_range:
            return 0, total, 200
        low, _, high = text.partition("-")
        start, end = int(low), min(int(high) + 1 if high else total, total)
        if start >= total:
            return total, total, 416
        return (0, total, 200) if self.range_status == 200 else (start, end, self.range_status)

    def _send(self, exchange: Exchange, start: int, end: int) -> None:
        if self._is_plain and not exchange.is_tls:
            assert isinstance(self.body, str)
            exchange.send_file(self.body, start, end)
            return
        stop = end
        if self.cut is not None and self.cut_times > 0 and end - start > self.cut:
            stop = start + self.cut
            self.cut_times -= 1
        for data in self._pieces(exchange, start, stop):
            if self.length == "chunked":
                exchange.sock.sendall(b"%x\r\n" % len(data))
            exchange.send(data, self.rate)
            if self.length == "chunked":
                exchange.sock.sendall(b"\r\n")
        if stop < end and self.with_reset:
            exchange.reset()
        if stop < end:
            raise ConnectionError
        if self.length == "chunked":
            exchange.sock.sendall(b"0\r\n\r\n")

    @property
    def _is_plain(self) -> bool:
        faults = (self.rate, self.cut, self.hold_at)
        return isinstance(self.body, str) and self.length == "right" and faults == (None,) * 3

    def _pieces(self, exchange: Exchange, position: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `position` to `stop`; wait at `hold_at`."""
        with contextlib.ExitStack() as stack:
            file = None
            if isinstance(self.body, str):
                file = stack.enter_context(open(self.body, "rb", buffering=0))
                file.seek(position)
            while position < stop:
                size = min(BLOCK, stop - position)
                if self.hold_at is not None and position <= self.hold_at < position + size:
                    size = self.hold_at - position
                    if size == 0:
                        self.hold_at = None
                        exchange.server.held.set()
                        exchange.server.go.wait()
                        continue
                if file is not None:
                    yield file.read(size)
                else:
                    assert isinstance(self.body, bytes)
                    yield self.body[position : position + size]
                position += size


def status(code: int, body: bytes = b"", **headers: str | int) -> Handler:
    """Answer with a status; `Retry_After=1` becomes a header."""
    return lambda exchange: exchange.answer(code, body, **headers)


def redirect(location: str, code: int = 302) -> Handler:
    return status(code, Location=location)


def portal(exchange: Exchange) -> None:
    """Answer as a captive portal does."""
    exchange.answer(200, b"<html>Please log in</html>", Content_Type="text/html; charset=utf-8")


def hang_up(exchange: Exchange) -> None:
    """Close before the head of the response."""
    exchange.keep = False
    raise ConnectionError


def sequence(*handlers: Handler) -> Handler:
    """Answer the first request by the first handler, and so on; the last one stays."""
    order = itertools.chain(handlers, itertools.repeat(handlers[-1]))
    lock = threading.Lock()

    def handle(exchange: Exchange) -> None:
        with lock:
            handler = next(order)
        handler(exchange)

    return handle

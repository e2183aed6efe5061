"""What an answer may look like: every form that HTTP has is taken, nothing else is.

Each is bytes on a raw socket.
"""

from __future__ import annotations

import threading

import pytest

from support.fault_handlers import Exchange, Handler, Resource
from support.transfers import ALONE, Target, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from support.fault_server import FaultServer

DATA = some_bytes(300_000)
HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(DATA)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x;why=not\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (len(DATA), DATA)


def raw(*pieces: bytes) -> Handler:
    """Answer by these very bytes, then hang up."""

    def handle(exchange: Exchange) -> None:
        exchange.keep = False
        exchange.send(b"".join(pieces))

    return handle


@pytest.mark.parametrize(
    "pieces",
    [
        (HEAD, LENGTH, b"\r\n", DATA),
        (b"HTTP/1.1 200\r\n", LENGTH, b"\r\n", DATA),
        (b"HTTP/1.0 200 OK\r\n\r\n", DATA),
        (HEAD, b"\r\n", DATA),
        (HEAD, LENGTH, b"\r\n", DATA, b"and what nobody asked for"),
        (HEAD, CHUNKED, b"\r\n", CHUNKS),
        (HEAD, CHUNKED, b"Content-Length: 3\r\n\r\n", CHUNKS),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3, HEAD, LENGTH, b"\r\n", DATA),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", HEAD, LENGTH, b"\r\n", DATA),
        (HEAD, b"Content-Length: %d \t\r\n\r\n" % len(DATA), DATA),
        (HEAD, b"Transfer-Encoding: Chunked \r\n", LENGTH, b"\r\n", CHUNKS),
        (HEAD, LENGTH, b"X-Odd: \xff\xfe\r\nETag: \xe9\r\n\r\n", DATA),
    ],
)
def test_an_answer_may_take_any_form_that_http_has(
    server: FaultServer, target: Target, pieces: tuple[bytes, ...]
) -> None:
    target.get(server.put("/file", raw(*pieces)))
    assert len(server.log) == 1


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ((b"",), "without an answer"),
        ((b"SSH-2.0-\x1b[31mOpenSSH\r\n",), r"no answer of HTTP: SSH-2.0-\x1b[31m"),
        ((b"\r\n\r\n",), "no answer of HTTP"),
        ((b"HTTP/2 200 OK\r\n\r\n",), "no answer of HTTP"),
        ((b"HTTP/1.1 OK\r\n\r\n",), "no answer of HTTP"),
        ((b"HTTP/1.1 99 OK\r\n\r\n",), "no answer of HTTP"),
        ((b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n",), "answered 101"),
        ((b"HTTP/1.1 ", b"x" * 200_000), "no answer of HTTP"),
        ((HEAD, b"X: ", b"x" * 200_000), "no answer of HTTP"),
        ((HEAD, b"X: x\r\n" * 2000, b"\r\n"), "no answer of HTTP"),
        *(
            ((HEAD, b"Content-Length: %b\r\n\r\n" % length, DATA), "means nothing")
            for length in (b"x", b"-1", b"+300000", b"300_000", b"", b"1\r\nContent-Length: 2")
        ),
        *(
            ((HEAD, b"Transfer-Encoding: %b\r\n\r\n" % coding, CHUNKS), "wasn't asked for")
            for coding in (b"gzip", b"gzip, chunked", b"identity", b"")
        ),
        *(
            ((HEAD, line, LENGTH, b"\r\n", DATA), "a line that is no header")
            for line in (b"no header\r\n", b" folded: x\r\n", b"X-Space : x\r\n")
        ),
        ((HEAD, CHUNKED, b"\r\n", b"zz\r\n", DATA), "ended early"),
        ((HEAD, CHUNKED, b"\r\n", b"5\r\nabc"), "ended early"),
        ((HEAD, CHUNKED, b"\r\n"), "ended early"),
        ((HEAD, CHUNKED, b"\r\n", b"1" * 200_000), "no answer of HTTP"),
    ],
)
def test_what_http_does_not_have_is_an_error_and_no_file(
    server: FaultServer, target: Target, pieces: tuple[bytes, ...], said: str
) -> None:
    error = target.fails(server.put("/file", raw(*pieces)))
    assert error.kind == "download"
    assert said in error.message
    assert len(error.message) < 500
    assert len(server.log) <= ALONE.attempts


def test_a_chunk_of_less_than_nothing_ends(server: FaultServer, target: Target) -> None:
    error = target.fails(server.put("/file", raw(HEAD, CHUNKED, b"\r\n", b"-5\r\n", DATA)))
    assert error.kind in {"download", "checksum"}


def test_a_connection_is_asked_again_unless_its_server_closed_it(
    server: FaultServer, target: Target
) -> None:
    """Each end of an answer: what is left of a body is never taken for the next answer."""
    seen: list[str] = []

    def moves(keep: object, body: bytes) -> Handler:
        def handle(exchange: Exchange) -> None:
            exchange.keep = bool(keep)
            exchange.head(302, {"Location": f"/{len(seen)}", "Content-Length": len(body)})
            exchange.send(body)
            seen.append(threading.current_thread().name)

        return handle

    server.put("/file", moves(1, b""))
    server.put("/0", moves(1, b""))
    server.put("/1", moves(0, b""))
    server.put("/2", moves(1, b"HTTP/1.1 200 OK\r\n\r\nnot this"))
    server.put("/3", Resource(DATA))
    target.get(f"{server.url}/file")
    first, second, third, fourth = seen
    assert first == second == third != fourth

"""Small documents, `file://`, and the switch that turns the network off."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys

import pytest

from bubble.model.errors import BubbleError
from bubble.system.http.fetch import fetch
from support.fault_handlers import Exchange, Resource, portal, redirect, sequence, status
from support.transfers import ALONE, Target, sha256, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from support.fault_server import FaultServer

DATA = some_bytes(300_000)
OFFLINE = {"BUBBLE_OFFLINE": "1"}


def fails(url: str, *, limit: int = 1_000_000) -> BubbleError:
    with pytest.raises(BubbleError) as caught:
        fetch(url, limit=limit, env={}, settings=ALONE)
    return caught.value


def test_a_document_comes_with_its_etag(server: FaultServer) -> None:
    server.put("/index", Resource(DATA, etag='"7"'))
    url = server.put("/moved", redirect("/index"))
    got = fetch(url, limit=300_000, env={}, settings=ALONE)
    assert (got.data, got.etag, got.url) == (DATA, '"7"', url)


def test_a_document_that_did_not_change_is_not_sent(server: FaultServer) -> None:
    def handle(exchange: Exchange) -> None:
        same = exchange.entry.headers.get("if-none-match") == '"7"'
        (status(304) if same else Resource(DATA, etag='"7"'))(exchange)

    url = server.put("/index", handle)
    assert fetch(url, limit=300_000, env={}, settings=ALONE, etag='"7"').data is None
    assert fetch(url, limit=300_000, env={}, settings=ALONE, etag='"6"').data == DATA


@pytest.mark.parametrize("line", ["no header", "Content-Length : 300000"])
def test_a_document_cut_short_is_not_whole_for_a_head_that_hides_its_length(
    server: FaultServer, line: str
) -> None:
    def handle(exchange: Exchange) -> None:
        exchange.keep = False
        head = f"HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: {len(DATA)}\r\n\r\n"
        exchange.send(head.encode() + DATA[:1000])

    assert "no header" in fails(server.put("/index", handle)).message


@pytest.mark.parametrize("length", ["right", "chunked", "none"])
def test_a_document_over_the_limit_is_refused(server: FaultServer, length: str) -> None:
    url = server.put("/index", Resource(DATA, length=length))
    assert "larger than" in fails(url, limit=299_999).message


def test_a_document_cut_short_is_fetched_again(server: FaultServer) -> None:
    url = server.put("/index", Resource(DATA, cut=1000, cut_times=1))
    assert fetch(url, limit=300_000, env={}, settings=ALONE).data == DATA
    assert len(server.log) == 2


@pytest.mark.parametrize(
    "handler",
    [
        status(204),
        status(206),
        status(304),
        status(404),
        status(500),
        portal,
        Resource(gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"}),
        redirect("file:///etc/passwd"),
        Resource(DATA, cut=10),
    ],
)
def test_a_wrong_answer_is_no_document(server: FaultServer, handler: object) -> None:
    assert callable(handler)
    error = fails(server.put("/index", handler))
    assert error.kind == "download"
    assert error.hint


def test_a_passing_failure_is_retried(server: FaultServer) -> None:
    url = server.put("/index", sequence(status(503), Resource(DATA)))
    assert fetch(url, limit=300_000, env={}, settings=ALONE).data == DATA


def test_a_dripping_document_is_given_up(server: FaultServer) -> None:
    url = server.put("/index", Resource(DATA, rate=20))
    slow = ALONE.replace(minimum_rate=1000, rate_window=0.3, attempts=2)
    with pytest.raises(BubbleError, match="too slow"):
        fetch(url, limit=300_000, env={}, settings=slow)
    assert len(server.log) == 2
    late = ALONE.replace(deadline=0.4)
    with pytest.raises(BubbleError, match="not done within"):
        fetch(url, limit=300_000, env={}, settings=late)


def test_a_head_that_drips_is_given_up(server: FaultServer) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.sock.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not exchange.server.stopping.wait(0.05):
            exchange.sock.sendall(b"x")

    url = server.put("/index", drip)
    with pytest.raises(BubbleError, match="not done within"):
        fetch(url, limit=300_000, env={}, settings=ALONE.replace(deadline=0.5))


def test_a_local_document_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a b%.json"
    path.write_bytes(DATA)
    url = path.as_uri()
    assert "%20" in url
    assert fetch(url, limit=300_000, env=OFFLINE).data == DATA
    assert "too large" in fails(url, limit=299_999).message


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "device"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, target: Target, kind: str) -> None:
    path = tmp_path / "thing"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    url = "file:///dev/zero" if kind == "device" else path.as_uri()
    assert fails(url).kind == "download"
    assert target.fails(url).kind == "download"
    assert target.left() == []


@pytest.mark.parametrize(
    "url",
    [
        "/etc/passwd",
        "etc/passwd",
        "ftp://127.0.0.1/x",
        "file://elsewhere/x",
        "file:relative",
        "http://",
        "http:///path",
        "http://127.0.0.1:port/",
        "http://[::1/",
        "javascript:alert(1)",
        "",
        "file:///a?b",
    ],
)
def test_what_is_no_url_is_a_usage_error(target: Target, url: str) -> None:
    assert fails(url).kind == "usage"
    assert target.fails(url).kind == "usage"
    assert target.left() == []


def test_a_local_file_is_copied_and_checked(tmp_path: Path, target: Target) -> None:
    source = tmp_path / "source"
    source.write_bytes(DATA)
    done = target.get(source.as_uri(), env=OFFLINE)
    assert done.bytes_transferred == 0
    os.unlink(target.path)
    source.write_bytes(DATA[:-1])
    assert target.fails(source.as_uri()).kind == "checksum"
    assert target.left() == []


def test_a_missing_local_file_leads_to_the_next_place(
    server: FaultServer, tmp_path: Path, target: Target
) -> None:
    url = server.put("/file", Resource(DATA))
    assert target.get((tmp_path / "none").as_uri(), url).url == url


def test_offline_nothing_is_asked(server: FaultServer, tmp_path: Path, target: Target) -> None:
    url = server.put("/file", Resource(DATA))
    error = target.fails(url, env=OFFLINE)
    assert error.kind == "offline"
    with pytest.raises(BubbleError) as caught:
        fetch(url, limit=10, env=OFFLINE)
    assert caught.value.kind == "offline"
    assert server.log == []
    (tmp_path / "source").write_bytes(DATA)
    assert target.get(url, (tmp_path / "source").as_uri(), env=OFFLINE).url.startswith("file:")
    os.unlink(target.path)
    assert target.get(url, env={"BUBBLE_OFFLINE": "0"}).url == url


def test_what_the_first_byte_does_not_need_is_not_imported_before_it(
    server: FaultServer, tmp_path: Path
) -> None:
    """Without the network nothing of it; to a server, no parser of answers before the request."""
    (tmp_path / "source").write_bytes(DATA)
    url = (tmp_path / "source").as_uri()
    code = f"""
import sys
from bubble.model.errors import BubbleError
from bubble.system.http.download import download
from bubble.system.http.fetch import fetch
fetch({url!r}, limit=1000000, env={{}})
download([{url!r}], {str(tmp_path / "copy")!r}, sha256={sha256(DATA)!r}, env={{}})
try:
    fetch("http://127.0.0.1:9/", limit=1, env={{"BUBBLE_OFFLINE": "yes"}})
except BubbleError as error:
    assert error.kind == "offline"
assert not {{"http", "ssl", "socket"}} & sys.modules.keys()
import socket
import bubble.system.http.client
heavy = {{"http.client", "email", "ssl", "encodings.idna", "typing", "inspect", "logging"}}
look_up, asked = socket.getaddrinfo, []
def seen(*address):
    asked.append(address)
    assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
    return look_up(*address)
socket.getaddrinfo = seen
fetch({server.put("/file", Resource(DATA))!r}, limit=1000000, env={{}})
assert asked and "http.client" in sys.modules
assert not heavy - {{"http.client", "email", "ssl"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)

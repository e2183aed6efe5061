"""Servers that answer wrongly: the file is right, or the error says what was wrong."""

from __future__ import annotations

import gzip
import os
import socket
from email.utils import formatdate
from time import time

import pytest

from support.fault_handlers import (
    Exchange,
    Resource,
    hang_up,
    portal,
    redirect,
    sequence,
    status,
)
from support.transfers import ALONE, Target, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from support.fault_server import FaultServer

DATA = some_bytes(300_000)


def test_a_right_answer_takes_one_request_and_no_byte_more(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA))
    seen: list[tuple[int, int | None]] = []
    done = target.get(url, progress=lambda there, total: seen.append((there, total)))
    assert (done.url, done.bytes_transferred, done.bytes_resumed) == (url, len(DATA), 0)
    assert seen[-1] == (len(DATA), len(DATA))
    (entry,) = server.log
    assert entry.headers["accept-encoding"] == "identity"
    assert entry.headers["user-agent"].startswith("bubble/")
    assert "range" not in entry.headers
    assert "authorization" not in entry.headers


@pytest.mark.parametrize("length", ["none", "chunked"])
def test_a_file_of_unknown_length_is_taken_when_its_hash_is_right(
    server: FaultServer, target: Target, length: str
) -> None:
    target.get(server.put("/file", Resource(DATA, length=length)))


def test_an_empty_file_is_a_file(server: FaultServer, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    empty = Target(str(tmp_path / "downloads" / "file"), b"")
    empty.get(server.put("/file", Resource(b"")))


def test_a_file_of_unknown_length_is_bounded(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA, length="chunked"))
    error = target.fails(url, settings=ALONE.replace(max_size=100_000))
    assert error.kind == "download"
    assert "larger than" in error.message
    assert server.requests("/file")[0].status == 200
    assert len(server.log) == 1


def test_a_file_that_says_it_is_too_large_is_not_read(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA))
    assert "larger than" in target.fails(url, settings=ALONE.replace(max_size=1000)).message
    assert target.left() == []


@pytest.mark.parametrize("with_reset", [False, True])
def test_a_body_cut_short_is_gone_on_with(
    server: FaultServer, target: Target, *, with_reset: bool
) -> None:
    url = server.put("/file", Resource(DATA, cut=200_000, cut_times=1, with_reset=with_reset))
    target.get(url)
    first, second = server.log
    assert first.range == ""
    start = int(second.range.removeprefix("bytes=").partition("-")[0])
    assert second.headers["if-range"] == '"v1"'
    # a reset may take away what the client hasn't read yet
    assert start == 200_000 or (with_reset and start < 200_000)
    assert second.sent == len(DATA) - start


def test_a_body_that_is_always_cut_is_given_up(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA, ranges=False, cut=200_000))
    error = target.fails(url)
    assert error.kind == "download"
    assert len(server.log) == ALONE.attempts


def test_a_body_of_unknown_length_cut_short_is_tried_once_more_then_refused(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, length="none", cut=200_000, cut_times=1))
    target.get(url)
    assert len(server.log) == 2
    os.unlink(target.path)
    url = server.put("/file", Resource(DATA, length="none", cut=200_000))
    assert target.fails(url).kind == "checksum"
    assert target.left() == []
    assert len(server.log) == 4


def test_a_length_that_is_too_small_is_caught_by_the_hash(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, length=len(DATA) - 1))
    error = target.fails(url)
    assert error.kind == "checksum"
    assert str(len(DATA) - 1) in error.message
    assert target.left() == []


def test_a_length_that_is_too_large_ends_in_an_error(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA, length=len(DATA) + 1))
    error = target.fails(url)
    assert error.kind in {"download", "checksum"}
    assert len(server.log) <= 2 * ALONE.attempts
    server.put("/file", Resource(DATA))
    target.get(url)


def test_other_bytes_are_refused_and_the_next_call_starts_clean(
    server: FaultServer, target: Target
) -> None:
    other = server.put("/other", Resource(some_bytes(300_000, seed=2)))
    right = server.put("/file", Resource(DATA))
    error = target.fails(other, right)
    assert error.kind == "checksum"
    assert [entry.path for entry in server.log] == ["/other"]
    assert target.left() == []
    target.get(right)


@pytest.mark.parametrize("code", [201, 204, 206, 304, 416])
def test_an_answer_that_fits_no_plain_request_is_an_error(
    server: FaultServer, target: Target, code: int
) -> None:
    url = server.put("/file", Resource(DATA, plain_status=code))
    error = target.fails(url)
    assert error.kind == "download"
    assert str(code) in error.message
    assert len(server.log) == 1
    assert target.left() == []


def test_a_captive_portal_is_named(server: FaultServer, target: Target) -> None:
    error = target.fails(server.put("/file", portal))
    assert "captive portal" in error.message
    assert "log in" in error.hint


def test_a_portal_does_not_cost_what_is_there_already(server: FaultServer, target: Target) -> None:
    url = server.put("/file", portal)
    target.leave_part((0, 200_000), url=url)
    target.fails(url)
    server.put("/file", Resource(DATA))
    assert target.get(url).bytes_transferred == 100_000


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br"])
def test_a_compressed_body_is_refused_not_inflated(
    server: FaultServer, target: Target, encoding: str
) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    url = server.put("/file", Resource(bomb, headers={"Content-Encoding": encoding}))
    assert encoding in target.fails(url).message
    assert target.left() == []


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_retried(server: FaultServer, target: Target, code: int) -> None:
    url = server.put("/file", sequence(status(code), status(code), Resource(DATA)))
    target.get(url)
    assert [entry.status for entry in server.log] == [code, code, 200]


def test_a_lasting_failure_is_retried_so_often_and_no_more(
    server: FaultServer, target: Target
) -> None:
    error = target.fails(server.put("/file", status(500)))
    assert "500" in error.message
    assert len(server.log) == ALONE.attempts


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_not_repeated(server: FaultServer, target: Target, code: int) -> None:
    error = target.fails(server.put("/file", status(code)))
    assert str(code) in error.message
    assert len(server.log) == 1


def test_retry_after_is_honoured_in_seconds(server: FaultServer, target: Target) -> None:
    times: list[float] = []

    def note(exchange: Exchange) -> None:
        times.append(time())
        (status(429, Retry_After=1) if len(times) == 1 else Resource(DATA))(exchange)

    target.get(server.put("/file", note))
    assert times[1] - times[0] >= 0.95


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_retry_after_beyond_the_limit_is_an_error_at_once(
    server: FaultServer, target: Target, form: str
) -> None:
    after = "3600" if form == "seconds" else formatdate(time() + 7200, usegmt=True)
    error = target.fails(server.put("/file", status(429, Retry_After=after)))
    assert "asks to wait" in error.message
    assert len(server.log) == 1


def test_a_retry_after_that_means_nothing_is_ignored(server: FaultServer, target: Target) -> None:
    target.get(server.put("/file", sequence(status(503, Retry_After="soon"), Resource(DATA))))


def test_a_connection_closed_before_the_answer_is_retried(
    server: FaultServer, target: Target
) -> None:
    target.get(server.put("/file", sequence(hang_up, hang_up, Resource(DATA))))
    server.put("/file", hang_up)
    os.unlink(target.path)
    assert target.fails(server.url + "/file").kind == "download"


def test_nobody_listening_is_a_download_error(target: Target) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
        error = target.fails(url)
    assert error.kind == "download"
    assert url in error.message
    assert target.left() == []


@pytest.mark.parametrize("first", [status(404), status(403), status(500), hang_up, portal])
def test_the_next_place_is_tried_when_one_has_or_gives_nothing(
    server: FaultServer, target: Target, first: object
) -> None:
    assert callable(first)
    bad = server.put("/cdn/file", first)
    good = server.put("/github/file", Resource(DATA))
    assert target.get(bad, good).url == good


def test_the_next_place_goes_on_where_the_first_broke_off(
    server: FaultServer, target: Target
) -> None:
    bad = server.put("/cdn/file", sequence(Resource(DATA, cut=200_000, etag='"cdn"'), status(503)))
    good = server.put("/github/file", Resource(DATA, etag='"github"'))
    done = target.get(bad, good)
    assert server.requests("/github/file")[0].range.startswith("bytes=200000-")
    assert "if-range" not in server.requests("/github/file")[0].headers
    assert done.bytes_transferred == len(DATA)


def test_pieces_of_two_places_that_do_not_fit_are_mended_by_starting_over(
    server: FaultServer, target: Target
) -> None:
    old = some_bytes(300_000, seed=2)
    bad = server.put("/cdn/file", sequence(Resource(old, cut=200_000, etag=""), status(503)))
    good = server.put("/github/file", Resource(DATA))
    target.get(bad, good)
    assert [entry.range for entry in server.requests("/github/file")] == [
        "bytes=200000-299999",
        "",
    ]


def test_every_place_that_failed_is_named(server: FaultServer, target: Target) -> None:
    one, two = server.put("/one", status(404)), server.put("/two", status(503))
    message = target.fails(one, two).message
    assert one in message
    assert two in message


def test_redirects_are_followed(server: FaultServer, target: Target) -> None:
    server.put("/a", redirect("b?signature=secret"))
    server.put("/b", redirect(server.url + "/file", 307))
    server.put("/file", Resource(DATA))
    target.get(server.url + "/a")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/file", "more than 10 redirects"),
        ("file:///etc/passwd", "file://"),
        ("ftp://127.0.0.1/file", "ftp://"),
        ("http://[broken", "refused"),
        ("http://127.0.0.1:port/", "refused"),
        ("javascript:alert(1)", "refused"),
    ],
)
def test_a_redirect_that_leads_nowhere_good_is_refused(
    server: FaultServer, target: Target, location: str, said: str
) -> None:
    error = target.fails(server.put("/file", redirect(location)))
    assert error.kind == "download"
    assert said in error.message
    assert len(server.log) <= 11

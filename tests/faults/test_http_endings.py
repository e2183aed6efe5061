"""How a body ends, and a transfer with it: early, late, refused, or given up on the way."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time

import pytest

from bubble.model.errors import BubbleError
from bubble.system.http import swarm as swarms
from bubble.system.http.fetch import fetch
from bubble.system.http.part import Part
from bubble.system.http.swarm import Swarm
from support.fault_handlers import Exchange, Resource, sequence, status
from support.transfers import ALONE, QUICK, Target, sha256, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.fault_server import FaultServer

SIZE = 300_000
DATA = some_bytes(SIZE)
WAIT = 60


@pytest.fixture
def part(target: Target) -> Iterator[Part]:
    part = Part(target.path, sha256(DATA), deadline=time.monotonic())
    yield part
    part.close()


def until(it_is: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not it_is():
        assert time.monotonic() < end
        time.sleep(0.01)


def swarm_of(url: str, part: Part) -> Swarm:
    return Swarm(url, part, env={}, settings=ALONE, deadline=time.monotonic() + WAIT)


def test_a_part_that_ends_early_with_its_connection_is_gone_on_with(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, length="none", cut=50_000, cut_times=1))
    target.leave_part((0, 100_000), url=url)
    assert target.get(url).bytes_transferred == SIZE - 100_000
    assert [entry.range for entry in server.log] == [
        f"bytes={n}-{SIZE - 1}" for n in (10**5, 150_000)
    ]


def test_a_part_that_never_comes_is_given_up(server: FaultServer, target: Target) -> None:
    url = server.put("/file", Resource(DATA, length="none", cut=0))
    target.leave_part((0, 100_000), url=url)
    assert "the body ended early" in target.fails(url).message
    assert len(server.log) == ALONE.attempts


def test_what_comes_after_the_part_that_was_asked_for_is_left_alone(
    server: FaultServer, target: Target
) -> None:
    def too_much(exchange: Exchange) -> None:
        headers: dict[str, str | int] = {"ETag": '"v1"', "Connection": "close"}
        headers["Content-Range"] = f"bytes 100000-199999/{SIZE}"
        exchange.head(206, headers)
        exchange.keep = False
        exchange.send(DATA[100_000:200_000])
        while not exchange.server.stopping.is_set():  # until the client hangs up
            exchange.send(bytes(100_000))

    url = server.put("/file", sequence(too_much, Resource(DATA)))
    target.leave_part((0, 100_000), (200_000, 250_000), url=url)
    target.get(url)
    assert [entry.range for entry in server.log] == ["bytes=100000-199999", "bytes=250000-299999"]


def test_a_server_that_sent_the_file_but_refuses_a_part_of_it_is_asked_for_the_whole(
    server: FaultServer, target: Target
) -> None:
    limping = Resource(DATA, cut=200_000)
    url = server.put("/file", sequence(limping, status(404), Resource(DATA)))
    target.get(url)
    assert [entry.range for entry in server.log] == ["", f"bytes=200000-{SIZE - 1}", ""]


def test_a_server_that_fails_ranges_is_asked_for_none_again(
    server: FaultServer, target: Target
) -> None:
    limping = Resource(DATA, cut=200_000)
    odd = Resource(DATA, content_range="bytes 0-0/1")
    url = server.put("/file", sequence(limping, odd, limping))
    target.fails(url)
    assert [entry.range != "" for entry in server.log] == [False, True] + [False] * 2


def test_far_away_what_is_done_soon_comes_over_one_connection(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, rate=SIZE * 3))
    far = QUICK.replace(near=0, trial_window=WAIT, segment_threshold=1000, segment_size=1000)
    target.get(url, settings=far)
    assert len(server.log) == 1


def workers() -> int:
    """Return how many workers' threads are alive."""
    return len([t for t in threading.enumerate() if t.name.endswith("(_work)")])


def test_where_every_connection_fails_to_write_the_first_error_is_told(
    server: FaultServer, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, second = threading.Event(), threading.Event()
    errors = [errno.ENOSPC, errno.EIO]
    write = os.pwrite

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        if not full.is_set():
            return write(fd, data, offset)
        number = errors.pop(0)
        raise OSError(number, os.strerror(number))

    def handle(exchange: Exchange) -> None:
        if exchange.entry.range:
            second.wait(WAIT)
        Resource(DATA, hold_at=1000)(exchange)

    def progress(there: int, _: int | None) -> None:
        if there == 1000 and len(server.log) == 2:
            full.set()
            server.go.set()
            until(lambda: workers() == 1)
            second.set()
            until(lambda: workers() == 0)

    monkeypatch.setattr(os, "pwrite", pwrite)
    url = server.put("/file", handle)
    settings = QUICK.replace(
        connections=2, segment_threshold=1000, segment_size=1000, read_timeout=WAIT
    )
    with pytest.raises(BubbleError) as caught:
        target.get(url, settings=settings, progress=progress)
    assert caught.value.kind == "no_space"
    assert not errors
    monkeypatch.undo()
    server.put("/file", Resource(DATA))
    assert target.get(url).bytes_resumed == 1000


def test_workers_that_end_by_themselves_end_the_transfer(server: FaultServer, part: Part) -> None:
    swarm = swarm_of(server.put("/file", Resource(DATA, hold_at=1000)), part)

    def close(there: int, _: int | None) -> None:
        if part._hashed == there == 1000:
            part.close()
            server.go.set()

    with pytest.raises(BubbleError, match="stopped by itself") as caught:
        swarm.run(close)
    assert caught.value.kind == "internal"
    assert part.done == [(0, 1000)]
    assert not any(thread.is_alive() for thread in swarm._threads)


def test_a_worker_that_was_given_up_writes_nothing(
    server: FaultServer, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swarms, "JOIN", 0.05)
    swarm = swarm_of(server.put("/file", Resource(DATA, hold_at=1000)), part)

    def stop(there: int, _: int | None) -> None:
        if there:
            part.lock.acquire()  # the worker hangs
            server.go.set()
            until(lambda: server.log[0].sent > there)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swarm.run(stop)
    assert part.done == [(0, 1000)]
    part.lock.release()
    for thread in swarm._threads:
        thread.join(WAIT)
        assert not thread.is_alive()
    assert part.done == [(0, 1000)]


def test_a_document_that_was_given_up_is_not_taken_for_a_whole_one(server: FaultServer) -> None:
    url = server.put("/index", Resource(DATA, rate=20, length="none"))
    with pytest.raises(BubbleError, match="not done within"):
        fetch(url, limit=SIZE, env={}, settings=ALONE.replace(deadline=0.3))


def test_the_deadline_ends_a_connection_that_is_not_made() -> None:
    """A listener whose queue is full drops what comes, as a firewall does."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(4):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(address)
        begun = time.monotonic()
        url = f"http://127.0.0.1:{address[1]}/x"
        patient = ALONE.replace(connect_timeout=WAIT, deadline=0.3)
        with pytest.raises(BubbleError, match="not done within"):
            fetch(url, limit=9, env={}, settings=patient)
        assert time.monotonic() - begun < WAIT / 2


def test_a_document_that_is_slow_enough_to_be_watched_is_brought(server: FaultServer) -> None:
    url = server.put("/index", Resource(DATA, rate=SIZE * 3))
    watched = ALONE.replace(rate_window=0.01, minimum_rate=0)
    assert fetch(url, limit=SIZE, env={}, settings=watched).data == DATA
    assert len(server.log) == 1


@pytest.fixture
def hung_up() -> Iterator[tuple[str, list[int]]]:
    """Return the address of somebody who takes every connection and closes it, and a count."""
    taken: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                taken.append(1)
                sock.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", taken
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_who_hangs_up_is_asked_more_often_than_who_is_not_there(
    hung_up: tuple[str, list[int]], scheme: str
) -> None:
    address, taken = hung_up
    settings = ALONE.replace(attempts=4, unreachable_attempts=1)
    with pytest.raises(BubbleError):
        fetch(f"{scheme}://{address}/x", limit=10, env={}, settings=settings)
    assert len(taken) == 4

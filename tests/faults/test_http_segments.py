"""Several connections for one file: disjoint ranges, no slow one in the way, and a way back."""

from __future__ import annotations

import itertools
import threading

import pytest

from bubble.system.http.swarm import Swarm
from bubble.system.http.trial import Trial
from support.fault_handlers import Exchange, Resource, status
from support.transfers import QUICK, Target, some_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from support.fault_server import FaultServer

SIZE = 4_000_000
DATA = some_bytes(SIZE)
RATE = 4_000_000


def ranges(server: FaultServer) -> list[tuple[int, int]]:
    """Return the byte ranges that were sent, in order of their start."""
    found = []
    for entry in server.log:
        if entry.status in {200, 206} and entry.sent:
            start = int(entry.range.removeprefix("bytes=").partition("-")[0] or 0)
            found.append((start, start + entry.sent))
    return sorted(found)


def test_a_large_file_comes_over_several_connections_in_disjoint_ranges(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, rate=RATE))
    done = target.get(url, settings=QUICK.replace(connections=4))
    assert server.most_at_once >= 4
    sent = ranges(server)
    assert len(sent) >= 4
    # what was already on its way when a share was taken is all that comes twice
    overlap = sum(max(0, end - start) for (_, end), (start, _) in itertools.pairwise(sent))
    assert overlap < SIZE // 10
    assert done.bytes_transferred < SIZE * 1.1
    first, *others = server.log
    assert first.range == ""
    assert all(entry.range and entry.headers["if-range"] == '"v1"' for entry in others)


def test_several_connections_are_faster_where_each_is_slow(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, rate=RATE))
    target.get(url, settings=QUICK)
    # one alone would have sent everything
    assert max(entry.sent for entry in server.log) < SIZE // 2


@pytest.mark.parametrize(
    ("resource", "settings"),
    [
        (Resource(DATA), QUICK.replace(segment_after=5)),  # done before it could pay
        (Resource(DATA[: 400 * 1024], rate=RATE), QUICK),  # short
        (Resource(DATA[: 1024 * 1024], rate=RATE, ranges=False), QUICK),
        (Resource(DATA[: 1024 * 1024], rate=RATE, length="chunked"), QUICK),
        (Resource(DATA[: 1024 * 1024], rate=RATE), QUICK.replace(connections=1)),
    ],
)
def test_one_connection_does_where_more_would_not_pay(
    server: FaultServer, target: Target, resource: Resource, settings: object
) -> None:
    assert isinstance(settings, type(QUICK))
    assert isinstance(resource.body, bytes)
    target.data = resource.body
    url = server.put("/file", resource)
    assert target.get(url, settings=settings).bytes_transferred == len(resource.body)
    assert len(server.log) == 1


def test_a_slow_connection_does_not_hold_up_the_end(server: FaultServer, target: Target) -> None:
    lock = threading.Lock()
    slow: list[int] = []

    def handle(exchange: Exchange) -> None:
        with lock:
            is_slow = bool(exchange.entry.range) and not slow
            if is_slow:
                slow.append(exchange.entry.connection)
        Resource(DATA, rate=100_000 if is_slow else RATE)(exchange)

    target.get(server.put("/file", handle), settings=QUICK.replace(connections=4))
    (entry,) = [e for e in server.log if e.connection == slow[0]]
    first, last = (int(n) for n in entry.range.removeprefix("bytes=").split("-"))
    assert entry.sent < (last - first) // 2, "others took the rest"


def odd_ranges(**wrong: object) -> Resource:
    return Resource(DATA, rate=RATE, **wrong)  # type: ignore[arg-type] # a table


@pytest.mark.parametrize(
    "wrong",
    [
        {"range_status": 200},
        {"range_status": 416},
        {"range_status": 204},
        {"range_status": 503},
        {"range_status": 404},
        {"content_range": f"bytes 0-{SIZE - 1}/{SIZE}"},
        {"content_range": "bytes */5"},
    ],
)
def test_a_server_that_promises_ranges_and_fails_them_still_serves_the_file(
    server: FaultServer, target: Target, wrong: dict[str, object]
) -> None:
    url = server.put("/file", odd_ranges(**wrong))
    target.get(url, settings=QUICK.replace(connections=4))
    whole = [entry for entry in server.log if not entry.range]
    assert len(server.log) > len(whole), "ranges were tried"
    assert whole[0].sent == SIZE or len(whole) == 2


def test_a_file_that_changes_on_the_way_is_brought_anew(
    server: FaultServer, target: Target
) -> None:
    old = some_bytes(SIZE, seed=2)

    def handle(exchange: Exchange) -> None:
        first = exchange.entry is server.log[0]
        (Resource(old, etag='"old"', rate=RATE, cut=SIZE // 2) if first else Resource(DATA))(
            exchange
        )

    target.get(server.put("/file", handle), settings=QUICK.replace(connections=4))


@pytest.mark.parametrize("limit", [1, 2])
def test_a_server_that_limits_connections_is_served_with_fewer(
    server: FaultServer, target: Target, limit: int
) -> None:
    at_once = threading.Semaphore(limit)

    def handle(exchange: Exchange) -> None:
        if not at_once.acquire(blocking=False):
            status(429, Retry_After=1)(exchange)
            return
        try:
            Resource(DATA, rate=RATE)(exchange)
        finally:
            at_once.release()

    target.get(server.put("/file", handle), settings=QUICK.replace(connections=4))
    assert any(entry.status == 429 for entry in server.log)


@pytest.mark.parametrize("with_reset", [False, True])
def test_segments_that_break_off_are_gone_on_with(
    server: FaultServer, target: Target, *, with_reset: bool
) -> None:
    url = server.put("/file", Resource(DATA, rate=RATE, cut=300_000, with_reset=with_reset))
    done = target.get(url, settings=QUICK.replace(progress_size=100_000))
    assert len(server.log) > 6
    assert done.bytes_transferred < SIZE * 1.5


def test_a_resume_uses_several_connections_for_what_is_missing(
    server: FaultServer, target: Target
) -> None:
    url = server.put("/file", Resource(DATA, rate=RATE))
    target.leave_part((0, 1_000_000), (3_000_000, 3_500_000), url=url)
    done = target.get(url, settings=QUICK.replace(connections=4))
    assert done.bytes_resumed == 1_500_000
    assert done.bytes_transferred < 2_750_000
    assert server.most_at_once > 2


@pytest.mark.parametrize("gain", [False, True])
def test_far_away_one_more_connection_is_tried_and_decides(
    server: FaultServer, target: Target, monkeypatch: pytest.MonkeyPatch, *, gain: bool
) -> None:
    verdicts = iter([None, None, gain])

    def told(trial: Trial) -> bool | None:
        verdict = next(verdicts)
        if verdict is not None:
            trial.running, trial.over = False, True
        return verdict

    monkeypatch.setattr(Trial, "due", lambda *_: True)
    monkeypatch.setattr(Trial, "gain", told)
    started: list[int] = []
    start = Swarm._start

    def counted(swarm: Swarm, count: int) -> None:
        started.append(count)
        start(swarm, count)

    monkeypatch.setattr(Swarm, "_start", counted)
    url = server.put("/file", Resource(DATA, rate=RATE // 2))
    target.get(url, settings=QUICK.replace(connections=4, near=0))
    assert started == [1, 1, 2][: 3 if gain else 2]


def test_a_connection_that_was_tried_in_vain_only_had_a_piece_of_the_end(
    server: FaultServer, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(trial: Trial) -> bool | None:
        trial.running, trial.over = False, True
        return False

    def begin(trial: Trial, _: float) -> None:
        trial.running, trial.share = True, SIZE // 4

    monkeypatch.setattr(Trial, "due", lambda *_: True)
    monkeypatch.setattr(Trial, "begin", begin)
    monkeypatch.setattr(Trial, "gain", told)
    url = server.put("/file", Resource(DATA, rate=RATE))
    target.get(url, settings=QUICK.replace(connections=4, near=0))
    first, second = server.log[:2]
    assert first.range == ""
    assert second.range == f"bytes={SIZE - SIZE // 4}-{SIZE - 1}"

"""Who fetches which bytes: no gap is forgotten, nothing is shared in vain, nothing may stall."""

from __future__ import annotations

import pytest

from bubble.system.http.client import Connection
from bubble.system.http.settings import Settings
from bubble.system.http.spans import STALLED, Span, Spans
from support.transfers import begun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bubble.system.http.part import Part

SETTINGS = Settings(steal_size=100, minimum_rate=1000, rate_window=30)
TOTAL = 10_000


class Line(Connection):
    """A connection that is never opened, and counts how often it was aborted."""

    def __init__(self) -> None:
        super().__init__({}, SETTINGS)
        self.aborted = 0

    def abort(self) -> None:
        self.aborted += 1


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    with begun(str(tmp_path / "file"), TOTAL) as part:
        yield part


@pytest.fixture
def spans(part: Part) -> Spans:
    return Spans(part, SETTINGS)


def claimed(spans: Spans, *, split: bool = True, most: int = 0) -> Span:
    span = spans.claim(Line(), split=split, most=most)
    assert span is not None
    return span


def bounds(span: Span) -> tuple[int, int | None]:
    return span.pos, span.end


def test_gaps_come_first_then_halves_of_the_longest(part: Part, spans: Spans) -> None:
    part.done = [(1000, 2000), (9000, TOTAL)]
    first, second = claimed(spans), claimed(spans)
    assert (bounds(first), bounds(second)) == ((0, 1000), (2000, 9000))
    third = claimed(spans)
    assert (bounds(second), bounds(third)) == ((2000, 5500), (5500, 9000))
    assert spans.claim(Line(), split=False) is None
    spans.release(first)
    assert bounds(claimed(spans, split=False)) == (0, 1000)


def test_a_tried_connection_gets_no_more_than_its_share(spans: Spans) -> None:
    first = claimed(spans)
    assert bounds(claimed(spans, most=300)) == (TOTAL - 300, TOTAL)
    assert bounds(first) == (0, TOTAL - 300)


@pytest.mark.parametrize(("left", "taken"), [(99, False), (100, True)])
def test_what_is_soon_done_is_not_shared(
    part: Part, spans: Spans, *, left: int, taken: bool
) -> None:
    part.done = [(0, TOTAL - left)]
    claimed(spans)
    assert (spans.claim(Line(), split=True) is not None) == taken


def test_while_the_end_is_not_known_nobody_else_gets_anything(part: Part, spans: Spans) -> None:
    part.total = None
    first = claimed(spans)
    assert bounds(first) == (0, None)
    assert spans.claim(Line(), split=True) is None
    part.total = TOTAL
    first.answered(TOTAL, full=True)
    assert bounds(claimed(spans)) == (TOTAL // 2, TOTAL)


def test_nothing_is_left_to_fetch_when_all_is_there(part: Part, spans: Spans) -> None:
    part.done = [(0, TOTAL)]
    assert spans.claim(Line(), split=True) is None


def test_a_share_that_failed_goes_back_to_the_body_that_is_still_coming(
    part: Part, spans: Spans
) -> None:
    first = claimed(spans)
    first.answered(TOTAL, full=True)
    second, third = claimed(spans), claimed(spans)
    assert [bounds(s) for s in (first, third, second)] == [
        (0, 2500), (2500, 5000), (5000, TOTAL)
    ]  # fmt: skip
    spans.release(third)
    spans.regrow()
    assert bounds(first) == (0, 5000), "up to what another one fetches"
    assert bounds(second) == (5000, TOTAL), "it has asked for no body yet"
    part.done = [(6000, 7000)]
    spans.release(second)
    spans.regrow()
    assert bounds(first) == (0, 6000), "up to what is there"
    part.done = []
    first.leaving = True
    spans.regrow()
    assert bounds(first) == (0, 6000), "its connection is about to be closed"
    first.leaving = False
    spans.regrow()
    assert bounds(first) == (0, TOTAL)


def test_a_span_below_the_minimum_rate_is_ended_window_by_window(spans: Spans) -> None:
    span = claimed(spans)
    line = span.connection
    assert isinstance(line, Line)
    start = span.mark_time
    span.advance(2000)
    spans.end_slow(start + 29, idle=False)
    assert (span.reason, line.aborted) == ("", 0), "no window has passed"
    span.advance(30_000)
    spans.end_slow(start + 31, idle=False)
    assert (span.reason, line.aborted) == ("", 0), "32000 bytes are enough for 31 seconds"
    span.advance(30_000)
    spans.end_slow(start + 62, idle=False)
    assert (span.reason, line.aborted) == ("too slow: 968 bytes/s over 31 s", 1)


def test_a_span_that_stalls_is_ended_when_another_connection_is_free(spans: Spans) -> None:
    span = claimed(spans)
    line = span.connection
    assert isinstance(line, Line)
    spans.end_slow(span.last + STALLED + 1, idle=False)
    spans.end_slow(span.last + STALLED - 1, idle=True)
    assert (span.reason, line.aborted) == ("", 0)
    spans.end_slow(span.last + STALLED + 1, idle=True)
    assert (span.reason, line.aborted) == ("nothing came for 5 s", 1)

"""When further connections are opened, and how many: by the clock that the test hands in."""

from __future__ import annotations

import pytest

from bubble.system.http.client import Connection
from bubble.system.http.settings import Settings
from bubble.system.http.spans import Span, Spans
from bubble.system.http.spread import SPREAD_PAUSE, SPREADS, TICK, Spread
from support.transfers import begun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bubble.system.http.part import Part

TOTAL = 1_000_000
SETTINGS = Settings(
    connections=4,
    segment_threshold=10_000,
    segment_size=4_000,
    segment_after=0.05,
    near=0.03,
    trial_window=0.3,
)


class Line:
    """One transfer's first connection, on a line whose speed the test sets."""

    def __init__(self, part: Part, settings: Settings = SETTINGS) -> None:
        self.part = part
        self.spans = Spans(part, settings)
        self.spread = Spread(part, self.spans, settings)
        self.passed = 0.0
        span = self.spans.claim(Connection({}, settings), split=False)
        assert span is not None
        self.span: Span = span

    def answer(self, after: float = 0.01) -> None:
        self.span.answered(self.part.total, full=True)
        assert self.span.answered_at is not None
        self.span.asked_at = self.span.answered_at - after

    def bring(self, count: int) -> None:
        self.span.advance(count)
        self.part.done = [(0, self.span.pos)]

    def further(self, passed: float, live: int = 1, *, ranges: bool = True) -> int:
        now = (self.span.answered_at or self.span.asked_at) + passed
        return self.spread.further(now, live, ranges=ranges)

    def run(self, seconds: float, speed: int, live: int) -> list[int]:
        """Return how many connections were opened in so many seconds at `speed` bytes a second."""
        opened = []
        for _ in range(round(seconds / TICK)):
            self.passed += TICK
            self.bring(round(speed * TICK))
            opened.append(self.further(self.passed, live))
        return [count for count in opened if count]


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    with begun(str(tmp_path / "file"), TOTAL) as part:
        yield part


def test_they_are_opened_once_the_first_has_had_its_time(part: Part) -> None:
    line = Line(part)
    assert line.further(60) == 0, "nothing was answered"
    line.answer()
    line.bring(1000)
    assert line.further(0.04) == 0
    assert line.further(0.06, ranges=False) == 0
    assert line.further(0.06, live=4) == 0
    assert line.further(0.06, live=2) == 2


def test_a_look_comes_soon_until_they_were_opened(part: Part) -> None:
    line = Line(part)
    line.answer()
    assert line.spread.pause == SETTINGS.segment_after
    assert line.further(0.06) == 3
    assert line.spread.pause == TICK


def test_none_is_opened_for_what_comes_in_a_moment(part: Part) -> None:
    line = Line(part)
    line.answer()
    line.bring(500_000)
    assert line.further(0.06) == 0


@pytest.mark.parametrize(("total", "more"), [(None, 0), (9_999, 0), (10_000, 1), (12_000, 2)])
def test_each_has_a_segment_to_bring(part: Part, total: int | None, more: int) -> None:
    part.total = total
    line = Line(part)
    line.answer()
    assert line.further(0.06) == more


def test_where_they_failed_they_are_opened_again_after_a_pause_and_not_for_ever(part: Part) -> None:
    line = Line(part)
    line.answer()
    opened = [line.further(1 + n * SPREAD_PAUSE / 4) for n in range(40)]
    assert opened == [3, 0, 0, 0] * SPREADS + [0] * (40 - 4 * SPREADS)


@pytest.mark.parametrize("pays", [False, True])
def test_far_away_one_more_is_tried_with_a_share_and_decides(part: Part, *, pays: bool) -> None:
    line = Line(part)
    line.answer(after=0.2)
    assert line.spread.most == 0
    assert line.run(1, 100_000, live=1) == [1]
    assert line.spread.most == pytest.approx(100_000, rel=0.01), "of what comes in the trial"
    opened = line.run(2, 200_000 if pays else 110_000, live=2)
    assert line.spread.most == 0
    assert (opened, line.spread.in_vain) == ([2] if pays else [], not pays)
    # with the trial over, the others that failed are opened again; in vain is in vain
    assert line.run(2, 100_000, live=1) == ([3] if pays else [])

"""Who opens connections: whether further ones pay, when, and how many.

They do where the server takes ranges and the rest takes longer than opening them; where the server
is far, one more is tried first (`Trial`).
"""

from __future__ import annotations

from bubble.system.http.trial import Trial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.http.part import Part
    from bubble.system.http.settings import Settings
    from bubble.system.http.spans import Spans

TICK = 0.1
SPREADS = 3
SPREAD_PAUSE = 2.0


class Spread:
    """Decides it for one transfer, tick by tick; the part's lock guards it.

    `in_vain` says that the connection that was opened last was tried, and brought nothing.
    """

    def __init__(self, part: Part, spans: Spans, settings: Settings) -> None:
        self.in_vain = False
        self._part = part
        self._spans = spans
        self._settings = settings
        self._trial = Trial(settings)
        self._times = 0
        self._not_before = 0.0

    @property
    def pause(self) -> float:
        """The seconds to the next look: the first tell whether connections will pay."""
        return TICK if self._times else min(TICK, self._settings.segment_after)

    @property
    def most(self) -> int:
        """What a further connection may take, in bytes; 0: as much as there is to share."""
        return self._trial.share if self._trial.running else 0

    def further(self, now: float, live: int, *, ranges: bool) -> int:
        """Return how many connections to open besides the `live` ones.

        `ranges`: the server is known to answer requests for them.
        """
        self._trial.note(now, self._part.size_done)
        gain = self._trial.gain() if self._trial.running else None
        if gain is False:
            self._times = SPREADS
            self.in_vain = True
        if self._trial.running or not (gain or (ranges and self._pays(now, live))):
            return 0
        answer = max(
            (s.answered_at - s.asked_at for s in self._spans.active if s.answered_at), default=0
        )
        if gain or self._trial.over or answer <= self._settings.near:
            self._times += 1
            self._not_before = now + SPREAD_PAUSE
            return max(0, self._wanted() - live)
        if self._trial.due(self._left()):
            self._trial.begin(answer)
            return 1
        return 0

    def _pays(self, now: float, live: int) -> bool:
        """Whether more connections will pay: the rest takes longer than opening them."""
        left = self._left()
        if left < self._settings.segment_threshold or live >= self._wanted():
            return False
        if self._times >= SPREADS or now < self._not_before:
            return False
        span = max(self._spans.active, key=lambda s: s.received, default=None)
        if span is None or span.answered_at is None:
            return False
        passed = now - span.answered_at
        return passed >= self._settings.segment_after and left / max(
            span.received / passed, 1
        ) >= max(self._settings.segment_after, TICK)

    def _wanted(self) -> int:
        return min(self._settings.connections, max(1, self._left() // self._settings.segment_size))

    def _left(self) -> int:
        """Return the bytes that are missing, not above 0 while the total isn't known."""
        return (self._part.total or 0) - self._part.size_done

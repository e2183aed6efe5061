"""Whether further connections pay: a trial of one more, where the server isn't near.

Connections that share one line bring nothing, and what is under way when a share changes hands
comes twice: up to the line's bandwidth times its delay each. So one more is tried first, once the
first has come up to its speed, with a piece of the end that lasts as long as the trial; the speed
of both together decides.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.system.http.settings import Settings

STEADY = 1.2  # a speed that grows by less than this from one window to the next
GAIN = 1.5  # what makes more connections worth while: where each is held back, one more doubles it
LONG = 3.0  # seconds: a trial in vain costs some tenths of one
ANSWERS = 5  # the trial's length, in times that the first answer took: slow start needs those


class Trial:
    """The speed so far, and the trial: not begun, running (`running`), or over (`over`)."""

    def __init__(self, settings: Settings) -> None:
        self.running = False
        self.over = False
        self.share = (
            0  # what the tried connection gets, in bytes: as much as it can bring meanwhile
        )
        self._window = settings.trial_window
        self._samples: list[tuple[float, int]] = []
        self._alone = 0.0
        self._until = 0.0

    def note(self, now: float, done: int) -> None:
        """Note how many bytes are there."""
        self._samples.append((now, done))
        if len(self._samples) > 4 and self._samples[2][0] < now - 2 * self._window:
            del self._samples[0]

    def due(self, left: int) -> bool:
        """Whether the speed no longer grows, and `left` bytes take long enough for a trial to pay.

        Growth is what two windows show that have passed.
        """
        now = self._samples[-1][0]
        middle = now - self._window
        earlier, speed = self._speed(middle - self._window, middle), self._speed(middle, now)
        return earlier > 0 and speed <= STEADY * earlier and left >= LONG * speed

    def begin(self, answer: float) -> None:
        """Start the trial, with `answer`, the seconds until the first connection's answer."""
        now = self._samples[-1][0]
        self._alone = self._speed(now - self._window, now)
        lasts = max(2 * self._window, ANSWERS * answer)
        self._until = now + lasts
        self.share = max(1, int(self._alone * lasts))
        self.running = True

    def gain(self) -> bool | None:
        """Whether the further connection brought speed; None while the trial isn't at its end."""
        now = self._samples[-1][0]
        if now < self._until:
            return None
        self.running, self.over = False, True
        return self._speed(now - self._window, now) >= GAIN * self._alone

    def _speed(self, since: float, until: float) -> float:
        """Return bytes per second between the samples next to two moments; 0 if there are none."""
        if self._samples[0][0] > since:
            return 0.0
        start = max((s for s in self._samples if s[0] <= since), default=self._samples[0])
        end = max((s for s in self._samples if s[0] <= until), default=start)
        passed = end[0] - start[0]
        return (end[1] - start[1]) / passed if passed > 0 else 0.0

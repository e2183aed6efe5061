"""Whether one more connection pays, told from how many bytes were there when."""

from __future__ import annotations

import pytest

from bubble.system.http.settings import Settings
from bubble.system.http.trial import Trial

WINDOW = 0.3
MUCH = 10**9


def series(*speeds: float) -> Trial:
    """A trial that was told of these speeds (bytes a second), each for a tenth of a second."""
    trial = Trial(Settings(trial_window=WINDOW))
    go_on(trial, 0.0, 0, speeds)
    return trial


def go_on(trial: Trial, now: float, done: int, speeds: tuple[float, ...]) -> None:
    trial.note(now, done)
    for number, speed in enumerate(speeds, 1):
        done += int(speed / 10)
        trial.note(now + number / 10, done)


def test_a_speed_that_still_grows_is_waited_for() -> None:
    assert not series(*(2.0**n * 1000 for n in range(10))).due(MUCH)


def test_nothing_is_known_before_two_windows_have_passed() -> None:
    assert not series(*[1e6] * 5).due(MUCH)
    assert series(*[1e6] * 7).due(MUCH)


def test_a_speed_that_falls_has_stopped_growing() -> None:
    assert series(*[2e6] * 4, *[1e6] * 4).due(MUCH)


def test_what_will_soon_be_over_needs_no_trial() -> None:
    assert not series(*[1e6] * 8).due(2_900_000)
    assert series(*[1e6] * 8).due(3_100_000)


@pytest.mark.parametrize(
    ("speed", "gain"), [(2e6, True), (1.6e6, True), (1.2e6, False), (1e6, False), (0, False)]
)
def test_the_speed_of_all_together_decides(speed: float, *, gain: bool) -> None:
    trial = series(*[1e6] * 8)
    trial.begin(0.05)
    assert trial.running
    go_on(trial, 0.9, 900_000, (speed,) * 4)
    assert trial.gain() is None  # not even two windows
    go_on(trial, 1.4, int(900_000 + speed / 2), (speed,) * 3)
    assert trial.gain() is gain
    assert (trial.running, trial.over) == (False, True)


def test_where_answers_take_long_the_trial_does() -> None:
    trial = series(*[1e6] * 8)
    trial.begin(1.0)
    go_on(trial, 0.9, 900_000, (2e6,) * 30)
    assert trial.gain() is None
    go_on(trial, 4.0, 7_000_000, (2e6,) * 20)
    assert trial.gain() is True


def test_old_moments_are_forgotten() -> None:
    assert len(series(*[1e6] * 500)._samples) < 12

"""The lines of what takes long, by a clock of the test's own."""

from __future__ import annotations

import queue

from bubble.cli.progress import LineProgress, Working
from bubble.pythons.installing.progress import Progress


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        """Return the present second."""
        return self.now


class Told:
    """A display in lines, whose watcher never wakes by itself."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.lines: list[str] = []
        self.progress = LineProgress(self.lines.append, clock=self.clock, pause=lambda _: True)

    def after(self, seconds: float) -> list[str]:
        """Return what is said when so many seconds more are over."""
        before = len(self.lines)
        self.clock.now += seconds
        self.progress.tick()
        return self.lines[before:]


def test_what_is_quickly_over_says_nothing() -> None:
    told = Told()
    with Working(told.progress, "making /srv/env"):
        assert told.after(2.9) == []
    assert told.after(60) == []
    assert told.lines == []


def test_what_takes_long_is_told_of_at_once_every_ten_seconds_and_at_its_end() -> None:
    told = Told()
    with Working(told.progress, "making /srv/env") as task:
        assert told.after(3) == ["making /srv/env: 3 s so far"]
        assert told.after(9.9) == []
        task.step("looking")
        assert told.after(0.1) == ["making /srv/env: looking, 13 s so far"]
        assert told.after(10) == ["making /srv/env: looking, 23 s so far"]
        told.clock.now += 1
    assert told.lines[-1] == "making /srv/env: took 24 s"
    assert len(told.lines) == 4


def test_a_line_that_is_said_anyhow_is_the_first_one() -> None:
    told = Told()
    task = told.progress.task("cpython-3.12.1")
    task.download(0, 5 << 20)
    assert told.lines == ["cpython-3.12.1: downloading 5.0 MiB"]
    task.download(1 << 20, 5 << 20)
    assert told.after(9) == []
    assert told.after(1) == ["cpython-3.12.1: 1.0 MiB of 5.0 MiB, 10 s so far"]
    task.step("unpacking")
    assert told.after(10) == ["cpython-3.12.1: unpacking, 20 s so far"]
    task.finish("installed in 20.0 s")
    assert told.lines[-1] == "cpython-3.12.1: installed in 20.0 s"
    assert told.after(60) == []


def test_a_whole_command_is_told_of_only_while_nothing_in_it_is() -> None:
    told = Told()
    with Working(told.progress, "sync default"):
        lock = told.progress.task("lock default")
        lock.step("resolving")
        assert told.after(4) == ["lock default: resolving, 4 s so far"]
        lock.finish("")
        assert told.lines[-1] == "lock default: took 4 s"
        assert told.after(10) == ["sync default: 14 s so far"]
    assert told.lines[-1] == "sync default: took 14 s"


def test_a_closed_display_says_nothing_whatever_was_open() -> None:
    told = Told()
    told.progress.task("cpython-3.12.1")
    assert len(told.after(3)) == 1
    told.progress.close()
    assert told.after(60) == []


def test_the_watcher_looks_until_the_display_is_closed() -> None:
    clock = Clock()
    said: queue.Queue[str] = queue.Queue()
    awake: queue.Queue[bool] = queue.Queue()
    asked: queue.Queue[float] = queue.Queue()

    def pause(seconds: float) -> bool:
        asked.put(seconds)
        return awake.get()

    progress = LineProgress(said.put, clock=clock, pause=pause)
    task = progress.task("cloning web")
    for second in (1.0, 2.0, 3.0):
        asked.get()
        clock.now = 100 + second
        awake.put(False)
    assert said.get() == "cloning web: 3 s so far"
    task.finish("")
    assert said.get() == "cloning web: took 3 s"
    asked.get()
    awake.put(True)
    progress.close()
    assert said.empty()


def test_nobody_is_told_where_nobody_listens() -> None:
    with Working(Progress(), "making /srv/env") as task:
        task.step("looking")

"""Progress of long operations: one live display on a terminal, short lines elsewhere."""

from __future__ import annotations

import time

from bubble.model.text import size
from bubble.pythons.installing.progress import Progress, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class LineProgress(Progress):
    """A line when an item's download starts and one when it ends."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def task(self, name: str) -> Task:
        """Open the task of one item."""
        return _LineTask(self._say, name)


class _LineTask(Task):
    def __init__(self, say: Callable[[str], None], name: str) -> None:
        self._say = say
        self._name = name
        self._announced = False

    def download(self, done: int, total: int | None) -> None:
        del done
        if not self._announced:
            self._announced = True
            self._say(f"{self._name}: downloading" + (f" {size(total)}" if total else ""))

    def retry(self, text: str) -> None:
        self._say(f"{self._name}: {text}")

    def step(self, text: str) -> None:
        if text.startswith(("copying", "waiting", "getting")):
            self._say(f"{self._name}: {text}")

    def finish(self, text: str) -> None:
        if text:
            self._say(f"{self._name}: {text}")


def live_progress() -> Progress:
    """Return a display of every task at once; it begins with the first one."""
    return _LiveProgress()


class _LiveProgress(Progress):
    def __init__(self) -> None:
        import threading

        self._lock = threading.Lock()
        self._display: RichProgress | None = None
        self._open = 0
        self._closed = False

    def task(self, name: str) -> Task:
        with self._lock:
            if self._closed:  # a thread that an interrupt left behind
                return Task()
            if self._display is None:
                self._display = _display()
                self._display.start()
            self._open += 1
            task = self._display.add_task(name, state="", total=None)
            return _LiveTask(self, self._display, task, name)

    def close_one(self) -> None:
        """Stop the display with its last task, so that what is printed next stands below it."""
        with self._lock:
            self._open -= 1
            if self._open == 0:
                self._stop()

    def close(self) -> None:
        """Stop the display whatever is still open."""
        with self._lock:
            self._closed = True
            self._stop()

    def _stop(self) -> None:
        if self._display is not None:
            self._display.stop()
            self._display = None


class _LiveTask(Task):
    def __init__(
        self, owner: _LiveProgress, display: RichProgress, task: TaskID, name: str
    ) -> None:
        self._owner = owner
        self._name = name
        self._display = display
        self._task = task
        self._started = time.monotonic()
        self._first = -1

    def download(self, done: int, total: int | None) -> None:
        if self._first < 0:
            self._first = done
            self._started = time.monotonic()
        elapsed = time.monotonic() - self._started
        rate = (done - self._first) / elapsed if elapsed > 0.2 else 0
        state = f"{size(done)} of {size(total)}" if total else size(done)
        if rate:
            state += f", {size(rate)}/s"
        self._display.update(self._task, completed=done, total=total, state=state)

    def retry(self, text: str) -> None:
        # above the display, where it stays
        self._display.console.print(
            f"{self._name}: {text}", markup=False, highlight=False, soft_wrap=True
        )

    def unpack(self, done: int, total: int) -> None:
        self._display.update(self._task, completed=done, total=total, state="unpacking")

    def step(self, text: str) -> None:
        self._display.update(self._task, state=text)

    def finish(self, text: str) -> None:
        self._display.update(self._task, completed=1, total=1, state=text)
        self._owner.close_one()


def _display() -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        # no markup: an error's text may well have brackets
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[state]}", markup=False),
        console=Console(stderr=True),
        refresh_per_second=10,
    )

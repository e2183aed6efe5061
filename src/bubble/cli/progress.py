"""Progress of long operations: one live display on a terminal, short lines elsewhere."""

from __future__ import annotations

import time
from _thread import allocate_lock, start_new_thread

from bubble.model.text import size
from bubble.pythons.installing.progress import Progress, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

LONG = 3.0  # seconds: what is over sooner is not worth a line
_EVERY = 10.0


class LineProgress(Progress):
    """Lines: where something begins to take long, every ten seconds until it is over, and then.

    What is said of a download anyhow counts as such a line. `clock` gives seconds; `pause` waits
    for as many as it is told, and returns whether the display was closed meanwhile. What takes
    less than `after` seconds is not told of.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        after: float = LONG,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self.clock = clock
        self._say = say
        self._after = after
        self._lock = allocate_lock()
        self._open: list[_LineTask] = []
        self._due = 0.0
        self._watched = False
        self._closed = allocate_lock()
        self._closed.acquire()
        self._pause = pause or (lambda seconds: self._closed.acquire(timeout=seconds))

    def task(self, name: str) -> Task:
        """Open the task of one item."""
        return self._begun(_LineTask(self, name))

    def whole(self, name: str) -> Task:
        """Open the task of a whole command, which is told of while nothing in it is."""
        return self._begun(_LineTask(self, name, whole=True))

    def tell(self, text: str) -> None:
        """Say a line."""
        with self._lock:
            self._due = self.clock() + _EVERY
            self._say(text)

    def tick(self) -> None:
        """Tell of what is open, where it is time to."""
        with self._lock:
            now = self.clock()
            if now < self._due or not self._open:
                return
            self._due = now + _EVERY
            for task in [task for task in self._open if not task.whole] or self._open:
                state = f"{task.state}, " if task.state else ""
                self._say(f"{task.name}: {state}{now - task.began:.0f} s so far")
            for task in self._open:
                task.is_long = True

    def end(self, task: _LineTask) -> None:
        """Tell of a task no more."""
        with self._lock:
            self._open = [one for one in self._open if one is not task]

    def close(self) -> None:
        """Say nothing more, whatever is still open."""
        with self._lock:
            self._open = []
            if self._closed.locked():
                self._closed.release()

    def _begun(self, task: _LineTask) -> Task:
        with self._lock:
            if not self._open:
                self._due = self.clock() + self._after
            self._open.append(task)
            if not self._watched:
                self._watched = True
                start_new_thread(self._watch, ())
        return task

    def _watch(self) -> None:
        while not self._pause(1):
            self.tick()


class _LineTask(Task):
    def __init__(self, owner: LineProgress, name: str, *, whole: bool = False) -> None:
        self.name = name
        self.whole = whole
        self.state = ""
        self.began = owner.clock()
        self.is_long = False
        self._owner = owner
        self._announced = False

    def download(self, done: int, total: int | None) -> None:
        self.state = f"{size(done)} of {size(total)}" if total else size(done)
        if not self._announced:
            self._announced = True
            self._owner.tell(f"{self.name}: downloading" + (f" {size(total)}" if total else ""))

    def retry(self, text: str) -> None:
        self._owner.tell(f"{self.name}: {text}")

    def step(self, text: str) -> None:
        self.state = text
        if text.startswith(("copying", "waiting", "getting")):
            self._owner.tell(f"{self.name}: {text}")

    def finish(self, text: str) -> None:
        self._owner.end(self)
        if text or self.is_long:
            took = f"took {self._owner.clock() - self.began:.0f} s"
            self._owner.tell(f"{self.name}: {text or took}")


class Working:
    """A task of the whole command, inside `with`: to the lines of `progress`, if there are any."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._task = progress.whole(name) if isinstance(progress, LineProgress) else Task()

    def __enter__(self) -> Task:
        return self._task

    def __exit__(self, *_: object) -> None:
        self._task.finish("")


def live_progress() -> Progress:
    """Return a display of every task at once; it begins with the first one."""
    return _LiveProgress()


class _LiveProgress(Progress):
    def __init__(self) -> None:
        self._lock = allocate_lock()
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

    def part(self, done: int, total: int) -> None:
        self._display.update(self._task, completed=done, total=total)

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

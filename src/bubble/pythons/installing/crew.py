"""Several installs at once, each in a process of its own, which no other keeps waiting.

Threads would take turns: inflating and writing need the interpreter often enough that three
installs by threads take a fifth longer than by processes. A worker is forked, is given one number
after another, and tells what it does in lines of JSON; it ends with its parent, however that ends.
Where forking isn't safe (macOS), it is a thread that talks in the same way.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys

from bubble.model.errors import BubbleError
from bubble.pythons.installing.progress import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    Outcome = dict[str, Any]
    Work = Callable[[int, Task], Outcome]

# milliseconds: an interrupt that comes just before a wait begins doesn't end it (CPython checks for
# signals, then waits), so that no wait may be endless
_LOOK_UP = 200


def carry_out(
    count: int,
    workers: int,
    work: Work,
    task_of: Callable[[int], Task],
    ended: Callable[[int, Outcome | Exception], None],
) -> None:
    """Do `work` for each number below `count`, at most so many at once.

    `work` is given a number and a task, and returns what JSON can hold. In this process, `task_of`
    opens the task of a number, which gets what the worker's is told, and `ended` gets what came of
    the number, or what was raised. An interrupt ends all workers at once, as if they were killed.
    """
    crew = _Crew(work)
    left = list(reversed(range(count)))
    missing = count
    try:
        crew.engage(min(workers, count))  # before there are tasks, and perhaps threads to show them
        while missing:
            for worker in crew.idle():
                if left:
                    worker.take(left.pop(), task_of)
            for worker in crew.heard():
                number, outcome = worker.number, worker.told()
                if outcome is not None:
                    missing -= 1
                    ended(number, outcome)
                if worker.is_gone:
                    crew.dismiss(worker)
                    crew.engage(min(1, len(left)))
    finally:
        crew.end()


class _Crew:
    """The workers there are."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._workers: dict[int, _Worker] = {}
        self._waiting = select.poll()

    def engage(self, more: int) -> None:
        """Start so many more, or as many as there may be: raises OSError for none at all."""
        for _ in range(more):
            try:
                worker = _Worker(self._work, list(self._workers.values()))
            except OSError:
                if self._workers:
                    return
                raise
            self._workers[worker.descriptor] = worker
            self._waiting.register(worker.descriptor, select.POLLIN)

    def idle(self) -> list[_Worker]:
        """Return those that have nothing to do."""
        return [worker for worker in self._workers.values() if worker.number < 0]

    def heard(self) -> list[_Worker]:
        """Wait for some that say something or are gone, not for ever."""
        return [self._workers[descriptor] for descriptor, _ in self._waiting.poll(_LOOK_UP)]

    def dismiss(self, worker: _Worker) -> None:
        """Let one go."""
        self._waiting.unregister(worker.descriptor)
        self._workers.pop(worker.descriptor).end()

    def end(self) -> None:
        """Let all go."""
        for worker in self._workers.values():
            worker.end()


class _Worker:
    """One worker, seen from its parent; `number` is what it works on, -1 for nothing."""

    def __init__(self, work: Work, others: list[_Worker]) -> None:
        """Start it; it is to hold nothing of the others. Raises OSError."""
        self.number = -1
        self.is_gone = False
        self.ours, theirs = socket.socketpair()
        self._task = Task()
        self._rest = b""
        self._process = 0
        if sys.platform != "linux":
            import threading

            threading.Thread(target=_serve, args=(theirs, work), daemon=True).start()
            return
        import signal

        parent = os.getpid()
        # an interrupt would make the worker do what its parent does then
        given = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            self._process = os.fork()
            if not self._process:
                unused = [worker.ours for worker in (*others, self)]
                _serve_forked(theirs, work, parent, unused, given)
        except OSError:
            self.ours.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, given)

    @property
    def descriptor(self) -> int:
        return self.ours.fileno()

    def take(self, number: int, task_of: Callable[[int], Task]) -> None:
        """Give it its next number."""
        self.number, self._task = number, task_of(number)
        with contextlib.suppress(OSError):  # it is gone, which is seen when it is listened to
            self.ours.sendall(b"%d\n" % number)

    def told(self) -> Outcome | Exception | None:
        """Pass on what it says of its task; return what came of that, once it is known."""
        try:
            data = self.ours.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.is_gone = True
            return _killed() if self.number >= 0 else None
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            name, *values = json.loads(line)
            if name == "done":
                self.number = -1
                return values[0]  # type: ignore[no-any-return]
            if name == "failed":
                self.number = -1
                return _raised(values[0])
            getattr(self._task, name)(*values)
        return None

    def end(self) -> None:
        """End it, and wait for its end."""
        self.ours.close()
        if self._process:
            import signal

            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


def _killed() -> BubbleError:
    return BubbleError(
        "internal",
        "the process that was to install it was killed",
        hint="try it again, alone: the kernel kills what takes too much memory",
    )


class _Told(Task):
    """The task of a worker, which tells its parent."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def download(self, done: int, total: int | None) -> None:
        _tell(self._socket, "download", done, total)

    def retry(self, text: str) -> None:
        _tell(self._socket, "retry", text)

    def part(self, done: int, total: int) -> None:
        _tell(self._socket, "part", done, total)

    def step(self, text: str) -> None:
        _tell(self._socket, "step", text)


def _tell(sock: socket.socket, *message: object) -> None:
    sock.sendall(json.dumps(message).encode("ascii") + b"\n")


def _serve_forked(
    sock: socket.socket, work: Work, parent: int, others: list[socket.socket], mask: set[Any]
) -> NoReturn:
    """Be a worker, with the signals blocked that its parent had blocked."""
    status = 1
    try:
        import signal

        from bubble.system.kernel import end_with_parent

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the parent's, which ends this one
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        end_with_parent(signal.SIGKILL)
        for other in others:
            other.close()
        if os.getppid() == parent:
            _serve(sock, work)
            status = 0
    finally:
        os._exit(status)


def _serve(sock: socket.socket, work: Work) -> None:
    with sock, sock.makefile("rb") as numbers:
        for line in numbers:
            try:
                done = work(int(line), _Told(sock))
            except Exception as error:  # noqa: BLE001 - the parent raises it
                _tell(sock, "failed", _sent(error))
            else:
                _tell(sock, "done", done)


def _sent(error: Exception) -> dict[str, object]:
    if isinstance(error, BubbleError):
        found = {"kind": error.kind, "message": error.message, "hint": error.hint}
        return {**found, "details": error.details}
    if isinstance(error, OSError) and error.errno:
        path = os.fspath(error.filename) if isinstance(error.filename, str | bytes) else ""
        return {"errno": error.errno, "text": error.strerror, "path": os.fsdecode(path)}
    import traceback

    trace = "".join(traceback.format_exception(error))
    return {"fault": f"{type(error).__name__}: {error}", "trace": trace}


def _raised(sent: dict[str, Any]) -> Exception:
    if "kind" in sent:
        return BubbleError(
            sent["kind"], sent["message"], hint=sent["hint"], details=sent["details"]
        )
    if "errno" in sent:
        return OSError(sent["errno"], sent["text"], sent["path"] or None)
    fault = RuntimeError(sent["fault"])
    fault.add_note(sent["trace"])  # for BUBBLE_DEBUG
    return fault

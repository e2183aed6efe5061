"""Running an installer to its end: it never outlives this process, unless that is killed.

What it says is shown line by line, or returned, without the credentials of an index.
"""

from __future__ import annotations

import os

from bubble.model.text import without_userinfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Self

_GRACE = 5.0  # seconds for an installer that was told to end
LINES = 12  # of a failed installer's output that are worth showing


def run_installer(
    command: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    *,
    show: bool,
    keep: int,
    meanwhile: Callable[[], None] | None = None,
) -> tuple[int, str]:
    """Run `command` with exactly `env` in the absolute directory `cwd` ("": where we are).

    Returns its status and its last lines; with `show` they go to stderr as they come, to a terminal
    by itself, and then there are none to return. If
    this process is killed, the descriptor `keep` shows that somebody still works in the scratch.
    `meanwhile` is called once it has started; what that raises ends it.
    """
    import subprocess

    direct = show and os.isatty(2)
    with _Signals() as signals:
        child = subprocess.Popen(  # noqa: SIM115, RUF100 - ended below, with all that it started
            list(command),
            env=dict(env),
            cwd=cwd or None,
            stdin=subprocess.DEVNULL,
            stdout=2 if direct else subprocess.PIPE,
            stderr=None if direct else subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(keep,),
        )
        try:
            signals.arm()
            if meanwhile is not None:
                meanwhile()
            output = _follow(child, show=show)
            status = child.wait()
        except BaseException:
            signals.armed = False
            _end(child)
            if child.stdout:  # which nobody read, if this came as it was being started
                child.stdout.close()
            raise
    return status, output


class _Ended(BaseException):
    """Somebody told this process to end, by a signal that would have done it at once."""


class _Signals:
    """Signals that end a process raise an exception instead while they are armed, inside `with`.

    One that comes before is raised then: what is just being started must be known to be ended.
    After `with`, one that isn't SIGINT does what it does.
    """

    def __init__(self) -> None:
        self.armed = False
        self.number = 0
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        import signal
        import threading

        if threading.current_thread() is threading.main_thread():  # the only one that may
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
                if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
                    self.before[number] = signal.signal(number, self._told)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import signal

        self.armed = False
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if isinstance(error, _Ended):
            os.kill(os.getpid(), self.number)

    def arm(self) -> None:
        self.armed = True
        if self.number:
            self._raise()

    def _told(self, number: int, _frame: object) -> None:
        self.number = self.number or number
        if self.armed:
            self._raise()

    def _raise(self) -> None:
        import signal

        raise KeyboardInterrupt if self.number == signal.SIGINT else _Ended


def _follow(child: subprocess.Popen[bytes], *, show: bool) -> str:
    """Return what the child says, line by line without secrets; `show` also passes it on."""
    if child.stdout is None:
        return ""
    said: list[str] = []
    with child.stdout:
        for line in child.stdout:
            text = without_userinfo(line.decode("utf-8", "replace"))
            said = [*said[-LINES:], text]
            if show:
                os.write(2, text.encode())
    return "".join(said)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child and everything that it started: asked first, then killed."""
    import signal
    import subprocess

    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            pass
        try:
            child.wait(timeout=_GRACE)
            break
        except subprocess.TimeoutExpired:
            continue
    try:  # what it started may have ignored the first one
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass

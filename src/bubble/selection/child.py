"""A child that stands for this process: it gets this process's signals, and lends it its end.

For pip, after which the shims are renewed; everything else replaces the process instead.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PASSED_ON = (
    *(signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGALRM),
)
# Python ignores these for itself, and what is ignored stays so in a child
_PYTHONS_OWN = (signal.SIGPIPE, signal.SIGXFSZ)


def run_child(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> int:
    """Run a program on this process's descriptors, and return its wait status.

    A signal that some process sends here goes on to the child. What a terminal sends (Ctrl-C)
    has reached the child already, since both are in the same process group. The signals stay
    blocked: what comes next is `end_as`.
    """
    watched = (*_PASSED_ON, signal.SIGCHLD)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would lose the child's status
    given = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    child = os.posix_spawn(
        path, [path, *arguments], dict(env), setsigmask=given, setsigdef=_PYTHONS_OWN
    )
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        number, by_process = _next_signal(watched)
        if by_process and number != signal.SIGCHLD:
            os.kill(child, number)


def end_as(status: int) -> int:
    """Return the exit status that a wait status tells, or die by the signal that it tells."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    number = -code
    import resource

    # the child has left its core, where it was to leave one
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if number not in {signal.SIGKILL, signal.SIGSTOP}:  # which nobody can catch
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
    return 128 + number


def _next_signal(watched: Sequence[int]) -> tuple[int, bool]:
    """Wait for one of the signals; return its number, and whether a process sent it."""
    if not hasattr(signal, "sigwaitinfo"):  # macOS doesn't tell: better twice than never
        return signal.sigwait(watched), True
    info = signal.sigwaitinfo(watched)
    return info.si_signo, info.si_code <= 0

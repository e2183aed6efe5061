"""Run a child process to its end: a list of arguments, an explicit environment, a time limit.

Never a shell. The child leads a session of its own, so that everything it started dies with it.
"""

from __future__ import annotations

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

GRACE = 2.0  # seconds for the pipes of a killed child to close


class Completed(Record):
    r"""A finished child.

    `status` is its exit status, or minus the signal that killed it (as `subprocess` has it).
    What it wrote is decoded as UTF-8; other bytes are escaped as `\xNN`.
    """

    status: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    timeout: float,
    cwd: str | None = None,
    stdin: bytes = b"",
) -> Completed:
    """Run `argv` (argv[0] is a path) with exactly `env`, for at most `timeout` seconds.

    Raises OSError when it can't be started (as `execve` says it) and TimeoutError when the time
    is over. Then, and on an interrupt, the child's whole process group is killed and reaped.
    """
    import subprocess

    # not in a `with`: its end would wait for a child that can't be killed (a hung disk)
    child = subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = child.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        _kill(child)
        raise TimeoutError(f"no end within {timeout:g} seconds") from None
    except BaseException:
        _kill(child)
        raise
    return Completed(status=child.returncode, stdout=_text(stdout), stderr=_text(stderr))


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kill the child's process group, reap the child and close the pipes, come what may."""
    import os
    import signal
    import subprocess

    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        child.kill()
    try:
        child.communicate(timeout=GRACE)
    except (subprocess.TimeoutExpired, ValueError, AttributeError):
        # a grandchild that left the group holds the pipes, or `communicate` was interrupted before
        # it knew its own state, and can't go on: they are closed on our side alone
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
    finally:
        for pipe in filter(None, (child.stdin, child.stdout, child.stderr)):
            pipe.close()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")

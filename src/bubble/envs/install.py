"""Filling an environment with packages, by uv or pip: chosen, run, and what they say passed on.

The backend works in the staged environment; credentials of an index never get into messages.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from typing import Any

# what would let an installer put things somewhere else, or run by another interpreter
_ELSEWHERE = {
    *("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"),
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_DRY_RUN"),
    *("UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_TARGET", "UV_PREFIX"),
}
_GRACE = 5.0  # seconds for an installer that was told to end
_LINES = 12  # of a failed backend's output that are worth showing


def choose_installer(wanted: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command of the backend: ("uv", path) or ("pip",).

    `wanted` is "uv", "pip" or "" (uv where it is there). Raises BubbleError(usage).
    """
    import shutil
    import sys

    if wanted == "pip":
        return ("pip",)
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    path = beside if os.access(beside, os.X_OK) else shutil.which("uv", path=env.get("PATH"))
    if path:
        return ("uv", path)
    if wanted == "uv":
        raise BubbleError(
            "usage", "uv is not on PATH", hint="use pip: --installer pip; or install bubble[uv]"
        )
    return ("pip",)


def install_packages(
    root: str,
    arguments: Sequence[str],
    *,
    installer: str,
    env: Mapping[str, str],
    cwd: str,
    show: bool,
    keep: int,
) -> None:
    """Install what `arguments` name (requirements, `-r FILE`) into the environment at `root`.

    `show` lets the backend write to stderr as it works; otherwise its last lines are part of the
    error. `keep` is the descriptor that marks `root` as in use. Raises BubbleError(download) when
    it fails.
    """
    backend = choose_installer(installer, env)
    python = f"{root}/bin/python"
    if backend[0] == "uv":
        command = [backend[1], "pip", "install", "--python", python, *arguments]
    else:
        command = [python, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    status, output = _run(command, _environment(root, env), cwd, show=show, keep=keep)
    if status:
        lines = [line for line in output.splitlines() if line.strip()][-_LINES:]
        said = printable(" | ".join(without_secrets(line) for line in lines), 1500)
        raise BubbleError(
            "download",
            f"{backend[0]} could not install the packages (status {status})"
            + (f": {said}" if said else ""),
            hint="mend the requirements, or try the other one: --installer pip or uv",
        )


def without_secrets(text: str) -> str:
    """Return a line with the user and password of every URL taken out."""
    parts = text.split("://")
    cleaned = [parts[0]]
    for part in parts[1:]:
        authority, slash, rest = part.partition("/")
        if "@" in authority:
            authority = "****@" + authority.rpartition("@")[2]
        cleaned.append(authority + slash + rest)
    return "://".join(cleaned)


def _environment(root: str, env: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in env.items() if name not in _ELSEWHERE}
    return {**clean, "VIRTUAL_ENV": root, "PIP_REQUIRE_VIRTUALENV": "0"}


class _Ended(BaseException):
    """Somebody told this process to end, by the signal `number`."""

    def __init__(self, number: int) -> None:
        self.number = number


def _run(
    command: Sequence[str], env: Mapping[str, str], cwd: str, *, show: bool, keep: int
) -> tuple[int, str]:
    """Run the installer to its end; it never outlives this process, unless that is killed.

    Then the descriptor `keep` shows that somebody still works in the scratch directory.
    """
    import signal
    import subprocess

    direct = show and os.isatty(2)
    child: subprocess.Popen[bytes] | None = None
    before = _listen()
    try:
        child = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=cwd or None,
            stdin=subprocess.DEVNULL,
            stdout=2 if direct else subprocess.PIPE,
            stderr=None if direct else subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(keep,),
        )
        output = _follow(child, show=show)
        status = child.wait()
    except BaseException as error:
        if child is not None:
            _end(child)
        if isinstance(error, _Ended):
            signal.signal(error.number, signal.SIG_DFL)
            os.kill(os.getpid(), error.number)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status, output


def _listen() -> dict[int, Any]:
    """Let the signals that end a process raise `_Ended`; return the handlers to put back."""
    import signal
    import threading

    def told(number: int, _frame: object) -> None:
        raise _Ended(number)

    if threading.current_thread() is not threading.main_thread():
        return {}  # only the main thread may say what signals do
    ending = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    mine = [number for number in ending if signal.getsignal(number) == signal.SIG_DFL]
    return {number: signal.signal(number, told) for number in mine}


def _follow(child: subprocess.Popen[bytes], *, show: bool) -> str:
    """Return what the child says, line by line without secrets; `show` also passes it on."""
    if child.stdout is None:
        return ""
    said: list[str] = []
    with child.stdout:
        for line in child.stdout:
            text = without_secrets(line.decode("utf-8", "replace"))
            said = [*said[-_LINES:], text]
            if show:
                os.write(2, text.encode())
    return "" if show else "".join(said)


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

"""Filling an environment with packages, by uv or pip: chosen, run, and what they say passed on.

The backend works in the staged environment; credentials of an index never get into messages.
"""

from __future__ import annotations

import os

from bubble.envs.exchange import pylock
from bubble.envs.making.installed import require_installed
from bubble.model.errors import BubbleError
from bubble.model.text import printable, without_userinfo
from bubble.pythons.probing.isolation import isolated, own_scripts, without_python
from bubble.selection.path import find_system
from bubble.system.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    from bubble.system.layout import Layout

# what would let an installer put things somewhere else, or run by another interpreter
_ELSEWHERE = {
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_DRY_RUN"),
    *("UV_SYSTEM_PYTHON", "UV_PYTHON", "UV_TARGET", "UV_PREFIX"),
}
# the same in pip's configuration file; for `prefix` and `root`, pip has no option that says none
_HERE = ("--target=", "--no-user")
_SCRATCH = ".bubble-lock"  # in the staged environment, which is swept if this is killed
_GRACE = 5.0  # seconds for an installer that was told to end
_LINES = 12  # of a failed backend's output that are worth showing


def choose_installer(wanted: str, env: Mapping[str, str], layout: Layout) -> tuple[str, ...]:
    """Return the command of the backend: ("uv", path) or ("pip",).

    `wanted` is "uv", "pip" or "" (uv where it is there). Raises BubbleError(usage).
    """
    if wanted == "pip":
        return ("pip",)
    path = _find_uv(env, layout)
    if path:
        return ("uv", path)
    if wanted == "uv":
        raise BubbleError(
            "usage", "uv is not on PATH", hint="put it there, or use pip: --installer pip"
        )
    return ("pip",)


def _find_uv(env: Mapping[str, str], layout: Layout) -> str:
    """Return the path of uv: the one beside bubble, else the first on PATH; "" for none.

    Not a shim: what that runs is some environment's, or nothing, as the directory has it.
    """
    beside = os.path.join(own_scripts(), "uv")
    if os.access(beside, os.X_OK):
        return beside
    return find_system("uv", env, layout)


def install_packages(
    root: str,
    arguments: Sequence[str],
    *,
    layout: Layout,
    installer: str,
    env: Mapping[str, str],
    cwd: str,
    show: bool,
    keep: int,
) -> None:
    """Install what `arguments` name (requirements, `-r FILE`) into the environment at `root`.

    `show` lets the backend write to stderr as it works; otherwise its last lines are part of the
    error. `keep` is the descriptor that marks `root` as in use. Raises BubbleError (download: it
    fails; usage: a lock file that can't be installed here).
    """
    backend = choose_installer(installer, env, layout)
    if backend[0] == "pip" and not _has_pip(root):
        raise BubbleError(
            "usage",
            "without pip in the environment, only uv can install packages, and it isn't used",
            hint="leave out --no-pip, or put uv on PATH and take --installer uv",
        )
    clean = _environment(root, env)
    locks, others = _split(arguments)
    for lock in locks:
        scratch = f"{root}/{_SCRATCH}"
        os.mkdir(scratch)
        try:
            uv = backend[0] == "uv"
            python = f"{root}/bin/python"
            calls = [["-r", lock]] if uv else pylock.pip_calls(lock, python, scratch, clean)
            for call in calls:
                _install(backend, root, call, clean, cwd, layout, show=show, keep=keep)
        finally:
            remove_tree(scratch)
    if others:
        _install(backend, root, others, clean, cwd, layout, show=show, keep=keep)


def _has_pip(root: str) -> bool:
    library = f"{root}/lib"
    return any(os.path.isdir(f"{library}/{n}/site-packages/pip") for n in os.listdir(library))


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lock files, which are installed one by one, and the other arguments."""
    locks, others = [], []
    words = iter(arguments)
    for word in words:
        if word != "-r":
            others.append(word)
            continue
        file = next(words)
        if pylock.is_lock(file):
            locks.append(file)
        else:
            others += [word, file]
    return locks, others


def _install(
    backend: Sequence[str],
    root: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    layout: Layout,
    *,
    show: bool,
    keep: int,
) -> None:
    """Call the backend once; raise BubbleError(download) when it fails, or installs nothing."""
    python = f"{root}/bin/python"
    if backend[0] == "uv":
        command = [backend[1], "pip", "install", "--python", python, *arguments]
    else:
        options = ["--disable-pip-version-check", *_HERE]
        command = isolated(python, "-m", "pip", "install", *options, *arguments)
    status, output = _run(command, env, cwd, show=show, keep=keep)
    if status:
        lines = [line for line in output.splitlines() if line.strip()][-_LINES:]
        said = printable(" | ".join(without_userinfo(line) for line in lines), 1500)
        raise BubbleError(
            "download",
            f"{backend[0]} could not install the packages (status {status})"
            + (f": {said}" if said else ""),
            hint=f"mend the requirements{_or_the_other(backend[0], root, env, layout)}",
        )
    lock = [word for word in arguments if pylock.is_lock(word)]  # uv's own affair
    if not lock:
        require_installed(root, arguments, cwd, backend[0])


def _or_the_other(tried: str, root: str, env: Mapping[str, str], layout: Layout) -> str:
    """Return the part of a hint that names the other installer, "" where there is none to try."""
    if tried == "uv":
        return ", or try pip: --installer pip" if _has_pip(root) else ""
    return ", or try uv: --installer uv" if _find_uv(env, layout) else ""


def _environment(root: str, env: Mapping[str, str]) -> dict[str, str]:
    clean = {n: value for n, value in without_python(env).items() if n not in _ELSEWHERE}
    clean |= {"VIRTUAL_ENV": root, "PIP_REQUIRE_VIRTUALENV": "0"}
    # lock files are asked for: no warning that uv's reading of them is new
    return {"UV_PREVIEW_FEATURES": "pylock", **clean}


def _run(
    command: Sequence[str], env: Mapping[str, str], cwd: str, *, show: bool, keep: int
) -> tuple[int, str]:
    """Run the installer to its end; it never outlives this process, unless that is killed.

    Then the descriptor `keep` shows that somebody still works in the scratch directory.
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

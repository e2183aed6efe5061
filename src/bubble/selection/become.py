"""Becoming a command: this process's variables as the command gets them, and the exec itself.

On the path of every run: it imports next to nothing.
"""

from __future__ import annotations

import errno
import os

from bubble.model.errors import BubbleError
from bubble.model.text import Configured, printable
from bubble.selection.path import head
from bubble.system import children, descriptors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn, Protocol

    from bubble.system.layout import Layout

    class Surroundings(Protocol):
        """What of the world counts here."""

        @property
        def env(self) -> Mapping[str, str]:
            """The variables of this process."""

        @property
        def layout(self) -> Layout:
            """The store."""


DEPTH = "BUBBLE_SHIM_DEPTH"
INTERPRETERS = ("python", "pypy", "graalpy")
_DEEPEST = 4  # a script of the system that leads back here this often never ends
# what makes an interpreter take itself for another one, isolated or not
_PRETENDING = {"__PYVENV_LAUNCHER__", "PYTHONEXECUTABLE"}


def child_environment(path: str, world: Surroundings) -> dict[str, str]:
    """Return the variables for the command at `path`: this process's, with few differences.

    `__PYVENV_LAUNCHER__` and PYTHONEXECUTABLE go, which make an interpreter pretend to be another
    one; so do the LC_CTYPE that Python itself sets at its start in the C locale (PEP 538), and
    what only the user's configuration file says. For a script from outside the store the depth is
    counted, so that a wrapper that leads back to a shim ends with an error instead of never.
    """
    env = {
        name: value
        for name, value in world.env.items()
        if name not in _PRETENDING and type(value) is not Configured
    }
    if env.get("LC_CTYPE") == "C.UTF-8" and not _was_given("LC_CTYPE"):
        del env["LC_CTYPE"]
    if path.startswith(f"{world.layout.home}/") or not _is_script(path):
        return env
    depth = env.get(DEPTH, "0")
    deep = int(depth) + 1 if depth.isdecimal() and len(depth) < 4 else 1
    if deep > _DEEPEST:
        raise BubbleError(
            "cannot_execute",
            f"{printable(path)} leads back to bubble's shims again and again",
            hint="take the wrapper off PATH, or choose a version: bubble use VERSION",
        )
    env[DEPTH] = str(deep)
    return env


def execute(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Become the command at `path` (absolute): same process, argv byte for byte."""
    if not os.path.basename(path).startswith(INTERPRETERS):  # which do the same themselves
        import signal

        # this interpreter ignores them for itself, and what is ignored stays so
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
    descriptors.close_filled()
    children.ignore_again()
    try:
        try:
            os.execve(path, [path, *arguments], dict(env))  # noqa: S606 - no shell is wanted
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            # a script without `#!`, which every shell runs by sh
            os.execve("/bin/sh", ["/bin/sh", path, *arguments], dict(env))  # noqa: S606 - as above
    except OSError as error:
        raise BubbleError(
            "cannot_execute",
            f"{printable(path)} can't be run: {(error.strerror or str(error)).lower()}",
            hint="look into what is installed: bubble python verify",
        ) from None


def _is_script(path: str) -> bool:
    """Whether a program is a script, which may call what it was called for; "" isn't known."""
    return not path or head(path, 2) == b"#!"


def _was_given(variable: str) -> bool:
    """Whether this process was started with a variable; where that isn't known, yes."""
    try:
        with open("/proc/self/environ", "rb") as file:
            return f"\0{variable}=".encode() in b"\0" + file.read()
    except OSError:
        return True

"""The credential canary: a secret that is given to bubble, used, and must be found nowhere.

`Guard` makes a server's paths want it, and looks at every process's arguments while bubble waits
for the answer. `told` looks for it in what a command said and in all that it wrote.
"""

from __future__ import annotations

import base64
import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Result
    from support.fault_handlers import Exchange, Handler
    from support.fault_server import FaultServer
    from support.scene import Done

# nothing that anybody else would write, nor another worker's tests, which run at the same time
SECRET = f"hunter2-canary-{os.getpid()}"
_BASIC = base64.b64encode(f"user:{SECRET}".encode()).decode()


class Guard:
    """Answers as `inner` does, to who brings the secret; counts them, and watches processes."""

    used = 0

    def __init__(self) -> None:
        self.arguments: set[bytes] = set()

    def over(self, inner: Handler) -> Handler:
        """Return a handler that asks for the secret first."""

        def handler(exchange: Exchange) -> None:
            self.arguments |= set(_arguments())
            given = exchange.entry.headers.get("authorization", "")
            if given != f"Basic {_BASIC}":
                exchange.answer(401, b"", WWW_Authenticate='Basic realm="here"')
                return
            self.used += 1
            inner(exchange)

        return handler


def url(server: FaultServer, path: str = "") -> str:
    """Return an address on the server with the user and the secret in it."""
    return server.url.replace("://", f"://user:{SECRET}@") + path


def told(
    done: Done | Result, guard: Guard, roots: Iterable[str], *, given: tuple[str, ...] = ()
) -> list[str]:
    """Return where the secret is: what was said, processes' arguments, files below the roots.

    `given` are arguments of the command itself in which the caller put it, and files with it.
    """
    found = []
    for name, text in (("stdout", done.out), ("stderr", done.err)):
        if SECRET in text or _BASIC in text:
            found.append(f"{name}: {text}")
    found += [
        f"arguments: {words!r}"
        for words in guard.arguments
        if SECRET.encode() in words and not any(g.encode() in words for g in given)
    ]
    patterns = [word for part in (SECRET, _BASIC) for word in ("-e", part)]
    written = subprocess.run(
        ["grep", "-rlaF", *patterns, *roots], capture_output=True, text=True, check=False
    )
    found += [f"file: {path}" for path in written.stdout.splitlines() if path not in given]
    return found


def _arguments() -> Iterable[bytes]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                yield file.read()
        except OSError:
            continue

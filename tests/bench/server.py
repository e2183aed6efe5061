"""The web server of the measurements: a process of its own, which counts what it sends.

As a command, `PYTHONPATH=tests python -m bench.server DIR RATE HOST` (RATE 0: none): prints
the URL, and for each line on stdin the number of body bytes sent so far; ends with stdin.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Server:
    """The running process, inside `with`; `rate` is what each connection gets, in bytes/s.

    `prefix` is a command that runs another one: in the network namespace where `host` is.
    """

    def __init__(
        self,
        directory: str,
        rate: float | None = None,
        *,
        host: str = "127.0.0.1",
        prefix: Sequence[str] = (),
    ) -> None:
        module = [sys.executable, "-m", "bench.server"]
        self._argv = [*prefix, *module, directory, str(rate or 0), host]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv,
            env={**os.environ, "PYTHONPATH": TESTS},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.url = self._line()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def sent(self) -> int:
        """Return how many body bytes have been given to sockets so far."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the server ended by itself")
        return line.strip()


def main(directory: str, rate: str, host: str) -> None:
    from support.fault_server import serve

    with serve(directory, rate=float(rate) or None, host=host) as server:
        print(server.url, flush=True)
        for _ in sys.stdin:
            print(server.sent, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A terminal for tests: a program in a pseudo-terminal, and what its screen shows."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

# makes the terminal the controlling one, so that Ctrl-C is a signal
_LEADER = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
_SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")


class Terminal:
    """A program on a terminal of 80 columns; `typed` is all that it wrote."""

    def __init__(self, argv: list[str], env: Mapping[str, str], cwd: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LEADER, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
        os.close(slave)
        self._bytes = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def read_until(self, text: str, timeout: float = PATIENCE) -> None:
        """Read until `text` was written; raise TimeoutError or EOFError."""
        end = time.monotonic() + timeout
        while text not in self.typed:
            if not self._read(end):
                raise EOFError(self.typed)

    def finish(self, timeout: float = PATIENCE) -> int:
        """Read to the end, and return the exit status."""
        end = time.monotonic() + timeout
        while self._read(end):
            pass
        return self._process.wait(timeout)

    @property
    def typed(self) -> str:
        return self._bytes.decode("utf-8", "replace")

    @property
    def screen(self) -> list[str]:
        """What is to be seen in the end."""
        return shown(self.typed)

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, end - time.monotonic()))
        if not ready:
            raise TimeoutError(self.typed)
        try:
            data = os.read(self._master, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # the other side was closed
                raise
            data = b""
        self._bytes += data
        return bool(data)


def shown(typed: str) -> list[str]:
    """Return the lines of a screen after what was written: the little of a terminal that we use."""
    lines = [""]
    row = column = at = 0
    while at < len(typed):
        sequence = _SEQUENCE.match(typed, at)
        if sequence:
            at = sequence.end()
            number = int(sequence[1]) if sequence[1].isdigit() else 1
            match sequence[2]:
                case "A":
                    row = max(0, row - number)
                case "B":
                    row += number
                case "K":
                    lines[row] = "" if sequence[1] == "2" else lines[row][:column]
                case "m" | "h" | "l":
                    pass
                case other:
                    raise NotImplementedError(other)
            continue
        character = typed[at]
        at += 1
        if character == "\r":
            column = 0
        elif character == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + character + line[column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


def on_a_terminal(
    words: list[str], answer: bytes, cwd: Path, env: Mapping[str, str]
) -> tuple[int, str]:
    """Run `bubble` on a pseudo-terminal, answer its question; return status and what it said."""
    parent, child = pty.openpty()
    program = f"{os.path.dirname(sys.executable)}/bubble"
    with subprocess.Popen(
        [program, *words], cwd=cwd, env=env, stdin=child, stderr=child
    ) as process:
        os.close(child)
        said = b""
        while True:
            try:
                more = os.read(parent, 4096)
            except OSError as error:
                if error.errno == errno.EIO:  # how Linux says that the other side was closed
                    break
                raise
            if not more:
                break
            said += more
            if said.endswith(b"[y/N] "):
                os.write(parent, answer)
        status = process.wait(60)
    os.close(parent)
    return status, said.decode()

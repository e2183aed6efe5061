"""TLS to a server inside of TLS to its proxy, for which Python's ssl module has no socket."""

from __future__ import annotations

import io
import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

_PIECE = 1 << 16  # bytes of the outer connection at a time


class InnerTls:
    """As much of a socket as a request and its answer need, over the connection to the proxy."""

    def __init__(self, outer: socket.socket, context: ssl.SSLContext, host: str) -> None:
        """Shake hands with the server `host`; raise OSError."""
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._driven(self._tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        sent = 0
        while sent < len(data):
            sent += self._driven(lambda: self._tls.write(data[sent:]))  # noqa: B023 - called at once

    def recv_into(self, buffer: memoryview) -> int:
        """Receive something into the buffer; return how many bytes, 0 at the end."""
        try:
            data = self._driven(lambda: self._tls.read(len(buffer)))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return 0
        buffer[: len(data)] = data
        return len(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a reader; closing it closes nothing else."""
        assert mode == "rb"
        return io.BufferedReader(_Reader(self))

    def settimeout(self, seconds: float) -> None:
        """Let each wait for the network take so long."""
        self._outer.settimeout(seconds)

    def fileno(self) -> int:
        """Return the descriptor of the connection to the proxy."""
        return self._outer.fileno()

    def close(self) -> None:
        """Close the connection to the proxy."""
        self._outer.close()

    def _driven(self, call: Callable[[], T]) -> T:
        """Make a call of the inner TLS, and carry what it needs between it and the proxy."""
        while True:
            try:
                done = call()
            except ssl.SSLWantReadError:
                self._flush()
                data = self._outer.recv(_PIECE)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return done

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._outer.sendall(self._outgoing.read())


class _Reader(io.RawIOBase):
    def __init__(self, source: InnerTls) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.recv_into(memoryview(buffer))

"""A web server on loopback that misbehaves as it is told: raw sockets, a thread a connection.

    with serve(directory) as server: …            # plainly, as a mirror; server.url
    with serve() as server:
        server.put("/a", Resource(b"…", cut=10))  # any handler: a callable that takes an Exchange
        server.log                                # what was asked and how many bytes went out

As a command: `PYTHONPATH=tests python -m support.fault_server DIR [--rate N] [--port-file F]`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import socket
import threading
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from support.fault_handlers import BLOCK, Entry, Exchange, Handler, Resource, status

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


class FaultServer:
    """The server; `log` grows by one entry a request. Handlers are looked up without the query."""

    def __init__(
        self,
        directory: str | None,
        rate: float | None,
        tls: ssl.SSLContext | None,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.directory = directory
        self.rate = rate
        self.log: list[Entry] = []
        self.stopping = threading.Event()
        self.held = threading.Event()
        self.go = threading.Event()
        self.most_at_once = 0
        self._tls = tls
        self._handlers: dict[str, Handler] = {}
        self._lock = threading.Lock()
        self._open: dict[int, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self._numbers = itertools.count(1)
        self._listener = socket.create_server((host, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def put(self, path: str, handler: Handler) -> str:
        """Answer requests for `path` by `handler`; return the URL."""
        self._handlers[path] = handler
        return self.url + path

    def requests(self, path: str) -> list[Entry]:
        """Return the log's entries for one path."""
        return [entry for entry in self.log if entry.path.partition("?")[0] == path]

    @property
    def is_tls(self) -> bool:
        return self._tls is not None

    @property
    def sent(self) -> int:
        """All body bytes sent so far."""
        return sum(entry.sent for entry in self.log)

    def close(self) -> None:
        self.stopping.set()
        self.go.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            for sock in self._open.values():
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = next(self._numbers)
            thread = threading.Thread(target=self._serve, args=(number, sock), daemon=True)
            with self._lock:
                self._threads = [t for t in self._threads if t.is_alive()] + [thread]
                self._open[number] = sock
                self.most_at_once = max(self.most_at_once, len(self._open))
                thread.start()

    def _serve(self, number: int, sock: socket.socket) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._open[number] = sock
            with sock.makefile("rb") as reader:
                while not self.stopping.is_set() and (entry := _request(reader, number)):
                    with self._lock:
                        self.log.append(entry)
                    exchange = Exchange(self, sock, entry)
                    self._handler(entry.path.partition("?")[0])(exchange)
                    if not exchange.keep:
                        break
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.pop(number, None)
            sock.close()

    def _handler(self, path: str) -> Handler:
        if path in self._handlers:
            return self._handlers[path]
        if self.directory is not None:
            root = os.path.realpath(self.directory)
            file = os.path.realpath(root + "/" + unquote(path))
            if file.startswith(root + "/") and os.path.isfile(file):
                about = os.stat(file)
                etag = f'"{about.st_size:x}-{about.st_mtime_ns:x}"'
                return Resource(file, etag=etag, rate=self.rate)
        return status(404, b"not found")


def _request(reader: BinaryIO, number: int) -> Entry | None:
    line = reader.readline(BLOCK)
    if not line.strip():
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers = {}
    while (line := reader.readline(BLOCK)).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return Entry(number, method, path, headers)


@contextlib.contextmanager
def serve(
    directory: str | None = None,
    *,
    rate: float | None = None,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
) -> Iterator[FaultServer]:
    """Run a server for the duration of a block; `rate` limits each connection (bytes/s)."""
    server = FaultServer(directory, rate, tls, port, host)
    try:
        yield server
    finally:
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a directory on loopback.")
    parser.add_argument("directory")
    parser.add_argument("--rate", type=float, help="bytes a second for each connection")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", help="where to write the port, once it is open")
    options = parser.parse_args()
    with serve(options.directory, rate=options.rate, port=options.port) as server:
        print(server.url, flush=True)
        if options.port_file:
            with open(options.port_file + ".new", "w", encoding="ascii") as file:
                file.write(str(server.port))
            os.rename(options.port_file + ".new", options.port_file)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()

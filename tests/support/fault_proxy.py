"""A proxy on loopback that lets connections through: by CONNECT, over TLS too, and by SOCKS 5.

with proxy() as one: …                  # http://; one.url, one.asked
with proxy(tls=context) as one: …       # https://
with proxy(login=("me", "word")) as one: …
with socks(refuses=5) as one: …         # socks5://, answers every request by that code
with socks(host="::1", hangs_up=2) as one: …  # on that address, closes the first two connections
"""

from __future__ import annotations

import base64
import contextlib
import selectors
import socket
import ssl
import struct
import threading

from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK = 1 << 16


class Proxy:
    """The running proxy: `asked` has who was to be reached, `said` the heads of requests."""

    def __init__(
        self, scheme: str, talk: Callable[[Proxy, socket.socket], None], host: str = "127.0.0.1"
    ) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []
        self._talk = talk
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        named = f"[{host}]" if ":" in host else host
        self.address = f"{named}:{self._listener.getsockname()[1]}"
        self.url = f"{scheme}://{self.address}"
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    def close(self) -> None:
        """Take no more connections, and wait for those there are."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            self._talk(self, sock)


@contextlib.contextmanager
def proxy(
    *,
    tls: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
    refuses: int = 0,
) -> Iterator[Proxy]:
    """Have one that knows CONNECT alone; without this `login` it answers 407."""

    def talk(running: Proxy, plain: socket.socket) -> None:
        with tls.wrap_socket(plain, server_side=True) if tls else plain as sock:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += sock.recv(1) or b"\r\n\r\n"
            running.said.append(head.decode("ascii"))
            verb, server, *_ = running.said[-1].split()
            running.asked.append(server)
            wanted = base64.b64encode(":".join(login).encode()).decode() if login else ""
            code = 200 if wanted in running.said[-1] else 407
            code = refuses or (code if verb == "CONNECT" else 405)
            sock.sendall(f"HTTP/1.1 {code} So\r\nVia: us\r\n\r\n".encode())
            if code == 200:
                _pump(sock, server)

    running = Proxy("https" if tls else "http", talk)
    try:
        yield running
    finally:
        running.close()


@contextlib.contextmanager
def socks(
    *,
    login: tuple[str, str] | None = None,
    refuses: int = 0,
    host: str = "127.0.0.1",
    hangs_up: int = 0,
) -> Iterator[Proxy]:
    """Have one for SOCKS 5 (RFC 1928), which takes host names; `login` is RFC 1929's."""

    left = [None] * hangs_up

    def talk(running: Proxy, sock: socket.socket) -> None:
        if left:
            left.pop()
            return
        _, count = _exactly(sock, 2)
        offered = _exactly(sock, count)
        method = 2 if login else 0
        if method not in offered:
            sock.sendall(b"\5\xff")
            return
        sock.sendall(bytes((5, method)))
        if login:
            _, length = _exactly(sock, 2)
            user = _exactly(sock, length)
            word = _exactly(sock, _exactly(sock, 1)[0])
            right = (user.decode(), word.decode()) == login
            sock.sendall(b"\1\0" if right else b"\1\1")
            if not right:
                return
        _, _, _, kind = _exactly(sock, 4)
        name = (
            socket.inet_ntoa(_exactly(sock, 4))
            if kind == 1
            else _exactly(sock, _exactly(sock, 1)[0]).decode()
        )
        (port,) = struct.unpack(">H", _exactly(sock, 2))
        running.asked.append(f"{name}:{port}")
        sock.sendall(bytes((5, refuses, 0, 1)) + bytes(6))
        if not refuses:
            _pump(sock, f"127.0.0.1:{port}" if name.endswith(".test") else running.asked[-1])

    running = Proxy("socks5", talk, host)
    try:
        yield running
    finally:
        running.close()


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise OSError("it ended")
        data += more
    return data


def _pump(client: socket.socket, address: str) -> None:
    """Carry bytes both ways until either side ends."""
    host, _, port = address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), PATIENCE) as server,
        selectors.DefaultSelector() as waiting,
    ):
        waiting.register(client, selectors.EVENT_READ, server)
        waiting.register(server, selectors.EVENT_READ, client)
        while True:
            for key, _ in waiting.select(PATIENCE):
                source = key.fileobj
                assert isinstance(source, socket.socket)
                data = source.recv(_BLOCK)
                while isinstance(source, ssl.SSLSocket) and source.pending():
                    data += source.recv(_BLOCK)
                if not data:
                    return
                key.data.sendall(data)

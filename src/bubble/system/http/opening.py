"""Opening the socket that a request goes over: straight to the server, or by a proxy; with TLS.

Every socket is remembered before anything is waited for on it, so that another thread can end the
wait.
"""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

from bubble.model.errors import BubbleError
from bubble.model.urls import shown
from bubble.system.http.address import DEFAULT_PORTS, asked
from bubble.system.http.exchange import NoAnswerError, ProxyRefusedError
from bubble.system.http.login import basic, login_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Any

    from bubble.system.http.inner_tls import InnerTls

    Stream = socket.socket | InnerTls  # what a request goes over

_SOCKS = frozenset({"socks5", "socks5h"})
_HINT = "set HTTPS_PROXY, HTTP_PROXY and ALL_PROXY to http://host:port, or unset them"


class Opener:
    """How one connection reaches servers: its time-out (seconds), whom it trusts, who remembers."""

    def __init__(
        self,
        timeout: float,
        trusted: Callable[[], ssl.SSLContext],
        remember: Callable[[socket.socket], None],
    ) -> None:
        self._timeout = timeout
        self._trusted = trusted
        self._remember = remember

    def open(self, scheme: str, host: str, port: int, proxy: str) -> Stream:
        """Return a socket to a server of `scheme`, by the proxy at this URL ("": by none).

        Over a proxy for HTTP, that is the proxy's own: it is asked for whole addresses. Raises
        OSError (of sockets and of TLS), NoAnswerError, ProxyRefusedError, and BubbleError(usage)
        for a proxy that can't be used.
        """
        kind, address = proxy_of(proxy)
        if kind in _SOCKS:
            sock = self._by_socks((host, port), address, login_of(proxy))
        else:
            sock = _reached(address if kind else (host, port), self._connect)
        try:
            if kind == "https":
                sock = self._secured(sock, address[0])
            if scheme != "https":
                return sock
            if kind in DEFAULT_PORTS:
                _tunnel(sock, host, port, proxy)
            if kind == "https":
                from bubble.system.http import inner_tls

                return inner_tls.InnerTls(sock, self._trusted(), host)
            return self._secured(sock, host)
        except BaseException:
            sock.close()
            raise

    def _connect(self, family: int, address: Any) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._remember(sock)
            sock.settimeout(self._timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _secured(self, sock: socket.socket, host: str) -> socket.socket:
        secure = self._trusted().wrap_socket(
            sock, server_hostname=host, do_handshake_on_connect=False
        )
        try:
            self._remember(secure)
            secure.do_handshake()
        except BaseException:
            secure.close()
            raise
        return secure

    def _by_socks(
        self, server: tuple[str, int], proxy: tuple[str, int], login: tuple[str, str] | None
    ) -> socket.socket:
        try:
            import socks
        except ImportError:
            raise _unusable(
                f"socks5://{proxy[0]}:{proxy[1]}",
                "SOCKS takes one more package: install bubble-python[socks] where bubble is; or "
                "name an HTTP proxy in HTTPS_PROXY and HTTP_PROXY, or the server in NO_PROXY",
            ) from None
        user, password = login or (None, None)

        def connect(family: Any, address: Any) -> socket.socket:
            sock = socks.socksocket(family)
            try:
                self._remember(sock)
                host, port, *_ = address
                sock.set_proxy(
                    socks.SOCKS5, host, port, rdns=True, username=user, password=password
                )
                sock.settimeout(self._timeout)
                sock.connect(server)
            except BaseException:
                sock.close()
                raise
            return sock

        try:
            return _reached(proxy, connect)
        except socks.ProxyError as error:
            raise _meant(error) from None


def proxy_of(url: str) -> tuple[str, tuple[str, int]]:
    """Return the kind of a proxy, and its host and port; "" for none.

    Raises BubbleError(usage) for one that can't be used.
    """
    if not url:
        return "", ("", 0)
    scheme, host, port = "", "", None
    with contextlib.suppress(ValueError):
        scheme = urlsplit(url).scheme
        host, port, _ = asked(url)
    if not host or scheme not in {*DEFAULT_PORTS, *_SOCKS}:
        raise _unusable(url, _HINT)
    return scheme, (host, port or DEFAULT_PORTS.get(scheme, 1080))


def _reached(
    address: tuple[str, int], connect: Callable[[int, Any], socket.socket]
) -> socket.socket:
    """Return the connection to the first address of a host that there is one to."""
    host: Any = address[0].encode("ascii")  # for text, the codec of other alphabets is imported
    failure = OSError("the host has no address")
    for family, _, _, _, found in socket.getaddrinfo(host, address[1], 0, socket.SOCK_STREAM):
        try:
            return connect(family, found)
        except OSError as error:
            failure = error
    raise failure


def _meant(error: Any) -> Exception:
    """Return what an error of the SOCKS package is about: it packs them into one another."""
    import socks

    while isinstance(error, socks.ProxyError) and error.socket_err is not None:
        error = error.socket_err
    if isinstance(error, socks.GeneralProxyError):
        return NoAnswerError(f"the proxy: {error.msg}")
    return ProxyRefusedError(error.msg) if isinstance(error, socks.ProxyError) else error


def _unusable(proxy: str, hint: str) -> BubbleError:
    return BubbleError(
        "usage", f"the proxy in the environment can't be used: {shown(proxy)}", hint=hint
    )


def _tunnel(sock: socket.socket, host: str, port: int, proxy: str) -> None:
    """Have a proxy let everything through to a server (RFC 9110, 9.3.6)."""
    server = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {server} HTTP/1.1", f"Host: {server}"]
    login = login_of(proxy)
    if login:
        lines.append(f"Proxy-Authorization: {basic(login)}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    from bubble.system.http.answer import answered

    answer = answered(sock, "CONNECT")
    try:
        if not 200 <= answer.status < 300:
            raise ProxyRefusedError(f"the proxy answered {answer.status}", answer.status)
    finally:
        answer.close()

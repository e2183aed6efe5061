"""One worker's connection: a GET with our redirect policy, and errors that say what to do.

Nothing of the HTTP client leaves this module: callers see `Reply` and `ExchangeError`.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from urllib.parse import urlsplit

from bubble import __version__
from bubble.model.text import printable
from bubble.model.urls import scrub, shown
from bubble.system.http.address import (
    REDIRECT_LIMIT,
    REDIRECTS,
    RedirectRefusedError,
    asked,
    redirected,
)
from bubble.system.http.exchange import ExchangeError
from bubble.system.http.kept_out import KeptOut
from bubble.system.http.login import basic, login_for, login_of
from bubble.system.http.pool import open_pool
from bubble.system.http.proxies import proxy_for
from bubble.system.http.trust import Trust, no_tls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    import httpcore

    from bubble.system.http.settings import Settings
else:
    # httpcore takes along what happens to be installed, for what is never asked of it
    with KeptOut("anyio", "trio", "h2"):
        import httpcore

    # 64 KiB a read, and much ado about each: four times as much takes a sixth off the whole
    httpcore.HTTP11Connection.READ_NUM_BYTES = 256 * 1024

USER_AGENT = f"bubble/{__version__}"
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
RETRIED = frozenset({408, 425, 429})
_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
_HEADERS = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}


class Reply:
    """The head of a response, and its body as raw bytes."""

    def __init__(self, response: httpcore.Response, url: str, *, with_login: bool) -> None:
        self._response = response
        self.url = url
        self.with_login = with_login
        self.status = response.status
        headers: dict[str, str] = {}
        for name, value in response.headers:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        self.headers: Mapping[str, str] = headers

    @property
    def length(self) -> int | None:
        """The Content-Length, if there is one that means something."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    @property
    def etag(self) -> str:
        """The ETag as it was sent, or ""."""
        return self.headers.get("etag", "")

    @property
    def validator(self) -> str:
        """What If-Range may hold: a strong ETag, or the Last-Modified date (RFC 9110, 13.1.5)."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.headers.get("last-modified", "")

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it comes, undecoded; raise ExchangeError."""
        try:
            yield from self._response.iter_stream()
        except _FAILURES as error:
            raise _failure(error, self.url) from None

    def close(self) -> None:
        """Let go of the body, however much of it was read."""
        self._response.close()


class Connection:
    """A client of one worker thread; `abort` may be called from any thread."""

    def __init__(self, env: Mapping[str, str], settings: Settings) -> None:
        self._env = env
        self._timeout = dict.fromkeys(("read", "write", "pool"), settings.read_timeout)
        self._timeout["connect"] = settings.connect_timeout
        self._retry_after_limit = settings.retry_after_limit
        self._trust = Trust(env)
        self._pools: dict[tuple[str, str], httpcore.ConnectionPool] = {}
        self._sockets: list[socket.socket] = []

    @contextlib.contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[Reply]:
        """Send a GET, follow redirects, and yield the reply: 200, 206, 304 or 416.

        Raises ExchangeError for everything else.
        """
        reply = self._follow(url, headers)
        try:
            self._check(reply)
            yield reply
        finally:
            reply.close()

    def abort(self) -> None:
        """Wake a thread that waits for the network: its call fails at once."""
        for sock in self._sockets:
            with contextlib.suppress(OSError, ValueError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self._sockets.clear()

    def _follow(self, url: str, headers: Mapping[str, str]) -> Reply:
        for _ in range(REDIRECT_LIMIT + 1):
            reply = self._send(url, headers)
            location = reply.headers.get("location", "")
            if reply.status not in REDIRECTS or not location:
                return reply
            reply.close()
            try:
                url = redirected(url, location)
            except RedirectRefusedError as error:
                raise ExchangeError(f"{shown(url)}: {error}", retry=False) from None
        raise ExchangeError(f"{shown(url)}: more than {REDIRECT_LIMIT} redirects", retry=False)

    def _send(self, url: str, headers: Mapping[str, str]) -> Reply:
        try:
            return self._sent(url, headers)
        except _FAILURES as error:
            if _UNTRUSTED not in str(error) or not self._trust.widen():
                raise _failure(error, url) from None
        self.close()
        try:
            return self._sent(url, headers)
        except _FAILURES as error:
            raise _failure(error, url) from None

    def _sent(self, url: str, headers: Mapping[str, str]) -> Reply:
        parts = urlsplit(url)
        try:
            host, port, target = asked(url)
        except ValueError:
            raise _broken(url) from None
        named = f"[{host}]" if ":" in host else host
        sent = {"Host": f"{named}:{port}" if port else named, **_HEADERS, **headers}
        login = login_of(url) or login_for(url, self._env)
        if login:
            sent["Authorization"] = basic(login)
        request = httpcore.Request(
            "GET",
            httpcore.URL(scheme=parts.scheme, host=host, port=port, target=target),
            headers=[(name, text.encode("latin-1", "replace")) for name, text in sent.items()],
            extensions={"timeout": self._timeout, "trace": self._remember},
        )
        response = self._pool(parts.scheme, proxy_for(url, self._env)).handle_request(request)
        return Reply(response, url, with_login=bool(login))

    def _pool(self, scheme: str, proxy: str) -> httpcore.ConnectionPool:
        pool = self._pools.get((scheme, proxy))
        if pool is None:
            secure = scheme == "https" or proxy.startswith("https:")
            context = self._trust.context() if secure else no_tls()
            pool = self._pools[scheme, proxy] = open_pool(proxy, context)
        return pool

    def _remember(self, name: str, info: dict[str, Any]) -> None:
        """Keep the sockets that are opened, for `abort` (the client's "trace" extension)."""
        if name.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._sockets.append(info["return_value"].get_extra_info("socket"))

    def _check(self, reply: Reply) -> None:
        status = reply.status
        where = shown(reply.url)
        if status in {200, 206, 304, 416}:
            encoding = reply.headers.get("content-encoding", "identity").strip().lower()
            if encoding not in {"", "identity"}:
                raise ExchangeError(
                    f"{where}: the server sent it {printable(encoding)}-encoded, unasked",
                    retry=False,
                )
            kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
            if status in {200, 206} and kind in {"text/html", "application/xhtml+xml"}:
                raise ExchangeError(
                    f"{where}: the server sent a web page (a captive portal?), not the file",
                    retry=False,
                    hint="open a web page in a browser to log in to the network, then retry",
                )
            return
        message = f"{where}: the server answered {status}"
        if status in {401, 407}:
            raise _refused(status, where, with_login=reply.with_login)
        if status in RETRIED or status >= 500:
            after = _retry_after(reply.headers.get("retry-after", ""))
            if after > self._retry_after_limit:
                raise ExchangeError(
                    f"{message} and asks to wait {after:.0f} s",
                    retry=False,
                    status=status,
                    hint="try again later",
                )
            raise ExchangeError(message, retry=True, after=after, status=status)
        raise ExchangeError(message, retry=False, status=status)


def _failure(error: Exception, url: str) -> ExchangeError:
    """Return what an error of the client means; its text is shown without secrets."""
    where = shown(url)
    if isinstance(error, httpcore.TimeoutException):
        what = "connecting" if isinstance(error, httpcore.ConnectTimeout) else "reading"
        return ExchangeError(f"{where}: timed out while {what}", retry=True)
    detail = scrub(str(error)) or type(error).__name__
    if isinstance(error, (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError)):
        return _broken(url)
    if isinstance(error, httpcore.ProxyError) and detail.startswith("407"):
        return _refused(407, where, with_login=False)
    if _UNTRUSTED in detail:
        return ExchangeError(
            f"{where}: the server's certificate is not trusted: {detail}",
            retry=False,
            hint="set SSL_CERT_FILE to your network's certificate bundle, if it has its own",
        )
    return ExchangeError(
        f"{where}: {detail}",
        retry=not isinstance(error, httpcore.ProxyError),
        unreachable=isinstance(error, httpcore.ConnectError) and _found_nobody(error),
    )


def _broken(url: str) -> ExchangeError:
    return ExchangeError(
        f"{shown(url)}: a broken URL, or a redirect to one, is refused", retry=False
    )


def _refused(status: int, where: str, *, with_login: bool) -> ExchangeError:
    """Return the error for what asks for a name and a password: a server's 401, a proxy's 407."""
    if status == 407:
        message = f"{where}: the proxy wants a user name and a password (407), or others"
        name = "HTTPS_PROXY" if where.startswith("https:") else "HTTP_PROXY"
        hint = f"put NAME:PASSWORD@ before the proxy's host, in {name} or ALL_PROXY"
    elif with_login:
        message = f"{where}: the server doesn't take the user name and password (401)"
        hint = "correct them in the address or in ~/.netrc"
    else:
        message = f"{where}: the server wants a user name and a password (401)"
        hint = "put them into ~/.netrc (machine HOST login NAME password WORD), or the address"
    return ExchangeError(message, retry=False, status=status, hint=hint)


def _found_nobody(error: BaseException | None) -> bool:
    """Whether a failed connection failed at once: no such host, nobody listening, no network."""
    while error is not None:
        if isinstance(error, (socket.gaierror, ConnectionRefusedError)):
            return True
        if isinstance(error, OSError) and error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
            return True
        error = error.__cause__ or error.__context__
    return False


def _retry_after(text: str) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3), or 0."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    import email.utils  # 10 ms

    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0

"""One worker's connection: a GET with our redirect policy, and errors that say what to do.

Nothing of the HTTP client leaves this module: callers see `Reply` and `ExchangeError`.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time
from urllib.parse import urlsplit

from bubble import __version__
from bubble.model.text import printable
from bubble.model.urls import scrub, shown
from bubble.system.http.address import (
    DEFAULT_PORTS,
    REDIRECT_LIMIT,
    REDIRECTS,
    RedirectRefusedError,
    asked,
    redirected,
)
from bubble.system.http.exchange import FAILURES, ExchangeError, ProxyRefusedError
from bubble.system.http.login import basic, login_for, login_of
from bubble.system.http.opening import Opener, proxy_of
from bubble.system.http.proxies import proxy_for
from bubble.system.http.trust import Trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bubble.system.http.answer import Reply
    from bubble.system.http.opening import Stream
    from bubble.system.http.settings import Settings

USER_AGENT = f"bubble/{__version__}"
IDLE = 5.0  # seconds that a connection is kept for the next request
RETRIED = frozenset({408, 425, 429})
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_HEADERS = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}


class Connection:
    """A client of one worker thread; `abort` may be called from any thread."""

    def __init__(
        self, env: Mapping[str, str], settings: Settings, trust: Trust | None = None
    ) -> None:
        """`trust` is what its transfer's other connections have found out about it."""
        self._env = env
        self._read_timeout = settings.read_timeout
        self._retry_after_limit = settings.retry_after_limit
        self._trust = trust or Trust(env)
        self._sockets: list[socket.socket] = []
        self._opener = Opener(settings.connect_timeout, self._trust.context, self._sockets.append)
        self._kept: dict[tuple[str, str, int, str], tuple[Stream, float]] = {}  # until when

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
        for stream, _ in self._kept.values():
            stream.close()
        self._kept.clear()
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
            lines, where, with_login = self._request(url, headers)
        except ValueError:
            raise _broken(url) from None
        stream = self._taken(where) or self._open(url, where)

        def release(again: bool) -> None:  # noqa: FBT001 - one question
            if again:
                self._kept[where] = stream, time.monotonic() + IDLE
            else:
                stream.close()

        try:
            stream.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace"))
            from bubble.system.http.answer import Reply, answered  # while the server works on it

            answer = answered(stream, "GET")
            return Reply(answer, url, release, _failure, with_login=with_login)
        except FAILURES as error:
            stream.close()
            raise _failure(error, url) from None
        except BaseException:
            stream.close()
            raise

    def _request(
        self, url: str, headers: Mapping[str, str]
    ) -> tuple[list[str], tuple[str, str, int, str], bool]:
        """Return a request's lines, whom it goes to, and whether it says who asks.

        Raises ValueError for what can't be sent.
        """
        scheme = urlsplit(url).scheme
        host, port, target = asked(url)
        proxy = proxy_for(url, self._env)
        named = f"[{host}]" if ":" in host else host
        named = f"{named}:{port}" if port else named
        sent = {"Host": named, **_HEADERS, **headers}
        login = login_of(url) or login_for(url, self._env)
        if login:
            sent["Authorization"] = basic(login)
        if scheme == "http" and proxy_of(proxy)[0] in DEFAULT_PORTS:
            target = f"http://{named}{target}"  # of the proxy, in whole (RFC 9112, 3.2.2)
            if own := login_of(proxy):
                sent["Proxy-Authorization"] = basic(own)
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {text}" for name, text in sent.items())]
        if not all(line.isprintable() for line in lines):
            raise ValueError("a line that would be several")
        return lines, (scheme, host, port or DEFAULT_PORTS[scheme], proxy), bool(login)

    def _taken(self, where: tuple[str, str, int, str]) -> Stream | None:
        """Return the connection that was kept, unless its server may have closed it meanwhile."""
        stream, until = self._kept.pop(where, (None, 0.0))
        if stream is not None and (time.monotonic() >= until or _has_something(stream)):
            stream.close()
            return None
        return stream

    def _open(self, url: str, where: tuple[str, str, int, str]) -> Stream:
        was_wide = self._trust.is_wide
        try:
            try:
                stream = self._opener.open(*where)
            except OSError as error:
                if _UNTRUSTED not in str(error) or was_wide or not self._trust.widen():
                    raise
                stream = self._opener.open(*where)
        except FAILURES as error:
            raise _failure(error, url, connecting=True) from None
        except ValueError:  # a host that no resolver or certificate can have
            raise _broken(url) from None
        stream.settimeout(self._read_timeout)
        return stream

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


def _failure(error: Exception, url: str, *, connecting: bool = False) -> ExchangeError:
    """Return what an error of the client means; its text is shown without secrets."""
    where = shown(url)
    if isinstance(error, TimeoutError):
        what = "connecting" if connecting else "reading"
        return ExchangeError(f"{where}: timed out while {what}", retry=True)
    detail = scrub(str(error)) or type(error).__name__
    if isinstance(error, ProxyRefusedError) and error.status == 407:
        return _refused(407, where, with_login=False)
    if _UNTRUSTED in detail:
        return ExchangeError(
            f"{where}: the server's certificate is not trusted: {detail}",
            retry=False,
            hint="set SSL_CERT_FILE to your network's certificate bundle, if it has its own",
        )
    return ExchangeError(
        f"{where}: {detail}",
        retry=not isinstance(error, ProxyRefusedError),
        unreachable=connecting and _found_nobody(error),
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


def _found_nobody(error: Exception) -> bool:
    """Whether a failed connection failed at once: no such host, nobody listening, no network."""
    if isinstance(error, (socket.gaierror, ConnectionRefusedError)):
        return True
    return isinstance(error, OSError) and error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}


def _has_something(stream: Stream) -> bool:
    """Whether something came, or the end, that nobody asked for."""
    waiting = select.poll()
    waiting.register(stream.fileno(), select.POLLIN | select.POLLPRI)
    return bool(waiting.poll(0))


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

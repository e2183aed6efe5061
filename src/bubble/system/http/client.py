"""One worker's connection: a GET with our redirect policy, and errors that say what to do.

Nothing of the HTTP client leaves this module: callers see `Reply` and `ExchangeError`.
"""

from __future__ import annotations

import contextlib
import email.utils
import errno
import socket
import time
from urllib.parse import urlsplit

from bubble import __version__
from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.model.urls import scrub, shown
from bubble.system.http.address import REDIRECT_LIMIT, REDIRECTS, RedirectRefusedError, redirected
from bubble.system.http.exchange import ExchangeError
from bubble.system.http.kept_out import KeptOut
from bubble.system.http.login import login_for
from bubble.system.http.proxies import proxies_from
from bubble.system.http.trust import Trust, no_tls

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from typing import Any

    import httpx

    from bubble.system.http.settings import Settings
else:
    # httpx takes along what happens to be installed: its command line (click, rich, …: 50 ms)
    # and decoders of bodies that are never asked for
    with KeptOut("httpx._main", "brotli", "brotlicffi", "zstandard"):
        import httpx

    import httpcore

    # 64 KiB a read, and much ado about each: four times as much takes a sixth off the whole
    httpcore.HTTP11Connection.READ_NUM_BYTES = 256 * 1024

USER_AGENT = f"bubble/{__version__}"
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
RETRIED = frozenset({408, 425, 429})


class Reply:
    """The head of a response, and its body as raw bytes."""

    def __init__(self, response: httpx.Response, url: str) -> None:
        self._response = response
        self.url = url
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers

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
            yield from self._response.iter_raw()
        except httpx.HTTPError as error:
            raise _failure(error, self.url) from None


class Connection:
    """A client of one worker thread; `abort` may be called from any thread."""

    def __init__(self, env: Mapping[str, str], settings: Settings) -> None:
        self._env = env
        self._timeout = httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout)
        self._retry_after_limit = settings.retry_after_limit
        self._trust = Trust(env)
        self._clients: dict[str, httpx.Client] = {}
        self._sockets: list[socket.socket] = []

    @contextlib.contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[Reply]:
        """Send a GET, follow redirects, and yield the reply: 200, 206, 304 or 416.

        Raises ExchangeError for everything else.
        """
        response, final = self._follow(url, headers)
        try:
            self._check(response, final)
            yield Reply(response, final)
        finally:
            response.close()

    def abort(self) -> None:
        """Wake a thread that waits for the network: its call fails at once."""
        for sock in self._sockets:
            with contextlib.suppress(OSError, ValueError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._sockets.clear()

    def _follow(self, url: str, headers: Mapping[str, str]) -> tuple[httpx.Response, str]:
        for _ in range(REDIRECT_LIMIT + 1):
            response = self._send(url, headers)
            location = response.headers.get("location", "")
            if response.status_code not in REDIRECTS or not location:
                return response, url
            response.close()
            try:
                url = redirected(url, location)
            except RedirectRefusedError as error:
                raise ExchangeError(f"{shown(url)}: {error}", retry=False) from None
        raise ExchangeError(f"{shown(url)}: more than {REDIRECT_LIMIT} redirects", retry=False)

    def _send(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        try:
            return self._sent(url, headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if _UNTRUSTED not in str(error) or not self._trust.widen():
                raise _failure(error, url) from None
        self.close()
        try:
            return self._sent(url, headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _failure(error, url) from None

    def _sent(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        client = self._client(urlsplit(url).scheme)
        request = client.build_request(
            "GET", url, headers=headers, extensions={"trace": self._remember}
        )
        login = login_for(url, self._env)
        auth = httpx.BasicAuth(*login) if login else httpx.USE_CLIENT_DEFAULT
        return client.send(request, stream=True, auth=auth, follow_redirects=False)

    def _client(self, scheme: str) -> httpx.Client:
        client = self._clients.get(scheme)
        if client is None:
            proxies = proxies_from(self._env)
            secure = scheme == "https" or any(
                p and p.startswith("https:") for p in proxies.values()
            )
            context = self._trust.context() if secure else no_tls()
            client = self._clients[scheme] = httpx.Client(
                verify=context,
                timeout=self._timeout,
                trust_env=False,  # reads os.environ: `env` is asked instead, to the same effect
                mounts={pattern: _transport(p, context) for pattern, p in proxies.items()},
                headers={"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
            )
            client.cookies.jar.set_policy(_no_cookies())
        return client

    def _remember(self, name: str, info: dict[str, Any]) -> None:
        """Keep the sockets that are opened, for `abort` (the client's "trace" extension)."""
        if name.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._sockets.append(info["return_value"].get_extra_info("socket"))

    def _check(self, response: httpx.Response, url: str) -> None:
        status = response.status_code
        where = shown(url)
        if status in {200, 206, 304, 416}:
            encoding = response.headers.get("content-encoding", "identity").strip().lower()
            if encoding not in {"", "identity"}:
                raise ExchangeError(
                    f"{where}: the server sent it {printable(encoding)}-encoded, unasked",
                    retry=False,
                )
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if status in {200, 206} and kind in {"text/html", "application/xhtml+xml"}:
                raise ExchangeError(
                    f"{where}: the server sent a web page (a captive portal?), not the file",
                    retry=False,
                    hint="open a web page in a browser to log in to the network, then retry",
                )
            return
        message = f"{where}: the server answered {status}"
        if status in {401, 407}:
            raise _refused(status, where, response.request.headers)
        if status in RETRIED or status >= 500:
            after = _retry_after(response.headers.get("retry-after", ""))
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
    if isinstance(error, httpx.TimeoutException):
        what = "connecting" if isinstance(error, httpx.ConnectTimeout) else "reading"
        return ExchangeError(f"{where}: timed out while {what}", retry=True)
    detail = scrub(str(error)) or type(error).__name__
    # the client reads Location even when it isn't to follow it; what it quotes may hold secrets
    broken = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)
    if isinstance(error, broken) or "location header" in detail:
        return ExchangeError(
            f"{where}: a broken URL, or a redirect to one, is refused", retry=False
        )
    if isinstance(error, httpx.ProxyError) and detail.startswith("407"):
        return _refused(407, where, {})
    if _UNTRUSTED in detail:
        return ExchangeError(
            f"{where}: the server's certificate is not trusted: {detail}",
            retry=False,
            hint="set SSL_CERT_FILE to your network's certificate bundle, if it has its own",
        )
    return ExchangeError(
        f"{where}: {detail}",
        retry=not isinstance(error, httpx.ProxyError),
        unreachable=isinstance(error, httpx.ConnectError) and _found_nobody(error),
    )


def _refused(status: int, where: str, sent: Mapping[str, str]) -> ExchangeError:
    """Return the error for what asks for a name and a password: a server's 401, a proxy's 407."""
    if status == 407:
        message = f"{where}: the proxy wants a user name and a password (407), or others"
        hint = "put them into its variable: HTTPS_PROXY=http://NAME:PASSWORD@host:port"
    elif "authorization" in sent:
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
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0


def _transport(proxy: str | None, context: ssl.SSLContext) -> httpx.BaseTransport | None:
    if proxy is None:
        return None
    try:
        secure = proxy.startswith("https:")
        via = httpx.Proxy(proxy, ssl_context=context if secure else None)
        return httpx.HTTPTransport(verify=context, proxy=via)
    except (ValueError, httpx.InvalidURL):
        hint = "set HTTPS_PROXY, HTTP_PROXY and ALL_PROXY to http://host:port, or unset them"
    except ImportError:
        hint = (
            "SOCKS takes one more package: install bubble-python[socks] where bubble is; or name "
            "an HTTP proxy in HTTPS_PROXY and HTTP_PROXY, or the server in NO_PROXY"
        )
    return _Unusable(proxy, hint)


class _Unusable(httpx.BaseTransport):
    """Stands for a proxy that can't be used: only what has to go by it fails."""

    def __init__(self, proxy: str, hint: str) -> None:
        self._error = BubbleError(
            "usage", f"the proxy in the environment can't be used: {shown(proxy)}", hint=hint
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002 - httpx's
        """Fail."""
        raise self._error


def _no_cookies() -> Any:
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])

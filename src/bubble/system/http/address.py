"""URLs: which are accepted, where a redirect may lead, and how one is shown.

What is shown never holds a user name, a password or a query, which may hold a signature.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.model.urls import shown, split

DEFAULT_PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
REDIRECT_LIMIT = 10
_AS_THEY_ARE = "%!$&'()*+,/:;=@-._~[]"  # of a path or a query (RFC 3986, 3.3)
_OTHERWISE_TODAY = frozenset("\u00df\u03c2\u200c\u200d")  # IDNA 2008 has other hosts for these


class RedirectRefusedError(Exception):
    """A redirect leads where it must not; the message says where."""


def scheme_of(url: str) -> str:
    """Return `http`, `https` or `file`; raise BubbleError(usage) for any other or a broken URL."""
    parts = split(url)
    if parts is not None and parts.scheme in DEFAULT_PORTS and parts.hostname:
        return parts.scheme
    if parts is not None and parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return "file"
    raise BubbleError(
        "usage",
        f"not a URL that can be fetched: {shown(url)}",
        hint="use https://…, http://… or file:///…",
    )


def asked(url: str) -> tuple[str, int | None, str]:
    """Return what is asked of whom: the host and the port (None: the scheme's), path and query.

    In ASCII: hosts by IDNA 2003, else by percent signs. Raises ValueError for what can't be sent.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.isascii():
        if _OTHERWISE_TODAY.intersection(host):
            raise ValueError("write this host in its xn-- form")
        host = host.encode("idna").decode("ascii")
    target = quote(parts.path or "/", safe=_AS_THEY_ARE)
    if parts.query:
        target += "?" + quote(parts.query, safe=f"{_AS_THEY_ARE}?")
    target = re.sub("%(?![0-9A-Fa-f]{2})", "%25", target)
    return host, parts.port, target


def local_path(url: str) -> str:
    """Return the absolute path that a `file://` URL names (RFC 8089); raise BubbleError(usage)."""
    parts = urlsplit(url)
    path = unquote(parts.path, errors="surrogateescape")
    if not path.startswith("/") or "\0" in path or parts.query or parts.fragment:
        raise BubbleError(
            "usage",
            f"not a file's URL: {printable(url)}",
            hint="write file:///absolute/path, with ? and # as %3F and %23",
        )
    return path


def redirected(url: str, location: str) -> str:
    """Return the URL that a redirect from `url` to the header `location` leads to.

    Credentials in `url` go along only to the same origin; credentials in `location` are dropped.
    Raises RedirectRefusedError for https → http, for other schemes, and for what is no URL.
    """
    old = split(url)
    try:
        new = split(urljoin(url, location.strip()))
    except ValueError:
        new = None
    assert old is not None
    if new is None or new.scheme not in DEFAULT_PORTS or not new.hostname:
        target = "file://" if new is not None and new.scheme == "file" else shown(location)
        raise RedirectRefusedError(f"a redirect to {target} is refused")
    if old.scheme == "https" and new.scheme == "http":
        raise RedirectRefusedError("a redirect from https to http is refused")
    host = new.netloc.rpartition("@")[2]
    if origin(old) == origin(new) and "@" in old.netloc:
        host = f"{old.netloc.rpartition('@')[0]}@{host}"
    return urlunsplit((new.scheme, host, new.path, new.query, ""))


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """Return scheme, host and port (RFC 6454)."""
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return parts.scheme, (parts.hostname or "").lower(), port

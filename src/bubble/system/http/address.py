"""URLs: which are accepted, where a redirect may lead, and how one is shown.

What is shown never holds a user name, a password or a query, which may hold a signature.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from bubble.model.errors import BubbleError
from bubble.model.text import printable

DEFAULT_PORTS = {"http": 80, "https": 443}
REDIRECTS = frozenset({301, 302, 303, 307, 308})
REDIRECT_LIMIT = 10


class RedirectRefusedError(Exception):
    """A redirect leads where it must not; the message says where."""


def scheme_of(url: str) -> str:
    """Return `http`, `https` or `file`; raise BubbleError(usage) for any other or a broken URL."""
    parts = _split(url)
    if parts is not None and parts.scheme in DEFAULT_PORTS and parts.hostname:
        return parts.scheme
    if parts is not None and parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return "file"
    raise BubbleError(
        "usage",
        f"not a URL that can be fetched: {shown(url)}",
        hint="use https://…, http://… or file:///…",
    )


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


def shown(url: str) -> str:
    """Return `url` fit for a message: no user, password, query, fragment or control character."""
    parts = _split(url)
    if parts is None:
        return "a malformed URL"
    if parts.scheme == "file":
        return printable(f"file://{parts.path}")
    if "@" in parts.path:  # as in http://user:pa/ss@host, where the parser finds the host wrong
        return printable(f"{parts.scheme}://…{parts.path.rpartition('@')[2]}")
    host = parts.netloc.rpartition("@")[2]
    return printable(f"{parts.scheme}://{host}{parts.path}" if host else parts.path)


def scrub(text: str) -> str:
    """Return a message of a library without what looks like a user, password or query."""
    text = re.sub(r"//\S*@", "//", text)
    return printable(re.sub(r"\?[^\s'\"]*", "?…", text))


def redirected(url: str, location: str) -> str:
    """Return the URL that a redirect from `url` to the header `location` leads to.

    Credentials in `url` go along only to the same origin; credentials in `location` are dropped.
    Raises RedirectRefusedError for https → http, for other schemes, and for what is no URL.
    """
    old = _split(url)
    try:
        new = _split(urljoin(url, location.strip()))
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


def _split(url: str) -> SplitResult | None:
    """Return the parts, or None for what is no URL (a port that is no number, a broken IPv6)."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 -- reading it is what checks it
    except ValueError:
        return None
    return parts

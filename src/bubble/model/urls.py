"""URLs without their secrets: how one is shown, and how one is written down for others.

What is shown never holds a user name, a password or a query, which may hold a signature.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from bubble.model.text import printable


def shown(url: str) -> str:
    """Return `url` fit for a message: no user, password, query, fragment or control character."""
    parts = split(url)
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


def published(url: str) -> tuple[str, bool]:
    """Return a requirement's URL without what could be a secret, and whether something was.

    A user's name alone stays for ssh (`git@`), and `${VARIABLE}`s stay (PEP 610).
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", True
    user, at, host = parts.netloc.rpartition("@")
    harmless = (parts.scheme.endswith("ssh") and ":" not in user) or all(
        word.startswith("${") and word.endswith("}") for word in user.split(":")
    )
    hidden = bool((at and not harmless) or parts.query)
    netloc = parts.netloc if harmless else host
    return urlunsplit((parts.scheme, netloc, parts.path, "", "")), hidden


def split(url: str) -> SplitResult | None:
    """Return a URL's parts, or None for what is no URL (a broken port or IPv6)."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 -- reading it is what checks it
    except ValueError:
        return None
    return parts

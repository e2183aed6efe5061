"""The user name and password for a server: of its URL, or from the user's netrc file."""

from __future__ import annotations

import base64
import os
from urllib.parse import unquote, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def basic(login: tuple[str, str]) -> str:
    """Return what Authorization holds for a user name and a password (RFC 7617)."""
    return "Basic " + base64.b64encode(":".join(login).encode()).decode("ascii")


def login_of(url: str) -> tuple[str, str] | None:
    """Return the user name and password that a URL itself has."""
    parts = urlsplit(url)
    if not (parts.username or parts.password):
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


def login_for(url: str, env: Mapping[str, str]) -> tuple[str, str] | None:
    """Return what NETRC's file, else `~/.netrc`, has for the host of a URL without a user name.

    Its `default` entry isn't used: it would go to whoever serves a download. A file that can't be
    read says nothing.
    """
    parts = urlsplit(url)
    path = env.get("NETRC") or (f"{env['HOME']}/.netrc" if env.get("HOME") else "")
    if parts.username is not None or not parts.hostname or not os.path.isfile(path):
        return None
    import netrc

    try:
        found = netrc.netrc(path).hosts.get(parts.hostname)
    except (netrc.NetrcParseError, OSError, ValueError):
        return None
    return (found[0], found[2]) if found and found[2] else None

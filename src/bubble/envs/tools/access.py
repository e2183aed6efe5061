"""Credentials for the servers of a lock, which never holds any: found where somebody gave them.

Installers take those of their own configuration; of an index that a project's files name they know
when they resolve, and not when a lock is installed, where no index is asked. They are handed over
for the servers that a lock names and for nothing else: to authenticate, never as an index.
"""

from __future__ import annotations

import os
import re

from bubble.model.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_URL = re.compile(r"\b(https?://)([^\s/@\"'<>\\]+)@([^\s/@\"'<>\\?#]+)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")  # as pip and uv know them
# uv says a server's own words behind the number, pip its own
_REFUSED = re.compile(
    r"client error \(40[13]\b|\b40[13] (?:Unauthorized|Forbidden|Error\b|Client Error)",
    re.IGNORECASE,
)
_PIPS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")


class Access(Record):
    """What a server wants to know: its address (`https://HOST:PORT/`), the user, the password."""

    server: str
    user: str
    password: str

    def reaches(self, url: str) -> bool:
        """Whether this is for an address."""
        return url.lower().startswith(self.server)


MEND = (
    "give credentials for it: in ~/.netrc, pip's configuration, a keyring, or uv's "
    "UV_INDEX_NAME_USERNAME and UV_INDEX_NAME_PASSWORD"
)


def is_refused(said: str) -> bool:
    """Whether an installer says that a server wants credentials, or other ones."""
    return _REFUSED.search(said) is not None


def found_in(texts: Iterable[str], env: Mapping[str, str]) -> list[Access]:
    """Return the credentials that stand in addresses, in some texts; `${VARIABLE}`s are `env`'s."""
    from urllib.parse import unquote

    found = []
    for text in texts:
        for scheme, userinfo, host in _URL.findall(text):
            said = _VARIABLE.sub(lambda match: env.get(match[1], match[0]), userinfo)
            user, _, password = said.partition(":")
            if "${" not in said:
                server = f"{scheme}{host}/".lower()
                found.append(Access(server=server, user=unquote(user), password=unquote(password)))
    return found


def of_pip(env: Mapping[str, str]) -> list[Access]:
    """Return the credentials of pip's configuration, as its variables say it."""
    return found_in((env.get(name, "") for name in _PIPS), {})


def of_uv_indexes(indexes: object, env: Mapping[str, str]) -> list[Access]:
    """Return the credentials that uv's variables have for the indexes that a file names (TOML)."""
    from urllib.parse import urlsplit

    found = []
    for index in indexes if isinstance(indexes, list) else ():
        if not isinstance(index, dict):
            continue
        name = re.sub(r"[^A-Z0-9]", "_", str(index.get("name", "")).upper())
        said = [env.get(f"UV_INDEX_{name}_{what}", "") for what in ("USERNAME", "PASSWORD")]
        parts = urlsplit(str(index.get("url", "")))
        if name and any(said) and parts.scheme in {"http", "https"}:
            server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/".lower()
            found.append(Access(server=server, user=said[0], password=said[1]))
    return found


def wanted(accesses: Iterable[Access], text: str) -> tuple[Access, ...]:
    """Return those for servers that a lock's text names, one a server."""
    lowered = text.lower()
    first = {one.server: one for one in reversed(list(accesses)) if one.server in lowered}
    return tuple(first.values())


def tell_uv(accesses: Iterable[Access], directory: str) -> dict[str, str]:
    """Return variables that let uv in; writes what names the servers into a new `directory`.

    uv takes credentials for a server from an index's; an `explicit` one is never looked into.
    """
    variables: dict[str, str] = {}
    lines: list[str] = []
    for number, access in enumerate(accesses):
        lines += ["[[index]]", f'name = "bubble-{number}"', f'url = "{access.server}"']
        lines += ["explicit = true"]
        name = f"UV_INDEX_BUBBLE_{number}"
        variables |= {f"{name}_USERNAME": access.user, f"{name}_PASSWORD": access.password}
    if not variables:
        return {}
    os.mkdir(directory)
    with open(f"{directory}/uv.toml", "x", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return {**variables, "UV_PROJECT": directory}


def with_access(url: str, accesses: Iterable[Access]) -> str:
    """Return an address with the credentials for its server."""
    from urllib.parse import quote

    for one in accesses:
        if one.reaches(url):
            said = ":".join(quote(part, safe="") for part in (one.user, one.password) if part)
            return f"{one.server.partition('//')[0]}//{said}@{url.partition('//')[2]}"
    return url

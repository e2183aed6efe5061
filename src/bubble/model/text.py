"""Text from outside, made fit to be shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Configured(str):
    """A variable's value that the user's configuration file says, not the environment itself."""

    __slots__ = ()


def printable(text: str, limit: int = 200) -> str:
    """Return `text` with control characters and surrogates escaped, cut to `limit` characters.

    For everything that a message quotes from a file, an archive, a server or the command line:
    no terminal escape sequence, newline or undecodable byte gets through raw.
    """
    shown = text if len(text) <= limit else text[:limit] + "…"
    if shown.isprintable():
        return shown
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode("ascii")
        for c in shown
    )


def shell_word(text: str) -> str:
    """Return a path or a name as a command line in a message has it: `printable`, and one word."""
    import shlex  # lazily: an everyday command says none

    return shlex.quote(printable(text, 4096))


def size(count: float) -> str:
    """Return a number of bytes as people read it: `512 B`, `1.4 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError


def without_userinfo(text: str) -> str:
    """Return a message with the user and password of every URL in it taken out."""
    head, *others = text.split("://")
    for part in others:
        words = part.split(maxsplit=1)
        authority = words[0].partition("/")[0] if words else ""
        if "@" in authority and part.startswith(authority):
            part = "****@" + authority.rpartition("@")[2] + part[len(authority) :]  # noqa: PLW2901 - as it is shown
        head += f"://{part}"
    return head


def few(texts: Iterable[str], shown: int = 5) -> str:
    """Return the first of some texts in one line, fit to be shown, and how many more there are."""
    each = [printable(one, 300) for one in dict.fromkeys(texts)]
    more = f" and {len(each) - shown} more" if each[shown:] else ""
    return ", ".join(each[:shown]) + more

"""The manifest of what was taken over: `bubble.toml`, or `[tool.bubble]` in a pyproject.toml.

In a pyproject.toml nothing else changes, neither order nor comments. What has no place stands in
comments, so that it is still known when the first command's words are long gone.
"""

from __future__ import annotations

from bubble.model.text import printable, without_userinfo
from bubble.projects.manifest import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bubble.projects.exchange.taken import Held, Left, Taken

_KEYS = ("extends", "project", "extras", "groups", "requirements", "dependencies", "constraints")
_WIDE = 96  # columns


def render(taken: Taken, source: str) -> str:
    """Return the text of a `bubble.toml`; `source` is the file's name that it was taken from."""
    import tomlkit

    document = tomlkit.document()
    for line in comments(taken, source):
        document.add(tomlkit.comment(line) if line else tomlkit.nl())
    _fill(document, taken)
    text: str = tomlkit.dumps(document)
    return text


def merge(text: str, taken: Taken, source: str) -> str:
    """Return a pyproject.toml's text with `[tool.bubble]` in it, in the place of another."""
    import tomlkit

    document = tomlkit.parse(text)
    tool: Any = document.get("tool")
    if tool is None:
        tool = tomlkit.table(is_super_table=True)
        document["tool"] = tool
    elif "bubble" in tool:
        del tool["bubble"]
    inner = tomlkit.table()
    for line in comments(taken, source):
        if line:
            inner.add(tomlkit.comment(line))
    _fill(inner, taken)
    tool["bubble"] = inner
    merged: str = tomlkit.dumps(document)
    return merged


def comments(taken: Taken, source: str) -> list[str]:
    """Return the lines of the comment at the manifest's head."""
    lines = [f"Taken over from {printable(source, 80)} by bubble import."]
    for why, what in grouped(taken.left):
        lines += _wrapped(f"Left out: {', '.join(what)} ({why}).")
    for note in taken.notes:
        lines += _wrapped(f"Note: {note}.")
    # nothing of a file gets into the comment that could end it, or that is a secret
    return [*(without_userinfo(printable(line, 1000)) for line in lines), ""]


def grouped(left: Sequence[Left]) -> list[tuple[str, list[str]]]:
    """Return what was left out by why, in the order in which it came."""
    found: dict[str, list[str]] = {}
    for one in left:
        place = f" (line {one.line})" if one.line else ""
        found.setdefault(one.why, []).append(f"{one.what}{place}")
    return list(found.items())


def _fill(table: Any, taken: Taken) -> None:
    import tomlkit

    if taken.python:
        table.add("python", taken.python)
    bubbles = tomlkit.table(is_super_table=True)
    for held in taken.bubbles:
        if held.name == DEFAULT or _pairs(held):
            one = tomlkit.table()
            for key, value in _pairs(held):
                one.add(key, value if isinstance(value, str) else _array(value))
            bubbles.add(held.name, one)
    table.add("bubbles", bubbles)


def _pairs(held: Held) -> list[tuple[str, str | tuple[str, ...]]]:
    return [(key, value) for key in _KEYS if (value := getattr(held, key))]


def _array(values: Sequence[str]) -> Any:
    import tomlkit

    array = tomlkit.array()
    for value in values:
        array.append(value)
    short = sum(len(value) + 4 for value in values) < _WIDE - 20
    return array.multiline(multiline=not short)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(
        " ".join(text.split()), _WIDE, break_long_words=False, break_on_hyphens=False,
        subsequent_indent="  ",
    )  # fmt: skip

"""The text of a requirements file as pip reads it: decoded, joined, its options told apart.

The format is that of pip's `req_file.py` and of its documentation. Nothing is expanded or opened.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
# options that name something, and how short pip lets the long ones be
_SHORT = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
}
_LONG = (("--requirement", 10), ("--constraint", 6))


def decoded(data: bytes) -> str:
    """Return a file's text as pip decodes it; bytes that are none stay what they are."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    for head in data.split(b"\n", 2)[:2]:
        match = _CODING.search(head) if head.startswith(b"#") else None
        if match:
            try:
                return data.decode(match[1].decode("ascii"), "replace")
            except (LookupError, UnicodeError):
                break
    return data.decode("utf-8", "surrogateescape")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, whichever ends they have."""
    return _LINE_ENDS.split(text)


def logical_lines(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, from 1: joined over backslashes, without comment and blanks.

    A line that has nothing else is "".
    """
    first, held = 0, list[str]()
    for number, raw in enumerate(lines, 1):
        comment = raw.lstrip().startswith("#")
        first = first or number
        if raw.endswith("\\") and not comment:
            held.append(raw.rstrip("\\"))
            continue
        yield first, _uncommented("".join([*held, " " if comment else "", raw]))
        first, held = 0, []
    if held:
        yield first, _uncommented("".join(held))


def option_of(line: str) -> tuple[str, str]:
    """Return the option that a logical line is, by its long name, and its value, quotes and all.

    ("", "") for a requirement.
    """
    if not line.startswith("-"):
        return "", ""
    if not line.startswith("--"):
        return _SHORT.get(line[:2], line[:2]), line[2:].strip().removeprefix("=").strip()
    word, _, value = line.replace("\t", " ").replace("=", " ", 1).partition(" ")
    for long, shortest in _LONG:
        if len(word) >= shortest and long.startswith(word):
            word = long
    return word, value.strip()


def unquoted(value: str) -> str:
    """Return an option's value without the quotes that pip and uv take from it."""
    value = value.strip()
    if value[:1] in {'"', "'"} and value.find(value[0], 1) > 0:
        return value[1 : value.find(value[0], 1)]
    return value.replace("\\ ", " ")


def _uncommented(text: str) -> str:
    """Return a line up to its comment, which begins it or follows a blank."""
    at = text.find("#")
    while at > 0 and not text[at - 1].isspace():
        at = text.find("#", at + 1)
    return (text if at < 0 else text[:at]).strip()

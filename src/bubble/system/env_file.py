"""Files of variables (`.env`): NAME=VALUE lines, read as they are and never by themselves.

Blank lines, `#` lines and `export` before a name are passed over. A value in single quotes is what
is written; in double quotes a backslash stands before what it makes plain, or n, r or t; without
quotes a value ends at a ` #`. Nothing is put in for a `$NAME`, and no command is run.
"""

from __future__ import annotations

import re

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system.version_file import read_regular

_LARGEST = 1 << 18  # bytes
_LINE = re.compile(
    r"""[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*"""
    r"""(?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<plain>[^'"\n][^\n]*|))"""
    r"""[ \t]*(?:#[^\n]*)?(?:\n|\Z)""",
    re.DOTALL,
)
_EMPTY = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "t": "\t", "r": "\r"}


def read_env_file(path: str) -> dict[str, str]:
    """Return the variables that a file says; the last line of a name counts.

    Raises BubbleError(usage) for what isn't there, is no such file, or sets one of bubble's own
    variables: these are said on the command line.
    """
    try:
        data = read_regular(path, _LARGEST)
    except BubbleError as error:
        raise BubbleError("usage", error.message, hint="check the file") from None
    if data is None:
        raise BubbleError(
            "usage", f"there is no file {printable(path, 500)}", hint="check the path"
        )
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _wrong(path, "it is not UTF-8 text") from None
    if "\0" in text:
        raise _wrong(path, "it has a NUL in it")
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        if empty := _EMPTY.match(text, at):
            at = max(empty.end(), at + 1)
            continue
        line = _LINE.match(text, at)
        if line is None:
            raise _wrong(path, f"line {text.count(chr(10), 0, at) + 1} isn't NAME=VALUE")
        if line["name"].startswith("BUBBLE_"):
            raise _wrong(path, f"{line['name']} is a setting of bubble itself")
        found[line["name"]] = _value(line)
        at = line.end()
    return found


def _value(line: re.Match[str]) -> str:
    if line["single"] is not None:
        return line["single"]
    if line["double"] is not None:
        return _ESCAPE.sub(lambda m: _MEANT.get(m[1], m[1]), line["double"])
    return re.split(r"(?:^|[ \t])#", line["plain"], maxsplit=1)[0].strip()


def _wrong(path: str, why: str) -> BubbleError:
    return BubbleError(
        "usage",
        f"{printable(path, 500)} can't be used: {why}",
        hint="a line is NAME=VALUE, 'VALUE' or \"VALUE\"; # begins a comment",
    )

"""On which line of a TOML document each key stands, which `tomllib` doesn't tell.

For messages alone: it reads only what `tomllib` has found valid, and decides nothing.
"""

from __future__ import annotations

import bisect
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Keys = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\n,]|#[^\n]*)*")  # statements, or elements
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
# of the quotes at the end of a string over several lines, two may be its own
_VALUE = re.compile(
    r'"""(?:\\.|(?!""")[^\\])*"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:\'{0,2})|' + _QUOTED.pattern + r"|"
    r"[^,\]}#\n]+",
    re.DOTALL,
)


def lines_of(text: str) -> Mapping[Keys, int]:
    """Return the line (from 1) of each key and array element of a valid TOML document.

    A key's path has the names of the tables that it is in, and for an element of an array (of
    tables, too) its number from 0: `("bubbles", "train", "groups", 0)`. A table that several
    headers make has the line of the first of them.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.ends = [match.start() for match in re.finditer("\n", text)]
        self.found: dict[Keys, int] = {}
        self.counts: dict[Keys, int] = {}  # arrays of tables, and how many they have by now

    def scan(self) -> Mapping[Keys, int]:
        table: Keys = ()
        while self.skip(_BETWEEN) < len(self.text):
            if self.text.startswith("[", self.at):
                table = self.header()
            else:
                self.entry(table)
        return self.found

    def skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        assert match is not None, "the document isn't valid"
        self.at = match.end()
        return self.at

    def record(self, keys: Keys) -> None:
        if keys not in self.found:
            self.found[keys] = bisect.bisect_left(self.ends, self.at) + 1

    def header(self) -> Keys:
        """Read `[a.b]` or `[[a.b]]`; return the path of what follows it."""
        several = self.text.startswith("[[", self.at)
        self.at += 1 + several
        table: Keys = ()
        names = self.names()
        for number, name in enumerate(names):
            table += (name,)
            self.record(table)
            if several and number == len(names) - 1:
                self.counts[table] = self.counts.get(table, -1) + 1
            if table in self.counts:
                table += (self.counts[table],)
                self.record(table)
        self.at += 1 + several
        return table

    def names(self) -> list[str]:
        """Read the parts of a key, up to behind the last one and its blanks."""
        names = []
        while True:
            self.skip(_BLANK)
            start = self.at
            quoted = self.text[start] in "\"'"
            word = self.text[start : self.skip(_QUOTED if quoted else _BARE)]
            names.append(_unquoted(word) if quoted else word)
            self.skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def entry(self, table: Keys) -> None:
        """Read `key = value`, with all that the value holds."""
        value = self.key(table)
        held: list[tuple[Keys, int]] = []  # what is open; an array's next number, a table's -1
        while True:
            opening = self.text[self.at]
            if opening in "[{":
                held.append((value, 0 if opening == "[" else -1))
                self.at += 1
            else:
                self.skip(_VALUE)
            while held and self.text[self.skip(_BETWEEN)] in "]}":
                held.pop()
                self.at += 1
            if not held:
                return
            above, number = held[-1]
            if number < 0:
                value = self.key(above)
            else:
                held[-1] = (above, number + 1)
                value = (*above, number)
                self.record(value)

    def key(self, table: Keys) -> Keys:
        """Read `key =`, dotted or not; return the path of its value."""
        line = self.at
        keys = (*table, *self.names())
        after, self.at = self.at, line
        for length in range(len(table) + 1, len(keys) + 1):
            self.record(keys[:length])
        self.at = after + 1  # behind the equals sign
        self.skip(_BLANK)
        return keys


def _unquoted(word: str) -> str:
    import tomllib

    name = tomllib.loads(f"name = {word}")["name"]
    assert isinstance(name, str)
    return name

"""A TOML file of a project, with the place of everything in it for messages."""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.version_file import parse_toml, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bubble.projects.checks import Wrong
    from bubble.projects.lines import Keys

LARGEST = 1 << 20  # bytes of a manifest
_PLACE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)")
DESCRIBED = "the keys are described in docs/projects.md"
_KEPT = 50
_read: dict[str, Document] = {}  # by path, as they were: one command reads the same file often


class Document(Record):
    """What a TOML file holds; `path` is absolute, `text` what was parsed."""

    path: str
    text: str
    entries: Mapping[str, object]

    def line(self, keys: Sequence[str | int]) -> int:
        """Return the line of a key, or of the nearest table that holds it; 0 for none of them."""
        from bubble.projects.lines import lines_of

        lines = lines_of(self.text)
        return next(
            (lines[k] for n in range(len(keys), 0, -1) if (k := tuple(keys[:n])) in lines), 0
        )

    def wrong(self, keys: Keys, what: str, *, hint: str = "") -> BubbleError:
        """Return the error that says where something stands, and what is wrong with it."""
        return wrong_at(self.path, self.line(keys), shown(keys), what, hint=hint)

    @property
    def table(self) -> Table:
        """The document's own keys."""
        return Table(document=self, keys=(), entries=self.entries)


class Table(Record):
    """A table of a document, by the path of keys that leads to it; its values are checked here.

    Every method raises BubbleError(manifest), with file and line, for a value of another type.
    """

    document: Document
    keys: tuple[str | int, ...]
    entries: Mapping[str, object]

    def wrong(self, key: str, what: str, *, hint: str = "", index: int = -1) -> BubbleError:
        """Return the error about one key of this table, or one element of its list."""
        keys = (*self.keys, key) if key else self.keys
        return self.document.wrong((*keys, index) if index >= 0 else keys, what, hint=hint)

    def at(self, key: str, index: int = -1) -> Wrong:
        """Return what makes the error about a key or element, for who checks its text."""
        return lambda what, hint: self.wrong(key, what, hint=hint, index=index)

    def known(self, keys: Collection[str]) -> None:
        """Raise for a key that isn't one of `keys`."""
        for key in self.entries:
            if key not in keys:
                import difflib

                close = difflib.get_close_matches(key, sorted(keys), 1)
                raise self.wrong(
                    key,
                    "is no key that bubble knows",
                    hint=f"did you mean: {close[0]}"
                    if close
                    else f"known: {', '.join(sorted(keys))}",
                )

    def table(self, key: str) -> Table:
        """Return the table at a key, an empty one where there is none."""
        value = self.entries.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"is {_kind(value)}, and a table is needed", hint=DESCRIBED)
        return Table(document=self.document, keys=(*self.keys, key), entries=value)

    def string(self, key: str) -> str:
        """Return the text at a key, "" where there is none; an empty one is an error."""
        value = self.entries.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            hint = f'put it in quotes: {key} = "{value}"' if number else DESCRIBED
            if isinstance(value, float):  # 3.10 is 3.1 by now
                hint = f"put it in quotes: {key} = “…”; without, 3.10 is the number 3.1"
            raise self.wrong(key, f"is {_kind(value)}, and a text in quotes is needed", hint=hint)
        if not value.strip():
            raise self.wrong(key, "is empty", hint=f"leave out {printable(key, 40)}")
        return value.strip()

    def strings(self, key: str) -> tuple[str, ...]:
        """Return the texts of the list at a key, none where there is none."""
        value = self.entries.get(key, [])
        if not isinstance(value, list):
            hint = f'write it as a list: {key} = ["…"]' if isinstance(value, str) else DESCRIBED
            raise self.wrong(key, f"is {_kind(value)}, and a list of texts is needed", hint=hint)
        for index, item in enumerate(value):
            if not isinstance(item, str):
                what = f"is {_kind(item)}, and a text in quotes is needed"
                raise self.wrong(key, what, hint=DESCRIBED, index=index)
            if not item.strip():
                raise self.wrong(key, "is empty", hint="take it out", index=index)
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Return the truth value at a key, False where there is none."""
        value = self.entries.get(key, False)
        if not isinstance(value, bool):
            hint = f"without quotes: {key} = true"
            raise self.wrong(key, f"is {_kind(value)}, and true or false is needed", hint=hint)
        return value


def read_document(path: str) -> Document | None:
    """Return the TOML file at `path` (absolute); None where nothing is there.

    Raises BubbleError(manifest), with the line where there is one, for what is no such file.
    """
    try:
        data = read_regular(path, LARGEST)
    except BubbleError as error:
        raise BubbleError("manifest", error.message, hint="mend the file") from None
    if data is None:
        if os.path.isdir(path):
            raise wrong_at(path, 0, "", "is a directory", hint="move it away, or rename it")
        return None
    return parse_document(path, data)


def parse_document(path: str, data: bytes) -> Document:
    """Return what a file's bytes say; `path` is for messages. Raises BubbleError(manifest)."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as UTF-8"
        raise wrong_at(path, line, "", "is no UTF-8 text", hint=hint) from None
    text = text.removeprefix("\ufeff")
    if path in _read and _read[path].text == text:
        return _read[path]
    try:
        values = parse_toml(path, data)
    except BubbleError as error:
        match = _PLACE.search(error.message)
        if match is None:
            raise BubbleError("manifest", error.message, hint="mend the file") from None
        line = int(match[1]) if match[1] else text.rstrip("\n").count("\n") + 1
        reason = _PLACE.sub("", error.message).rpartition("it is not TOML ")[2].strip("()")
        raise wrong_at(path, line, "", f"is not TOML: {reason}", hint="mend it") from None
    if len(_read) > _KEPT:
        _read.clear()
    _read[path] = document = Document(path=path, text=text, entries=values)
    return document


def wrong_at(path: str, line: int, key: str, what: str, *, hint: str) -> BubbleError:
    """Return the error about a key of a file; `line` is 0, and `key` "", for the whole of it."""
    place = f"{printable(path, 500)}, line {line}" if line else printable(path, 500)
    return BubbleError(
        "manifest",
        f"{place}: {key} {what}".replace(f"{key} : ", f"{key}: ") if key else f"{place} {what}",
        hint=hint or DESCRIBED,
        details={"path": printable(path, 500), "line": line, "key": key},
    )


def shown(keys: Sequence[str | int]) -> str:
    """Return the path of a key as a message names it: `bubbles.train.groups[0]`."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f"{'.' * bool(text)}{printable(key, 80)}"
    return printable(text, 200)


def _kind(value: object) -> str:
    """Return what a value of TOML is, in a word."""
    match value:
        case bool():
            return "true or false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a date or time"

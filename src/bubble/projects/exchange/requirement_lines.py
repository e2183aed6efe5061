"""The lines of a requirements file, understood as pip does, and nothing of them acted upon.

Grammar: pip's documentation, "requirements file format"; requirements are PEP 508's.
"""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.requirement_text import (
    decoded,
    lines_of,
    logical_lines,
    option_of,
    unquoted,
)
from bubble.model.text import printable
from bubble.projects.exchange.texts import inside, read_bytes, unusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

_LARGEST = 8 << 20  # bytes of one file: a thousand packages with all their hashes have 2 MB
_MOST = 50  # files that name each other
_HASH = re.compile(r"\s--hash[=\s]\s*([a-z0-9]+:[0-9A-Fa-f]+)(?=\s|$)")
_ARCHIVES = (".whl", ".tar.gz", ".zip")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)(\[[^\]]*\])?")


class Line(Record):
    """One logical line: an option with its value, or a requirement.

    `file` is the absolute path that it stands in, `number` its first line there (from 1), `text`
    the whole. `hashes` are "sha256:…"; `required` is "" for what isn't PEP 508 (a path, a URL).
    """

    file: str
    number: int
    text: str
    option: str = ""
    value: str = ""
    required: str = ""
    hashes: tuple[str, ...] = ()

    def requirement(self) -> Requirement:
        """Return the requirement, parsed; only where `required` says one."""
        from packaging.requirements import Requirement

        return Requirement(self.required)


class Lines(Record):
    """All lines of a file and of those that it names by `-r`; `unread` are those that weren't."""

    lines: tuple[Line, ...]
    constraints: tuple[Line, ...]
    unread: tuple[Line, ...]


def read_lines(path: str, root: str) -> Lines:
    """Read a requirements file (absolute), and those that it names below `root`.

    What it names elsewhere, on the web too, isn't read. Raises BubbleError(usage).
    """
    found: list[Line] = []
    constraints: list[Line] = []
    unread: list[Line] = []
    waiting = [(path, False)]
    seen = {path}
    while waiting:
        file, constrains = waiting.pop(0)
        for line in parse_lines(_text(file), file):
            if line.option not in {"--requirement", "--constraint"}:
                (constraints if constrains else found).append(line)
                continue
            try:
                below = f"{root}/{inside(root, os.path.dirname(file), line.value)}"
            except ValueError:
                unread.append(line)
                continue
            if not os.path.isfile(below):
                raise unusable(
                    path,
                    f"line {line.number} names {printable(line.value, 200)}, which isn't there",
                )
            if below not in seen:
                seen.add(below)
                waiting.append((below, constrains or line.option == "--constraint"))
            if len(seen) > _MOST:
                raise unusable(path, f"it leads to more than {_MOST} files")
    return Lines(lines=tuple(found), constraints=tuple(constraints), unread=tuple(unread))


def _text(path: str) -> str:
    text = decoded(read_bytes(path, _LARGEST))
    if "\0" in text:
        raise unusable(path, "it has zero bytes")
    if not text.isascii() and text.encode("utf-8", "replace").decode() != text:
        raise unusable(path, "it is not UTF-8 text")
    return text


def parse_lines(text: str, file: str) -> Iterator[Line]:
    """Yield the logical lines of a requirements file's text; `file` is for `Line`.

    Raises BubbleError(usage) for a line that is neither an option nor a requirement.
    """
    for number, whole in logical_lines(lines_of(text)):
        if whole:
            yield parse_line(whole, number, file)


def parse_line(text: str, number: int, file: str) -> Line:
    """Return one logical line, understood; raise BubbleError(usage)."""
    option, value = option_of(text)
    if option:
        return Line(file=file, number=number, text=text, option=option, value=unquoted(value))
    hashes = tuple(_HASH.findall(text))
    bare = re.split(r"\s--[a-z]", text)[0].strip()
    return Line(
        file=file,
        number=number,
        text=text,
        required=_required(bare, number, file),
        value=bare,
        hashes=hashes,
    )


def _required(text: str, number: int, file: str) -> str:
    """Return a requirement as PEP 508 has it; "" for a path or a URL without a name."""
    from packaging.requirements import Requirement

    if re.match(r"[a-z+]+://|git\+|hg\+|svn\+|bzr\+", text):
        named = _EGG.search(text)
        if not named:
            return ""
        url = re.sub(r"[#&]egg=[^&\s;]*", "", text.partition(";")[0].strip()).rstrip("#")
        marker = text.partition(";")[2].strip()
        text = f"{named[1]}{named[2] or ''} @ {url}" + (f" ; {marker}" if marker else "")
    elif "@" not in text and (text.startswith((".", "/")) or text.endswith(_ARCHIVES)):
        return ""
    try:
        return str(Requirement(text))
    except ValueError:
        raise BubbleError(
            "usage",
            f"{printable(file, 500)}, line {number}: “{shown(text)}” is no requirement",
            hint="mend the line, and import it again",
        ) from None


def shown(text: str) -> str:
    """Return a line fit for a message: without credentials, on one line."""
    from bubble.model.text import without_userinfo

    return printable(without_userinfo(text), 120)

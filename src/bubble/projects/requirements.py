"""Requirement files as pip reads them, as far as it says what they lead to.

Nothing is expanded, fetched or run. What a line asks for is the resolver's business.
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
from bubble.model.text import printable, without_userinfo
from bubble.system.version_file import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.projects.checks import Wrong

_LARGEST = 8 << 20  # bytes of one file
_MOST = 200  # files that one bubble may lead to
_MOST_LINES = 200_000  # of one file, and of all that a bubble leads to
_MOST_BYTES = 16 << 20  # of all of them
_FILES = {"--requirement": "-r", "--constraint": "-c"}  # the options that name a file
_ROOT = "${PROJECT_ROOT}"  # uv's, and the one variable that is the same everywhere
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar")


class Line(Record):
    """One line of a requirements file, joined and without comment; `number` is its first's.

    `option` is "-r" or "-c" for one that names another file, `names` its absolute path; `names`
    is what a local requirement lies at, for one without. Both are "" for other lines.
    """

    text: str
    number: int
    option: str = ""
    names: str = ""


class File(Record):
    """A requirements file: its absolute path, what stands in it, and its bytes."""

    path: str
    lines: tuple[Line, ...]
    size: int = 0


def read_requirements(
    path: str, root: str, files: dict[str, File], missing: Wrong | None = None
) -> None:
    """Read a file (absolute) and all that it leads to into `files`, by path, each once.

    `root` is the project's directory, which relative requirements are relative to. `missing` makes
    the error where the file itself isn't there. Raises BubbleError(manifest), with file and line,
    for what can't be read.
    """
    waiting = [(path, missing)]
    while waiting:
        path, missing = waiting.pop(0)
        if path in files:
            continue
        if len(files) == _MOST:
            what = f"the requirements lead to more than {_MOST} files"
            raise BubbleError("manifest", what, hint="name fewer of them")
        files[path] = file = _read(path, root, missing)
        if sum(len(each.lines) for each in files.values()) > _MOST_LINES:
            what = f"the requirements lead to more than {_MOST_LINES} lines"
            raise BubbleError("manifest", what, hint="name shorter files")
        if sum(each.size for each in files.values()) > _MOST_BYTES:
            what = f"the requirements lead to more than {_MOST_BYTES >> 20} MiB"
            raise BubbleError("manifest", what, hint="name shorter files")
        named = [line for line in file.lines if line.option and line.names]
        waiting += [(line.names, _missing(path, line)) for line in named]


def _missing(path: str, line: Line) -> Wrong:
    def wrong(what: str, hint: str) -> BubbleError:
        place = f"{printable(path, 500)}, line {line.number}"
        return BubbleError("manifest", f"{place}: {line.option} {what}", hint=hint)

    return wrong


def _read(path: str, root: str, missing: Wrong | None) -> File:
    try:
        data = read_regular(path, _LARGEST)
    except BubbleError as error:
        raise BubbleError("manifest", error.message, hint="mend the file") from None
    if data is None:
        is_directory = os.path.isdir(path)
        what = f"names {printable(path, 500)}, which " + (
            "is a directory" if is_directory else "isn't there"
        )
        hint = "check the path, or take it out"
        raise missing(what, hint) if missing else BubbleError("manifest", what, hint=hint)
    lines = [_line(path, root, number, text) for number, text in _joined(path, decoded(data))]
    return File(path=path, lines=tuple(line for line in lines if line.text), size=len(data))


def _joined(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield each logical line with its number."""
    lines = lines_of(text)
    if len(lines) > _MOST_LINES:
        what = f"{printable(path, 500)} has more than {_MOST_LINES} lines"
        raise BubbleError("manifest", what, hint="name a shorter file")
    yield from logical_lines(lines)


def _line(path: str, root: str, number: int, text: str) -> Line:
    plain = Line(text=text, number=number)
    option, value = option_of(text)
    short = _FILES.get(option)
    if short:
        return _named(path, root, plain.replace(option=short), value)
    return plain.replace(names=_local(root, text))


def _named(path: str, root: str, line: Line, value: str) -> Line:
    """Return a `-r` or `-c` line with the file that it names, relative to the one it is in."""
    name = unquoted(value).replace(_ROOT, root)
    if "${" in name:
        what = f"names {printable(name, 200)}: which file that is, no other machine would know"
        raise _missing(path, line)(what, "write the file's name")
    if name.startswith("file:"):
        name = _path_of(name)
    if "://" in name:  # fetched by the resolver, if it takes it; its text can't be looked at here
        return line
    if not name or "\0" in name:
        raise _missing(path, line)("names no file", "write the file's name")
    here = os.path.dirname(path)
    words = name.split()
    if len(words) > 1 and name == value.strip() and not os.path.lexists(os.path.join(here, name)):
        name = words[0]  # pip ends an unquoted name at the first blank, uv at the end of the line
    return line.replace(names=os.path.normpath(os.path.join(here, name)))


def _local(root: str, text: str) -> str:
    """Return the absolute path of what a requirement's line has on this machine, else ""."""
    text = re.sub(r"^(-e|--editable)[ =]*", "", text)
    text = unquoted(text.partition(" ;")[0].partition(" --")[0])
    name, at, url = text.partition("@")
    if at and re.fullmatch(r"[A-Za-z0-9._-]+\s*(\[[^\]]*\])?\s*", name):
        text = url.strip()
    if text.startswith("file:"):
        text = _path_of(text.partition("#")[0])
    text = re.sub(r"(?<=.)\[[^\[\]]*\]$", "", text.replace(_ROOT, root))
    is_path = text.startswith((".", "/")) or "/" in text or text.endswith(_ARCHIVES)
    if not is_path or text.startswith("-") or "://" in text or "${" in text or "\0" in text:
        return ""
    return os.path.normpath(os.path.join(root, text))


def _path_of(url: str) -> str:
    """Return the path of a `file:` URL."""
    from urllib.parse import unquote

    return unquote(re.sub(r"^file:(//[^/$]*)?", "", url))


def told(text: str) -> str:
    """Return a text as the digest has it: without the secrets of addresses, which rotate."""
    return without_userinfo(re.sub(r"\s+", " ", text))

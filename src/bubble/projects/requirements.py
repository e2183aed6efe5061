"""Requirement files as pip reads them, as far as it says what they lead to.

Lines are joined and comments dropped as in pip's `req_file.py`; nothing is expanded, fetched or
run. What a line asks for is the resolver's business.
"""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable, without_userinfo
from bubble.system.version_file import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.projects.checks import Wrong

_LARGEST = 8 << 20  # bytes of one file
_MOST = 200  # files that one bubble may lead to
_MOST_LINES = 200_000  # of one file
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
# the long options that name a file, and how short pip lets them be
_FILES = (("--requirement", 10, "-r"), ("--constraint", 6, "-c"))
_ROOT = "${PROJECT_ROOT}"  # uv's, and the one variable that is the same everywhere
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tar.xz", ".tar")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


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
    """A requirements file: its absolute path, and what stands in it."""

    path: str
    lines: tuple[Line, ...]


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
    lines = [_line(path, root, number, text) for number, text in _joined(path, _text(data))]
    return File(path=path, lines=tuple(line for line in lines if line.text))


def _text(data: bytes) -> str:
    """Return a file's text as pip decodes it; bytes that are none stay what they are."""
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe\0\0", "utf-32-le"),
        (b"\0\0\xfe\xff", "utf-32-be"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
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


def _joined(path: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with its number: joined over backslashes, without comment and blanks."""
    raws = _LINE_ENDS.split(text)
    if len(raws) > _MOST_LINES:
        what = f"{printable(path, 500)} has more than {_MOST_LINES} lines"
        raise BubbleError("manifest", what, hint="name a shorter file")
    first, held = 0, list[str]()
    for number, raw in enumerate(raws, 1):
        comment = raw.lstrip().startswith("#")
        first = first or number
        if raw.endswith("\\") and not comment:
            held.append(raw.rstrip("\\"))
            continue
        yield first, _uncommented("".join([*held, " " if comment else "", raw]))
        first, held = 0, []
    if held:
        yield first, _uncommented("".join(held))


def _uncommented(text: str) -> str:
    """Return a line up to its comment, which begins it or follows a blank."""
    at = text.find("#")
    while at > 0 and not text[at - 1].isspace():
        at = text.find("#", at + 1)
    return (text if at < 0 else text[:at]).strip()


def _line(path: str, root: str, number: int, text: str) -> Line:
    plain = Line(text=text, number=number)
    word, _, rest = (
        text.replace("\t", " ").replace("=", " ", 1 if text[:2] == "--" else 0).partition(" ")
    )
    for long, shortest, short in _FILES:
        if text.startswith(short) and not text.startswith("--"):
            return _named(path, root, plain.replace(option=short), text[len(short) :].lstrip("="))
        if len(word) >= shortest and long.startswith(word):
            return _named(path, root, plain.replace(option=short), rest)
    return plain.replace(names=_local(root, text))


def _named(path: str, root: str, line: Line, value: str) -> Line:
    """Return a `-r` or `-c` line with the file that it names, relative to the one it is in."""
    name = _unquoted(value).replace(_ROOT, root)
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


def _unquoted(value: str) -> str:
    """Return an option's value without the quotes that pip and uv take from it."""
    value = value.strip()
    if value[:1] in {'"', "'"} and value.find(value[0], 1) > 0:
        return value[1 : value.find(value[0], 1)]
    return value.replace("\\ ", " ")


def _local(root: str, text: str) -> str:
    """Return the absolute path of what a requirement's line has on this machine, else ""."""
    text = re.sub(r"^(-e|--editable)[ =]*", "", text)
    text = _unquoted(text.partition(" ;")[0].partition(" --")[0])
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

"""What `create` is asked to install: files of every kind, read once where they can't be read twice.

`-r` and `-c` take a file, `-` (standard input), a pipe (`<(…)`, a FIFO), `file://` and `https://`.
What isn't a regular file is read here, to its end and up to a bound, before anything is made; the
installer gets a copy.
"""

from __future__ import annotations

import codecs
import os
import re
import stat

from bubble.envs.exchange.pylock import is_lock
from bubble.envs.making.recognise import require_requirements
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.requirement_text import decoded
from bubble.model.text import printable, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STDIN = 0  # its descriptor
_LARGEST = 16 << 20  # bytes of one file
_REMOTE = re.compile(
    r"(?i)(?:^|[\s@+])(?:https?|ftp|ssh|git|hg|svn|bzr|s3)(?:\+(?!file:)[a-z]+)?://"
)
_OPTION = re.compile(r"\s*(#|-(?!(?:[erc]|-editable|-requirement|-constraint)\b))")
_NESTED = re.compile(r"^(\s*(?:-r|-c|--requirement|--constraint)[\s=]*)(?![\w+.-]+://)(\S.*)$")


class Asked(Record):
    """What the installer is to get: its arguments, and the bytes of those that are no files.

    `contents` has them by the word that follows `-r` or `-c` among the arguments.
    """

    arguments: tuple[str, ...]
    contents: tuple[tuple[str, bytes], ...]


def gather(
    packages: Sequence[str],
    cwd: str,
    *,
    requirements: Sequence[str] = (),
    constraints: Sequence[str] = (),
    editables: Sequence[str] = (),
) -> Asked:
    """Return what was asked for in the absolute directory `cwd`; reads files, changes nothing.

    Raises BubbleError(usage) for what isn't there, is too large, or isn't what pip and uv call
    requirements.
    """
    arguments: list[str] = list(packages)
    contents: dict[str, bytes] = {}
    for option, places in (("-r", requirements), ("-c", constraints)):
        for place in places:
            word, data = _source(place, option, cwd)
            if data is not None:
                contents[word] = data
            arguments += [option, word]
    for project in editables:
        arguments += ["-e", _project(project, cwd)]
    if constraints and not (packages or requirements or editables):
        raise BubbleError(
            "usage", "constraints alone install nothing", hint="say what: -r FILE, or packages"
        )
    return Asked(arguments=tuple(arguments), contents=tuple(contents.items()))


def write_contents(
    arguments: Sequence[str], contents: Sequence[tuple[str, bytes]], scratch: str
) -> list[str]:
    """Return the arguments with files in the directory `scratch` for what `contents` has."""
    words = list(arguments)
    for number, (word, data) in enumerate(contents):
        # by its name it is a lock
        name = f"pylock.{number}.toml" if is_lock(word) else f"requirements-{number}.txt"
        path = f"{scratch}/{name}"
        with open(path, "xb") as file:
            file.write(data)
        words = [path if w == word and words[i - 1] in {"-r", "-c"} else w
                 for i, w in enumerate(words)]  # fmt: skip
    return words


def require_local(words: Sequence[str], cwd: str) -> None:
    """Raise BubbleError(offline) for a URL of the network among what is to be installed."""
    lines: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if before in {"-r", "-c"} and "://" not in word:
            lines += _lines(os.path.join(cwd, word))
        else:
            lines.append(word)
    for line in lines:
        # an option's URL is an index, which isn't asked then
        if _REMOTE.search(line.partition(" #")[0]) and not _OPTION.match(line):
            from bubble.model.urls import scrub

            raise BubbleError(
                "offline",
                f"{scrub(line.strip())} is needed, but BUBBLE_OFFLINE switches the network off",
                hint="unset BUBBLE_OFFLINE, or name a file",
            )


def _lines(path: str) -> Iterator[str]:
    try:
        with open(path, "rb") as file:
            text = decoded(file.read(_LARGEST))
    except OSError:
        return
    if not os.path.basename(path).startswith("pylock."):
        yield from text.splitlines()


def _source(place: str, option: str, cwd: str) -> tuple[str, bytes | None]:
    """Return the word for a file, URL or pipe, and its bytes if the installer can't read it."""
    if place.lower().startswith(("http://", "https://")):
        return place, f"{option} {place}\n".encode()  # which may have a password in it
    if place.lower().startswith("file:"):
        place = _local(place)
    elif "://" in place:
        from bubble.model.urls import shown

        raise BubbleError(
            "usage", f"{shown(place)} is no file", hint="a path, file:// or https:// can be read"
        )
    if place == "-":
        data = _read(_STDIN, "standard input")
        return place, _checked(data, "standard input", "", cwd)
    path = os.path.normpath(os.path.join(cwd, place))
    said = printable(place, 500)
    try:
        info = os.stat(path)
        if stat.S_ISDIR(info.st_mode):
            raise BubbleError(
                "usage",
                f"{said} is a directory",
                hint=f"a project: bubble create -e {shell_word(place)}",
            )
        with open(path, "rb") as file:
            data = _read(file.fileno(), said)
    except FileNotFoundError:
        raise BubbleError("usage", f"there is no file {said}", hint="check the path") from None
    if stat.S_ISREG(info.st_mode):
        _checked(data, said, path, cwd)
        return path, None
    return path, _checked(data, said, "", cwd)


def _read(descriptor: int, said: str) -> bytes:
    parts, size = [], 0
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise BubbleError(
                "usage", f"{said} is larger than 16 MiB", hint="give a file of requirements"
            )
    return b"".join(parts)


def _checked(data: bytes, said: str, path: str, cwd: str) -> bytes:
    """Hold it against what isn't requirements; return it with its relative files made absolute."""
    text = decoded(data)
    require_requirements(text, said, path)
    lines = [_NESTED.sub(lambda m: _absolute(m, cwd), line) for line in text.splitlines()]
    # with a mark, whatever the file said of its encoding: it is this one now
    mark = b"" if text.isascii() else codecs.BOM_UTF8
    return mark + "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _absolute(match: re.Match[str], cwd: str) -> str:
    return f"{match[1]}{os.path.join(cwd, match[2].strip())}"


def _local(url: str) -> str:
    """Return the path of a file: URL (RFC 8089)."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"}:
        from bubble.model.urls import shown

        raise BubbleError(
            "usage",
            f"{shown(url)} names another machine",
            hint="a file: URL has three slashes: file:///DIRECTORY/FILE",
        )
    return unquote(parts.path)


def _project(text: str, cwd: str) -> str:
    """Return what -e gets: a VCS URL as it is, a directory's path absolute, with its extras."""
    if "://" in text and not text.lower().startswith("file:"):
        return text
    path, bracket, extras = text.partition("[") if text.endswith("]") else (text, "", "")
    path = _local(path) if path.lower().startswith("file:") else path
    path = os.path.normpath(os.path.join(cwd, os.path.expanduser(path)))
    said = printable(text, 500)
    if not os.path.isdir(path):
        raise BubbleError(
            "usage", f"there is no directory {said}", hint="-e takes a project: -e . is this one"
        )
    if not any(os.path.exists(f"{path}/{name}") for name in ("pyproject.toml", "setup.py")):
        raise BubbleError(
            "usage",
            f"{said} is no project that could be installed: it has no pyproject.toml and no "
            "setup.py",
            hint="what is only run from its directory needs no installation",
        )
    return f"{path}{bracket}{extras}"

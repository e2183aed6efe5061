"""Writing a choice down: `.python-version` and the global pin, as other tools read them, too."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable, shell_word
from bubble.model.version import STAGES
from bubble.system.files import replace_file, unlink_quietly
from bubble.system.version_file import LIMIT, read_python_version, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.model.request import Request

_SUFFIXES = {"": "", "freethreaded": "t"}


class Pinned(Record):
    """What was written where (absolute), and how other tools would read it differently."""

    path: str
    texts: tuple[str, ...]
    warnings: tuple[str, ...]


def pin(path: str, requests: Sequence[Request]) -> Pinned:
    """Write the requests into the version file `path` (absolute), one a line, comments kept.

    A link to a version file is followed, so that what it points at is changed; a link to anything
    else is refused, since it may lead to a file that isn't the project's to change. Raises
    BubbleError(version_file, request) and OSError; the file is then as it was.
    """
    wanted = {canonical(request): request for request in requests}
    target = _target(path)
    kept = _comments(target)
    mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else None
    lines = "".join(f"{line}\n" for line in (*kept, *wanted))
    replace_file(target, lines.encode(), mode)
    return Pinned(path=target, texts=tuple(wanted), warnings=_warnings(wanted))


def unpin(path: str) -> bool:
    """Remove the version file `path`, or the link that it is; False when there was none.

    Raises BubbleError(version_file) for a directory, and OSError.
    """
    if not os.path.lexists(path):
        return False
    if os.path.isdir(path) and not os.path.islink(path):
        raise _is_directory(path)
    unlink_quietly(path)
    return True


def canonical(request: Request) -> str:
    """Return a request as most tools spell it: `cpython@3.13+freethreaded` becomes `3.13t`.

    Raises BubbleError(request) for a path, which a version file can't name.
    """
    if request.kind == "path":
        raise BubbleError(
            "request",
            f"a version file can't name a path ({request})",
            hint="make it known, then name its version: "
            f"bubble python adopt {shell_word(request.text)}",
        )
    if request.kind != "version" or request.platform or request.build or not request.release:
        return request.text
    text = ".".join(str(number) for number in request.release)
    if request.stage >= 0:
        text += f"{STAGES[request.stage]}{request.serial}"
    if request.implementation != "cpython":
        text = request.implementation + text
    suffix = _SUFFIXES.get(request.variant)
    return text + (f"+{request.variant}" if suffix is None else suffix)


def _target(path: str) -> str:
    """Return the file to write: `path`, or what it leads to, if that is a version file."""
    if os.path.isdir(path):
        raise _is_directory(path)
    if not os.path.islink(path):
        # what is there may say nonsense, that is what gets mended; a pipe or a device stays
        if os.path.lexists(path) and not os.path.isfile(path):
            read_regular(path, LIMIT)
        return path
    target = os.path.realpath(path)
    if not _is_version_file(target):
        raise BubbleError(
            "version_file",
            f"{printable(path, 500)} is a link to {printable(target, 500)}, which is no version "
            "file, and stays as it is",
            hint="remove the link, then try again",
        )
    return target


def _is_version_file(path: str) -> bool:
    """Whether a link's end is surely one: called so, or every word in it a version."""
    try:
        requests = [parse_request(entry.text) for entry in read_python_version(path) or ()]
    except BubbleError:
        return False
    if os.path.basename(path) == ".python-version":
        return True
    return bool(requests) and all(r.is_python or r.kind == "system" for r in requests)


def _is_directory(path: str) -> BubbleError:
    return BubbleError(
        "version_file",
        f"{printable(path, 500)} is a directory",
        hint="move it away, then try again",
    )


def _comments(path: str) -> list[str]:
    """Return the comment lines of the file that is there, as far as they are readable text."""
    try:
        data = read_regular(path, LIMIT) or b""
        lines = data.decode("utf-8-sig").splitlines()
    except (BubbleError, UnicodeDecodeError):
        return []  # no version file at all: nothing in it is worth keeping
    comments = [line.rstrip() for line in lines if line.lstrip().startswith("#")]
    return [line for line in comments if line.replace("\t", "").isprintable()]


def _warnings(wanted: Mapping[str, Request]) -> tuple[str, ...]:
    warnings = []
    for text, request in wanted.items():
        if request.kind == "name":
            warnings.append(f"uv and mise don't know an environment's name ({text})")
        elif request.kind == "range":
            warnings.append(f"pyenv doesn't read specifiers: there “{text}” counts as missing")
        elif request.kind == "system":
            warnings.append("uv doesn't know “system”, and passes over that line")
        elif request.build:
            warnings.append(f"uv doesn't read “{text}”")
        elif "debug" in request.variant or request.platform is not None:
            warnings.append(f"pyenv and mise don't read “{text}”")
    if len(wanted) > 1:
        warnings.append("uv reads the first line only; pyenv and bubble use all of them")
    return tuple(warnings)

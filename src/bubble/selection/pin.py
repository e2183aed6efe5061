"""Writing a choice down: `.python-version` and the global pin, as other tools read them, too."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.version import STAGES
from bubble.system.files import unlink_quietly, write_atomic
from bubble.system.version_file import LIMIT, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.model.request import Request

_SUFFIXES = {"": "", "freethreaded": "t"}


class Pinned(Record):
    """What was written where (absolute), and how other tools would read it differently."""

    path: str
    texts: tuple[str, ...]
    warnings: tuple[str, ...]


def pin(path: str, requests: Sequence[Request]) -> Pinned:
    """Write the requests into the version file `path` (absolute), one a line, comments kept.

    A link is followed, so that what it points at is changed. Raises BubbleError(version_file,
    request) and OSError; the file is then as it was.
    """
    texts = tuple(canonical(request) for request in requests)
    path = os.path.realpath(path)
    kept = _comments(path)
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644
    write_atomic(path, "".join(f"{line}\n" for line in (*kept, *texts)).encode(), mode)
    return Pinned(path=path, texts=texts, warnings=_warnings(requests, texts))


def unpin(path: str) -> bool:
    """Remove the version file `path`; False when there was none."""
    if not os.path.lexists(path):
        return False
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
            hint=f"make it known, then name its version: bubble python adopt {request}",
        )
    if request.kind != "version" or request.platform is not None or not request.release:
        return request.text
    text = ".".join(str(number) for number in request.release)
    if request.stage >= 0:
        text += f"{STAGES[request.stage]}{request.serial}"
    if request.implementation != "cpython":
        text = request.implementation + text
    suffix = _SUFFIXES.get(request.variant)
    return text + (f"+{request.variant}" if suffix is None else suffix)


def _comments(path: str) -> list[str]:
    data = read_regular(path, LIMIT)
    if data is None and os.path.isdir(path):
        raise BubbleError(
            "version_file", f"{printable(path)} is a directory", hint="move it away, then try again"
        )
    lines = (data or b"").decode("utf-8-sig", "replace").splitlines()
    return [line.rstrip() for line in lines if line.lstrip().startswith("#")]


def _warnings(requests: Sequence[Request], texts: Sequence[str]) -> tuple[str, ...]:
    warnings = []
    for request, text in zip(requests, texts, strict=True):
        if request.kind == "name":
            warnings.append(f"uv and mise don't know an environment's name ({text})")
        elif request.kind == "range":
            warnings.append(f"pyenv doesn't read specifiers: there “{text}” counts as missing")
        elif "debug" in request.variant or request.platform is not None:
            warnings.append(f"pyenv and mise don't read “{text}”")
    if len(texts) > 1:
        warnings.append("uv reads the first line only; pyenv and bubble use all of them")
    return tuple(warnings)

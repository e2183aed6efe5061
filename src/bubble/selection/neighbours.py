"""What pyenv, uv and mise would read in the same directory. Only for `explain`.

The rules are those of pyenv 2.6, uv 0.13 and mise 2026.9, and tests hold them against these
programs. Only the parts that a directory decides: none of their own settings is interpreted.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.system.directory import upwards
from bubble.system.version_file import (
    LIMIT,
    PYPROJECT_LIMIT,
    parse_toml,
    read_regular,
    read_requires_python,
    read_tool_versions,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MISE_TOML = ("mise.toml", ".mise.toml")
_IDIOMATIC = "MISE_IDIOMATIC_VERSION_FILE_ENABLE_TOOLS"


class Neighbour(Record):
    """What `tool` would take its choice from: `request` as it would read it, fit to be shown.

    `source` is a file (absolute), or a variable's name; "" is none: its own global setting.
    """

    tool: str
    source: str = ""
    request: str = ""


def neighbours(cwd: str, env: Mapping[str, str]) -> tuple[Neighbour, ...]:
    """Return what pyenv, uv and mise would read in the absolute directory `cwd`."""
    return tuple(
        next(readings, Neighbour(tool=tool))
        for tool, readings in (
            ("pyenv", _pyenv(cwd, env)),
            ("uv", _uv(cwd, env)),
            ("mise", _mise(cwd, env)),
        )
    )


def _pyenv(cwd: str, env: Mapping[str, str]) -> Iterator[Neighbour]:
    if env.get("PYENV_VERSION"):
        yield _reading("pyenv", "PYENV_VERSION", env["PYENV_VERSION"])
    for directory in upwards(cwd):
        path = _join(directory, ".python-version")
        if os.path.isfile(path):
            words = [line.split()[0] for line in _lines(path) if line.split()]
            said = ":".join(word for word in words if word[0] != "#")
            yield _reading("pyenv", path, said or "system")


def _uv(cwd: str, env: Mapping[str, str]) -> Iterator[Neighbour]:
    """Yield uv's: the nearest file up to the project's root, then the project's own range.

    Of all that these generators yield, the first counts.
    """
    if env.get("UV_PYTHON"):
        yield _reading("uv", "UV_PYTHON", env["UV_PYTHON"])
    for directory in upwards(cwd):
        for name in (".python-version", ".python-versions"):
            path = _join(directory, name)
            if os.path.isfile(path):
                known = (line for line in _lines(path) if _is_for_uv(line))
                # a file without a request that uv knows leaves the choice to uv
                yield _reading("uv", path, next(known, ""))
        path = _join(directory, "pyproject.toml")
        if os.path.isfile(path):
            for entry in _entries(read_requires_python, path):
                yield _reading("uv", path, entry)
            return


def _is_for_uv(line: str) -> bool:
    """Whether uv takes a line as a request; it trims nothing and passes over what it can't use."""
    if line != line.strip() or not line or line[0] == "#":
        return False
    try:
        request = parse_request(line)
    except BubbleError:
        return False
    return request.kind in {"version", "range", "path"} and not request.build


def _mise(cwd: str, env: Mapping[str, str]) -> Iterator[Neighbour]:
    if env.get("MISE_PYTHON_VERSION"):
        yield _reading("mise", "MISE_PYTHON_VERSION", env["MISE_PYTHON_VERSION"])
    idiomatic = "python" in env.get(_IDIOMATIC, "").split(",")
    for directory in upwards(cwd):
        for name in _MISE_TOML:
            path = _join(directory, name)
            if said := _mise_toml(path):
                yield _reading("mise", path, said)
        path = _join(directory, ".tool-versions")
        if said := " ".join(_entries(read_tool_versions, path)):
            yield _reading("mise", path, said)
        for name in (".python-versions", ".python-version") if idiomatic else ():
            path = _join(directory, name)
            if os.path.isfile(path):
                lines = (line.partition("#")[0].strip() for line in _lines(path))
                yield _reading("mise", path, " ".join(line for line in lines if line))


def _mise_toml(path: str) -> str:
    try:
        tools = parse_toml(path, read_regular(path, PYPROJECT_LIMIT) or b"").get("tools", {})
    except BubbleError:
        return ""
    said = tools.get("python", "") if isinstance(tools, dict) else ""
    if isinstance(said, dict):
        said = said.get("version", "")
    return " ".join(map(str, said)) if isinstance(said, list) else str(said)


def _entries(read: object, path: str) -> list[str]:
    assert callable(read)
    try:
        return [entry.text for entry in read(path) or ()]
    except BubbleError:
        return []


def _lines(path: str) -> list[str]:
    try:
        data = read_regular(path, LIMIT) or b""
    except BubbleError:
        return []
    return data.decode("utf-8", "replace").splitlines()


def _reading(tool: str, source: str, request: str) -> Neighbour:
    return Neighbour(tool=tool, source=source, request=printable(request, 80))


def _join(directory: str, name: str) -> str:
    return f"{directory.rstrip('/')}/{name}"

"""What a lock is made from: the requirements of a bubble, and one digest of them all.

The digest answers "is the lock still that of the manifest?" without a resolver or a network. It is
taken over what the resolver reads: requirement files with those that they name, the dependencies
and groups of `pyproject.toml`, and the request for the interpreter.
"""

from __future__ import annotations

import hashlib
import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.version_file import parse_toml, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bubble.projects.manifest import Bubble, Project

_LARGEST = 8 << 20  # bytes of one requirements file
_MOST_FILES = 200  # requirement files that one bubble may lead to
_FORMAT = "bubble inputs 1"
# of pyproject.toml, what decides about packages
_PARTS = (("project",), ("build-system",), ("dependency-groups",), ("tool", "uv"))


class Inputs(Record):
    """What one bubble is locked from.

    `files` are the absolute paths of everything that was read, the manifest first, `sha256` the
    digest (64 hex digits), `arguments` what a resolver gets beside the requirement lines `lines`.
    """

    files: tuple[str, ...]
    sha256: str
    lines: tuple[str, ...]
    arguments: tuple[str, ...]


def inputs_of(project: Project, bubble: Bubble, request: str) -> Inputs:
    """Return what a bubble is locked from; `request` is the interpreter's, as it is meant now.

    Raises BubbleError(manifest) for a file that isn't there or can't be read.
    """
    files: dict[str, bytes] = {}
    for path in (*bubble.requirements, *bubble.constraints):
        _read_all(path, files)
    lines = [*bubble.dependencies]
    if bubble.project:
        extras = f"[{','.join(bubble.extras)}]" if bubble.extras else ""
        lines.append(f"-e .{extras}" if bubble.project == "editable" else f".{extras}")
    arguments: list[str] = []
    for path in bubble.requirements:
        arguments += ["-r", path]
    for path in bubble.constraints:
        arguments += ["-c", path]
    for name in bubble.groups:
        arguments += ["--group", f"{project.pyproject}:{name}"]
    digest = hashlib.sha256()
    parts = [_FORMAT, request, *project.platforms, *lines, bubble.project]
    parts += [word if not os.path.isabs(word) else _relative(word, project) for word in arguments]
    for part in parts:
        digest.update(f"{len(part.encode())}:{part}\n".encode())
    for path, data in files.items():
        digest.update(f"{_relative(path, project)} {len(data)}\n".encode())
        digest.update(data)
    read = [*([project.manifest] if project.manifest else []), *files]
    if bubble.project or bubble.groups:
        digest.update(_decisive(project.pyproject, bubble).encode())
        read.append(project.pyproject)
    return Inputs(
        files=tuple(dict.fromkeys(read)),
        sha256=digest.hexdigest(),
        lines=tuple(lines),
        arguments=tuple(arguments),
    )


def _relative(path: str, project: Project) -> str:
    name, colon, group = path.partition("pyproject.toml:")
    path, tail = (f"{name}pyproject.toml", f":{group}") if colon else (path, "")
    return f"{os.path.relpath(path, project.root)}{tail}"


def _read_all(path: str, files: dict[str, bytes]) -> None:
    """Read a requirements file and those that it names into `files`, by absolute path."""
    waiting = [path]
    while waiting:
        path = waiting.pop(0)
        if path in files:
            continue
        if len(files) == _MOST_FILES:
            raise BubbleError(
                "manifest",
                f"the requirements lead to more than {_MOST_FILES} files",
                hint="name fewer of them",
            )
        try:
            data = read_regular(path, _LARGEST)
        except BubbleError as error:
            raise BubbleError("manifest", error.message, hint="mend the file") from None
        if data is None:
            raise BubbleError(
                "manifest",
                f"there is no file {printable(path, 500)}, which the manifest names",
                hint="check the path, or take it out",
            )
        files[path] = data
        waiting += _named(path, data)


def _named(path: str, data: bytes) -> Iterator[str]:
    """Yield the files that a requirements file names by `-r` and `-c`, absolute."""
    for line in data.decode("utf-8", "replace").splitlines():
        words = line.strip().split(None, 1)
        if not words:
            continue
        for option in ("--requirement", "--constraint", "-r", "-c"):
            if not words[0].startswith(option):
                continue
            rest = words[0].removeprefix(option).lstrip("=") or (words[1] if words[1:] else "")
            rest = rest.split(" #")[0].strip()
            if rest and "://" not in rest:
                yield os.path.normpath(os.path.join(os.path.dirname(path), rest))
            break


def _decisive(path: str, bubble: Bubble) -> str:
    """Return what `pyproject.toml` says about packages, in one form whatever its layout."""
    import json

    data = read_regular(path, _LARGEST)
    if data is None:
        raise BubbleError(
            "manifest",
            f"there is no {printable(path, 500)}, which the bubble {bubble.name} needs",
            hint="leave out its groups and project, or write the file",
        )
    whole: Mapping[str, object] = parse_toml(path, data)
    found = {}
    for keys in _PARTS:
        value: object = whole
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        found[".".join(keys)] = value
    return json.dumps(found, sort_keys=True, default=str)

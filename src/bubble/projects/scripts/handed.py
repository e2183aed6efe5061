"""What an installer or a resolver is handed of a script: files of ours, with checked contents.

uv gets a project, pip gets requirements.
"""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.quoting import quoted
from bubble.projects.scripts.metadata import INDEXES
from bubble.projects.tomltext import anything
from bubble.system.files import write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.projects.scripts.metadata import Metadata

_LOCAL = re.compile(r'(?<=[{ ]path = )"((?:[^"\\]|\\.)*)"')
_NAME = "what-a-bubble-script-needs"  # and nobody's package
_PIPS = ("index-url", "extra-index-url", "find-links", "no-index", "constraint-dependencies")


def for_uv(metadata: Metadata, directory: str) -> str:
    """Write a project of the same needs into `directory` (absolute); return its pyproject.toml.

    uv follows all of `[tool.uv]` there, and in a script only some; it installs what a project
    needs, not the project. It works in that directory, so no other project's settings count.
    """
    lines = [
        "[project]",
        f'name = "{_NAME}"',
        'version = "0"',
        f"dependencies = {anything(list(metadata.dependencies))}",
    ]
    if metadata.requires_python:
        lines.append(f"requires-python = {anything(metadata.requires_python)}")
    lines += ["[tool.uv]", *(f"{key} = {anything(value)}" for key, value in metadata.uv.items())]
    path = f"{directory}/pyproject.toml"
    write_atomic(path, _lines(lines))
    return path


def for_pip(metadata: Metadata, directory: str) -> str:
    """Write a requirements file into `directory` (absolute); return its path.

    Raises BubbleError(script) for settings that only uv can follow.
    """
    only = [key for key in metadata.uv if key not in _PIPS]
    if only:
        raise BubbleError(
            "script",
            f"the script's [tool.uv] has {', '.join(only)}, which pip can't follow",
            hint="put uv on PATH, or beside bubble: pip install uv",
        )
    lines = []
    for key in INDEXES:
        value = metadata.uv.get(key)
        if value is True:
            lines.append(f"--{key}")
        items = value if isinstance(value, list) else [value]
        lines += [f"--{key} {quoted(item)}" for item in items if isinstance(item, str)]
    constraints = metadata.uv.get("constraint-dependencies")
    if isinstance(constraints, list):
        write_atomic(f"{directory}/constraints.txt", _lines(map(str, constraints)))
        lines.append(f"-c {quoted(directory)}/constraints.txt")
    path = f"{directory}/requirements.txt"
    write_atomic(path, _lines([*lines, *metadata.dependencies]))
    return path


def for_lock(lock: bytes, beside: str, directory: str) -> str:
    """Write a lock into `directory` under the name that installers know; return its path.

    Its relative paths are meant from the directory `beside`; both are absolute.
    """
    import json

    def absolute(match: re.Match[str]) -> str:
        path = os.path.join(beside, json.loads(f'"{match[1]}"'))
        return json.dumps(os.path.normpath(path), ensure_ascii=False)

    text = lock.decode("utf-8", "replace")
    path = f"{directory}/pylock.toml"
    write_atomic(path, _LOCAL.sub(absolute, text).encode())
    return path


def is_local(lock: bytes) -> bool:
    """Whether a lock names something by a path."""
    return _LOCAL.search(lock.decode("utf-8", "replace")) is not None


def has_packages(lock: bytes) -> bool:
    """Whether a lock names any package; if in doubt, it does."""
    return b"[[packages]]" in lock or b"packages = []" not in lock


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()

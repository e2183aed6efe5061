"""The credentials that a project's files, or a script's metadata, have for servers of its lock."""

from __future__ import annotations

from bubble.envs.tools.access import Access, found_in, of_uv_indexes
from bubble.model.errors import BubbleError
from bubble.projects.inputs import inputs_of
from bubble.projects.toml import read_document
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.manifest import Bubble, Project

_LARGEST = 8 << 20  # bytes of one file


def of_project(project: Project, bubble: Bubble, env: Mapping[str, str]) -> list[Access]:
    """Return what the files say that a bubble is locked from; nothing where they can't be read."""
    found: list[Access] = []
    try:
        paths = inputs_of(project, bubble, bubble.python).files
        for path in paths:
            if path.endswith(".toml") and (read := read_document(path)) is not None:
                tool = read.entries if path.endswith("/uv.toml") else _uvs(read.entries)
                found += of_uv_indexes(tool.get("index"), env)
    except BubbleError:
        return []
    return [*found_in((read_text(path, _LARGEST) or "" for path in paths), env), *found]


def _uvs(read: Mapping[str, object]) -> Mapping[str, object]:
    tool = read.get("tool")
    uv = tool.get("uv") if isinstance(tool, dict) else None
    return uv if isinstance(uv, dict) else {}

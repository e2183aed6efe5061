"""The environments of a project by what its manifest calls them: on the registry's word alone.

No manifest is read for that: what was never made is none, whatever a file says.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.placing import PROJECTS
from bubble.selection.belonging import inside
from bubble.selection.registry import of_directory
from bubble.system.directory import upwards
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout

DEFAULT = "default"  # the one in `.venv`
MANIFEST = "bubble.toml"
_LARGEST = 1 << 20


def of_project(name: str, cwd: str, layout: Layout) -> Environment | None:
    """Return the environment called `name` of the project that the absolute `cwd` is in, or None.

    The nearest directory upwards that has one; none above the one with a manifest.
    """
    if not name or "/" in name or name[0] in ".~":
        return None
    words = name.lower().replace("_", "-").replace(".", "-").split("-")
    name = "-".join(word for word in words if word)  # as names are compared (PEP 503)
    for directory in upwards(os.path.realpath(cwd) if cwd else ""):
        path = f"{directory.rstrip('/')}/{PROJECTS}/{name}"
        owner = path
        if name == DEFAULT:
            path, owner = inside(directory), directory
        found = of_directory(layout, owner)
        if found is not None and found.path == path:
            return found
        if is_root(directory):
            break
    return None


def is_root(directory: str) -> bool:
    """Whether a directory (absolute) has a manifest, at a glance: no file is understood."""
    base = directory.rstrip("/")
    if os.path.lexists(f"{base}/{MANIFEST}"):
        return True
    return "[tool.bubble" in (read_text(f"{base}/pyproject.toml", _LARGEST) or "")

"""Which uv there is: beside bubble, on PATH (not through a shim), or bubble's own in the store.

What a shim runs is some environment's, or nothing, as the directory has it.
"""

from __future__ import annotations

import os

from bubble.envs.tools.uv_builds import VERSION
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.pythons.probing.isolation import own_scripts, without_python
from bubble.selection.path import find_tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bubble.system.layout import Layout

MINIMUM = (0, 8)  # the first whose reading and writing of lock files bubble relies on
_PROBE = 30.0  # seconds for `uv --version`


class Uv(Record):
    """A uv: its absolute path, and the place that it was found in.

    `place` is "beside" (bubble), "path" or "store".
    """

    path: str
    place: str


def find_uv(env: Mapping[str, str], layout: Layout) -> Uv | None:
    """Return the uv that is used here, None where there is none. Runs nothing, fetches nothing."""
    return next(uvs(env, layout), None)


def own_uv(layout: Layout) -> str:
    """Return the absolute path where bubble's own uv is, or would be."""
    return f"{layout.tool('uv', VERSION)}/bin/uv"


def is_damaged(layout: Layout) -> bool:
    """Whether bubble's own uv isn't as it was fetched, byte for byte; a missing one isn't."""
    from bubble.pythons.installed import manifest

    root = layout.tool("uv", VERSION)
    if not os.path.lexists(root):
        return False
    try:
        return bool(manifest.verify(root))
    except BubbleError:
        return True


def is_recent(path: str, env: Mapping[str, str]) -> bool:
    """Whether the uv at `path` (absolute) runs, and is at least MINIMUM."""
    version = version_of(path, env)
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    return len(numbers) == 2 and numbers >= MINIMUM


def version_of(path: str, env: Mapping[str, str]) -> str:
    """Return what `uv --version` says, without its first word; "" where it doesn't run."""
    from bubble.system import process

    try:
        done = process.run([path, "--version"], env=without_python(env), timeout=_PROBE, cwd="/")
    except OSError:
        return ""
    words = done.stdout.split()
    return words[1] if not done.status and words[:1] == ["uv"] and words[1:] else ""


def uvs(env: Mapping[str, str], layout: Layout) -> Iterator[Uv]:
    """Yield what there is, the one that is used first."""
    beside = f"{own_scripts()}/uv"
    if os.access(beside, os.X_OK):
        yield Uv(path=beside, place="beside")
    if path := find_tool("uv", env, layout):
        yield Uv(path=path, place="path")
    if os.access(own_uv(layout), os.X_OK):
        yield Uv(path=own_uv(layout), place="store")

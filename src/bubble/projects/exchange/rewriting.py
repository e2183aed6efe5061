"""A lock's packages as TOML again: what `tomllib` read, in the layout that lock files have."""

from __future__ import annotations

from bubble.projects.tomltext import anything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def dumps(lock: Mapping[str, Any]) -> str:
    """Return the text of a lock without its `tool` table: one line a file, a blank one between."""
    lines = [f"{key} = {anything(v)}" for key, v in lock.items() if key not in {"packages", "tool"}]
    if not lock.get("packages"):
        lines.append("packages = []")
    for package in lock.get("packages", []):
        lines += ["", "[[packages]]"]
        for key, item in package.items():
            if key == "wheels" and item:
                lines.append("wheels = [")
                lines += [f"    {anything(wheel)}," for wheel in item]
                lines.append("]")
            elif item not in (None, []):
                lines.append(f"{key} = {anything(item)}")
    return "".join(f"{line}\n" for line in lines)

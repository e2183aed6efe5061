"""A lock's packages as TOML again: what `tomllib` read, in the layout that lock files have."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def dumps(lock: Mapping[str, Any]) -> str:
    """Return the text of a lock without its `tool` table: one line a file, a blank one between."""
    lines = [f"{key} = {value(v)}" for key, v in lock.items() if key not in {"packages", "tool"}]
    if not lock.get("packages"):
        lines.append("packages = []")
    for package in lock.get("packages", []):
        lines += ["", "[[packages]]"]
        for key, item in package.items():
            if key == "wheels" and item:
                lines.append("wheels = [")
                lines += [f"    {value(wheel)}," for wheel in item]
                lines.append("]")
            elif item not in (None, []):
                lines.append(f"{key} = {value(item)}")
    return "".join(f"{line}\n" for line in lines)


def value(item: Any) -> str:
    """Return one value as TOML has it in a line; raise TypeError for what it hasn't."""
    import datetime as dt
    import json

    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return text(item)
    if isinstance(item, int | float):
        return json.dumps(item)
    if isinstance(item, dt.datetime):
        return item.isoformat().replace("+00:00", "Z")
    if isinstance(item, list | tuple):
        return f"[{', '.join(map(value, item))}]"
    if isinstance(item, dict):
        return f"{{ {', '.join(f'{_key(k)} = {value(v)}' for k, v in item.items())} }}"
    raise TypeError(item)


def text(item: str) -> str:
    """Return a basic string of TOML."""
    import json

    return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    import re

    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else text(name)

"""Writing TOML: one form for one content, so that the same lock has the same bytes.

Only what lock files have: strings, whole numbers, truth, UTC times, lists, and tables.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeGuard


def text(value: str) -> str:
    """Return a basic string."""
    # JSON's escapes are TOML's; only DEL, which JSON leaves as it is, TOML doesn't have raw
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def value(item: object) -> str:
    """Return a value on one line; tables are inline, in the order that they have."""
    import datetime as dt

    if isinstance(item, str):
        return text(item)
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, dt.datetime):
        moment = item.astimezone(dt.UTC) if item.tzinfo else item
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(item, dict):
        pairs = ", ".join(f"{_key(name)} = {value(of)}" for name, of in item.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(item, list | tuple):
        return f"[{', '.join(map(value, item))}]"
    raise TypeError(f"{item!r} is nothing that a lock has")


def lines(table: Mapping[str, object]) -> list[str]:
    """Return a table's keys, a line each; a list of several tables has a line for each of them."""
    found = []
    for name, item in table.items():
        if _is_long(item):
            found += [f"{_key(name)} = [", *(f"    {value(of)}," for of in item), "]"]
        else:
            found.append(f"{_key(name)} = {value(item)}")
    return found


def _is_long(item: object) -> TypeGuard[Sequence[object]]:
    return isinstance(item, list) and len(item) > 1 and isinstance(item[0], dict)


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain else text(name)

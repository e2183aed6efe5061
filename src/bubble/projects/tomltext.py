"""Writing TOML: one form for one content, so that the same lock has the same bytes.

`value` takes only what lock files have: strings, whole numbers, truth, UTC times, lists, tables;
`anything` all that a TOML parser gives.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeGuard


def text(value: str) -> str:
    """Return a basic string."""
    # JSON's escapes are TOML's; only DEL, which JSON leaves as it is, TOML doesn't have raw
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def value(item: object) -> str:
    """Return a value on one line; tables are inline, in the order that they have.

    Raises TypeError for what no lock has.
    """
    import datetime as dt

    if isinstance(item, dt.datetime):
        return _moment(item.astimezone(dt.UTC) if item.tzinfo else item)
    if isinstance(item, float | dt.date | dt.time):
        raise TypeError(f"{item!r} is nothing that a lock has")
    return _written(item, value)


def anything(item: object) -> str:
    """Return whatever a TOML parser gave, on one line; a time keeps its offset."""
    import datetime as dt

    if isinstance(item, float):
        return repr(item)
    if isinstance(item, dt.date | dt.time):
        return _moment(item)
    return _written(item, anything)


def _written(item: object, each: Callable[[object], str]) -> str:
    """Return what both forms have; `each` writes what is in a list or a table."""
    if isinstance(item, str):
        return text(item)
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int):
        return str(item)
    if isinstance(item, dict):
        pairs = ", ".join(f"{_key(name)} = {each(of)}" for name, of in item.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(item, list | tuple):
        return f"[{', '.join(map(each, item))}]"
    raise TypeError(f"{item!r} is nothing that TOML has")


def _moment(item: dt.date | dt.time) -> str:
    return item.isoformat().replace("+00:00", "Z")


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

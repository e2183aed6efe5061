"""Which packages of a lock are for this machine, as their markers say (PEP 508, PEP 751).

Most locks have no marker, or one of a system's name: these take no parser, whose import costs as
much as everything else that is done with a lock.
"""

from __future__ import annotations

import os
import re
import sys

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_SYSTEM = re.compile(r"(sys_platform|os_name) (==|!=) '([^'\\]*)'")


def holding(
    packages: Sequence[dict[str, Any]], lock: Mapping[str, Any], path: str, key: str
) -> list[dict[str, Any]]:
    """Return the packages of a lock whose marker holds here, for the interpreter with a full key.

    Without extras and with the lock's default groups. `path` is for messages. Raises
    BubbleError(lock).
    """
    found = []
    for package in packages:
        marker = package.get("marker", "")
        simple = _simple(marker)
        if _parsed(marker, lock, path, key) if simple is None else simple:
            found.append(package)
    return found


def _simple(marker: object) -> bool | None:
    """Return what a marker of a system's name alone comes to, None for another one."""
    if not marker:
        return True
    condition = _SYSTEM.fullmatch(marker) if isinstance(marker, str) else None
    if condition is None:
        return None
    here = {"sys_platform": sys.platform, "os_name": os.name}[condition[1]]
    return (here == condition[3]) == (condition[2] == "==")


def _parsed(marker: str, lock: Mapping[str, Any], path: str, key: str) -> bool:
    from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName

    try:
        return Marker(marker).evaluate(_facts(key, lock), context="lock_file")
    except (
        *(ValueError, RecursionError, KeyError, TypeError, AttributeError),
        *(InvalidMarker, UndefinedEnvironmentName),
    ) as error:
        raise BubbleError(
            "lock",
            f"{printable(path, 500)} can't be read as a lock file: {printable(str(error), 200)}",
            hint="make it anew: bubble lock",
        ) from None


def _facts(key: str, lock: Mapping[str, Any]) -> dict[str, Any]:
    """Return the environment of markers (PEP 508, PEP 751) of an interpreter on this machine."""
    from packaging.markers import default_environment

    parsed = parse_key(key)
    version = key.split("-")[1].partition("+")[0]
    names = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalVM"}
    facts: dict[str, Any] = {
        **default_environment(),
        "implementation_name": parsed.implementation,
        "platform_python_implementation": names.get(parsed.implementation, ""),
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": version,
        "extras": frozenset(),
        "dependency_groups": frozenset(lock.get("default-groups", ())),
    }
    if parsed.implementation == "cpython":
        facts["implementation_version"] = version
    return facts

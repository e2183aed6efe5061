"""Which markers (PEP 508) can hold for a bubble's Python, whatever the rest is.

A resolver answers for every later Python as well; a bubble has one minor version, of which it may
get later patch releases. Markers know `and` and `or`
and no negation: taking every other condition for true tells whether one can hold, taking it for
false whether it always does.
"""

from __future__ import annotations

import functools
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT = r"'[^']*'|\"[^\"]*\""
_WORD = rf"(?:{_TEXT}|[a-z_.]+)"
_CONDITION = re.compile(rf"({_WORD})\s*(===|[=!~<>]=|[<>]|not\s+in\b|in\b)\s*({_WORD})")
_PYTHON = ("python_version", "python_full_version")
_TRUE, _FALSE = "python_version >= '0'", "python_version < '0'"
_LAST_PATCH = 999


def can_hold(marker: str, python: str) -> bool:
    """Whether `marker` holds on some machine, for some release of a Python.

    `python` is a minor version (`3.12`), or the first of its releases that count (`3.12.4`).
    """
    return any(_evaluated(_reduced(marker, _TRUE), python))


def always_holds(marker: str, python: str) -> bool:
    """Whether `marker` holds on every machine, for every release of a Python, as above."""
    return all(_evaluated(_reduced(marker, _FALSE), python))


def minor_of(python: str) -> str:
    """Return the minor version of a Python: `3.12` of `3.12.4`."""
    return ".".join(python.split(".")[:2])


def _reduced(marker: str, other: str) -> str:
    """Return a marker with every condition that isn't about Python's version put to `other`."""

    def condition(match: re.Match[str]) -> str:
        return match[0] if match[1] in _PYTHON or match[3] in _PYTHON else other

    return _CONDITION.sub(condition, marker)


@functools.cache
def _evaluated(marker: str, python: str) -> tuple[bool, ...]:
    """Return what a marker comes to for each patch release where that may change."""
    from packaging.markers import Marker

    parsed = Marker(marker)
    minor = minor_of(python)
    return tuple(
        parsed.evaluate({"python_version": minor, "python_full_version": full})
        for full in _releases(marker, minor, int(python[len(minor) + 1 :] or 0))
    )


def _releases(marker: str, minor: str, first: int) -> Iterator[str]:
    patches = {first, _LAST_PATCH}
    for found in re.findall(rf"['\"]{re.escape(minor)}\.(\d{{1,3}})", marker):
        patches |= {max(int(found) - 1, 0), int(found), int(found) + 1}
    for patch in sorted(patch for patch in patches if patch >= first):
        yield f"{minor}.{patch}"

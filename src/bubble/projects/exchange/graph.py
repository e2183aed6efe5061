"""From a graph of dependencies to a list: for each package, the marker where it is needed.

Locks of some tools say who needs whom, and where; PEP 751 says of each package alone when it is
installed. A package's condition is an *or* over its ways from a root, each an *and* of what stands
at the way's steps.
"""

from __future__ import annotations

from collections import deque
from typing import TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Way = frozenset[str]

Node = TypeVar("Node")

_MOST = 200  # different ways to one package; the largest public lock seen has a dozen


def conditions(
    roots: Iterable[tuple[Node, str]], edges: Mapping[Node, Iterable[tuple[Node, str]]]
) -> dict[Node, str]:
    """Return each node that is reached, with its marker ("" for always).

    `roots` and `edges` give nodes with the marker of the step. Raises ValueError where there are
    too many ways.
    """
    ways: dict[Node, set[Way]] = {}
    waiting: deque[Node] = deque()
    for node, marker in roots:
        if _add(ways.setdefault(node, set()), _step(frozenset(), marker)):
            waiting.append(node)
    while waiting:
        node = waiting.popleft()
        for target, marker in edges.get(node, ()):
            known = ways.setdefault(target, set())
            changed = [_add(known, _step(way, marker)) for way in list(ways[node])]
            if len(known) > _MOST:
                raise ValueError(f"there are more than {_MOST} ways to one package")
            if any(changed):
                waiting.append(target)
    return {node: _marker(found) for node, found in ways.items()}


def _step(way: Way, marker: str) -> Way:
    return way | {marker} if marker else way


def _add(known: set[Way], way: Way) -> bool:
    """Add a way, unless one that asks for less is known; whether it was added."""
    if any(other <= way for other in known):
        return False
    known.difference_update({other for other in known if way < other})
    known.add(way)
    return True


def _marker(ways: set[Way]) -> str:
    alternatives = []
    for way in sorted(ways, key=sorted):
        parts = sorted(way)
        if not parts:
            return ""
        several = len(parts) > 1
        alternatives.append(" and ".join(f"({p})" if several and " or " in p else p for p in parts))
    if len(alternatives) == 1:
        return alternatives[0]
    return " or ".join(f"({a})" if " and " in a or " or " in a else a for a in alternatives)


def joined(first: str, second: str) -> str:
    """Return the marker that holds where both do."""
    if not first or first == second:
        return second
    if not second:
        return first
    return " and ".join(f"({m})" if " or " in m else m for m in (first, second))

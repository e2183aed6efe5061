"""Memos by which a shim would run something else than what is chosen there: never to be seen.

Only what changes the store behind bubble's back can bring one about (an interpreter that was
copied into it), or a fault of bubble's own.
"""

from __future__ import annotations

import os

from bubble.envs.discarding.gc.item import Item
from bubble.model.errors import BubbleError
from bubble.selection.known import directory_memos
from bubble.selection.replay import replay
from bubble.selection.resolve import World, select
from bubble.selection.sources import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.system.machine import Machine


def contradictions(machine: Machine) -> Iterator[Item]:
    """Yield the memos of known directories that say something else than the resolver."""
    env = {name: value for name, value in machine.env.items() if name != VARIABLE}
    for directory, path in directory_memos(machine.layout):
        if not os.path.isdir(directory):
            continue
        world = World(cwd=directory, env=env, layout=machine.layout, platform=machine.platform)
        known = replay(world)
        if known.state != "present" or known.path != path:
            continue
        try:
            chosen = tuple(answer.prefix for answer in select(world).answers)
        except BubbleError:
            chosen = ()
        if known.prefixes != chosen:
            yield Item(kind="memos", path=path, why=f"{directory} gets something else now")

"""Memos that no shim should find: of directories that are gone, of another format, and wrong ones.

There may be a hundred thousand directories: each is looked at once, and what the same requests
select is asked once for all of them.
"""

from __future__ import annotations

import os

from bubble.envs.discarding.gc.item import Item
from bubble.pythons.installed.meanings import meaning
from bubble.selection.facts import head_of
from bubble.selection.known import ALIAS_DAYS, directory_memos, shell_requests
from bubble.selection.many import Selector
from bubble.selection.replay import replay
from bubble.selection.resolve import World
from bubble.selection.sources import VARIABLE
from bubble.system.files import read_text
from bubble.system.gone import is_gone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from bubble.system.layout import Layout
    from bubble.system.machine import Machine

    Prefixes = tuple[str, ...]

FORMAT, ANSWER, OLD = "another format", "another answer", "old"


def useless_memos(machine: Machine) -> Iterator[tuple[str, Item]]:
    """Yield what is wrong with a memo (FORMAT, ANSWER, OLD), and the memo.

    ANSWER is one that a shim would believe, and the resolver says something else. Only what changes
    the store behind bubble's back can bring that about (an interpreter that was copied into it), or
    a fault of bubble's own. OLD is one that nobody will ask for again.
    """
    layout, look = machine.layout, _Look()
    env = {name: value for name, value in machine.env.items() if name != VARIABLE}
    for directory, path in directory_memos(layout):
        is_there = os.path.isdir(directory)
        world = World(cwd=directory, env=env, layout=layout, platform=machine.platform)
        answer = look.answer(world, path) if is_there else None
        if answer is not None:
            # what was looked up once may be old by now: that alone accuses nobody
            if answer != look.select(world) and _is_wrong(world, path):
                yield ANSWER, _item(path, f"{directory} gets something else now")
        elif not is_there and is_gone(directory, layout.home):
            yield OLD, _item(path, f"{directory} is gone")
        elif _is_foreign(path, layout):
            yield FORMAT, _item(path, "of another format")
    for text, path, days in shell_requests(layout):
        if days > ALIAS_DAYS:
            yield OLD, _item(path, f"{text} was not asked for in {days:.0f} days")
        elif _is_foreign(path, layout):
            yield FORMAT, _item(path, "of another format")


def _item(path: str, why: str) -> Item:
    return Item(kind="memos", path=path, why=why)


def _is_foreign(memo: str, layout: Layout) -> bool:
    return not (read_text(memo, 65536) or "").startswith(f"{head_of(layout)}\n")


def _is_wrong(world: World, memo: str) -> bool:
    look = _Look()
    answer = look.answer(world, memo)
    return answer is not None and answer != look.select(world)


class _Look:
    """What memos say and what is selected: what requests mean is looked up once for either."""

    def __init__(self) -> None:
        self._meanings: dict[str, str | None] = {}
        self._selector = Selector()

    def answer(self, world: World, memo: str) -> Prefixes | None:
        """Return the prefixes that a shim takes from a directory's memo, None if it wouldn't."""
        known = replay(world, self._means)
        return known.prefixes if (known.state, known.path) == ("present", memo) else None

    def select(self, world: World) -> Prefixes:
        """Return the prefixes of what a directory selects; none where it can't be said."""
        found = self._selector.select(world)
        return tuple([answer.prefix for answer in found[1]]) if found else ()

    def _means(self, layout: Layout, request: str) -> str | None:
        if request not in self._meanings:
            self._meanings[request] = meaning(layout, request)
        return self._meanings[request]

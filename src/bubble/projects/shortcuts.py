"""Leaving what `bubble` among the shims needs to answer a sync or run a script by itself.

Only what this program has just found out, from facts that it looks at once more: as they were then,
they must be before and after. The text is `selection.shortcuts`' business.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.selection import shortcuts
from bubble.selection.shortcuts import Look, Unsayable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bubble.projects.scripts.source import Script
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


def leave_sync(layout: Layout, cwd: str, found: Sequence[tuple[str, str]]) -> None:
    """Leave that there is nothing to do for the usual bubble, as `quick.nothing_to_do` found it.

    `cwd` is absolute, as the shell spells it.
    """
    from bubble.projects import quick

    start, now = quick.start_of(cwd), shortcuts.now()
    environment = found[0][1]
    if len(found) != 1 or not shortcuts.is_wanted(layout, start):
        return
    if not environment.isprintable() or "://" in environment:
        return  # it is printed in another way

    def text() -> str:
        recalled = quick.recall(layout, cwd, (), everything=False)
        if recalled is None:
            raise Unsayable
        look = Look()
        for fact in recalled[1]:
            _note(fact, look)
        look.link(layout.format)
        return look.text(layout, start, environment, "-", now)

    def again() -> bool:
        return quick.nothing_to_do(layout, cwd, (), everything=False) == found

    _leave(layout, shortcuts.path_of(layout, shortcuts.SYNC, start), text, again)


def leave_run(
    layout: Layout, about: str, script: Script, environment: Environment, again: Callable[[], bool]
) -> None:
    """Leave which environment a script runs in, as `scripts.memos.found_again` found it.

    `about` is the script's absolute path as it is spelled; `again` says whether it is found so
    once more.
    """
    from bubble.envs.knowing.scripts import DAY, memo_path
    from bubble.projects.scripts.memos import names_interpreter, pins_above
    from bubble.selection.identity import mark_file
    from bubble.selection.registry import record_path

    now = shortcuts.now()
    if not shortcuts.is_wanted(layout, about) or not script.path:
        return

    def text() -> str:
        look, mark = Look(), mark_file(environment)
        memo = memo_path(layout, script.path)
        if look.leads(about) != script.path or not mark:
            raise Unsayable
        pins = () if names_interpreter(script.lock) else pins_above(script.directory, layout)
        for path in (
            script.path,
            script.lock_path,
            *pins,
            memo,
            mark,
            record_path(layout, environment),
        ):
            look.file(path)
        look.leads(f"{environment.path}/bin/python")
        look.link(layout.format)
        # the day's first use is noted by the program
        until = str(int(os.stat(memo).st_mtime + DAY))
        return look.text(layout, about, environment.path, until, now)

    _leave(layout, shortcuts.path_of(layout, shortcuts.RUN, about), text, again)


def _leave(layout: Layout, path: str, text: Callable[[], str], again: Callable[[], bool]) -> None:
    try:
        first = text()
        if path and not shortcuts.is_left(path, first) and again() and text() == first:
            shortcuts.leave(layout, path, first)
    except (OSError, ValueError, BubbleError, Unsayable):
        pass


def _note(fact: str, look: Look) -> None:
    """Note one fact of `projects.quick`."""
    kind, _, rest = fact.partition(" ")
    path = f"/{rest.partition(' /')[2]}"
    match kind:
        case "-":
            look.absent(rest)
        case "c" | "i":  # `stat` says its number, too
            look.file(path)
        case "l":
            look.link(path)
        case "r":
            look.leads(path)
        case "p":
            look.packages(path)
        case _:
            raise Unsayable

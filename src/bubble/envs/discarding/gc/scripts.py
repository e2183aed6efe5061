"""Environments of scripts that can go: no script is left that runs in it, or none has for long.

What a process runs in stays, and so does what was just made, before anything is remembered of it.
"""

from __future__ import annotations

import os
import time

from bubble.envs.discarding.gc.item import Item
from bubble.envs.discarding.remove import remove
from bubble.envs.knowing.scripts import all_memos
from bubble.model.errors import BubbleError
from bubble.selection.registry import environments, is_of_script
from bubble.system.files import unlink_quietly
from bubble.system.gone import is_gone
from bubble.system.lock import Lock
from bubble.system.trees import freed_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bubble.envs.knowing.scripts import Memo
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout
    from bubble.system.machine import Machine

DAYS = 60  # without a run, after which an environment goes
_DAY = 86400.0  # seconds
_YOUNG = 3600.0  # seconds in which whoever made it remembers which script it is for


def unused(layout: Layout) -> Iterator[Item]:
    """Yield the environments that no script needs, and memos that lead nowhere."""
    live: dict[str, float] = {}  # environment → when a script that is there ran in it last
    known = {e.path: e for e in environments(layout) if is_of_script(e.path, layout)}
    for path, memo in all_memos(layout):
        if memo is not None and _is_live(memo, known, layout):
            place = f"{layout.scripts}/{memo.key}"
            live[place] = max(live.get(place, 0.0), memo.used_at)
        else:
            yield Item(
                kind="scripts", path=path, why="what is remembered of a script leads nowhere"
            )
    candidates = {path: why for path, e in known.items() if (why := _why(e, live.get(path, 0.0)))}
    running = active(layout) if candidates else set()
    for path, why in candidates.items():
        if path not in running:
            yield Item(kind="scripts", path=path, why=why, size=freed_by(path))


def collect_unused(items: Sequence[Item], machine: Machine) -> list[Item]:
    """Throw away what is still unused; return what isn't any more."""
    layout = machine.layout
    now = {item.path for item in unused(layout)}
    stayed = [item for item in items if item.path not in now]
    for item in items:
        if item in stayed:
            continue
        if not is_of_script(item.path, layout):
            unlink_quietly(item.path)
        elif not _remove(item.path, layout):
            stayed.append(item)
    return stayed


def active(layout: Layout) -> set[str]:
    """Return the environments of scripts that processes run in (Linux), as far as can be seen."""
    mark = b"\0VIRTUAL_ENV=" + os.fsencode(layout.scripts) + b"/"
    found = set()
    for number in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not number.isdigit():
            continue
        try:
            with open(f"/proc/{number}/environ", "rb") as file:
                _, begins, rest = (b"\0" + file.read()).partition(mark)
        except OSError:
            continue
        if begins:
            found.add(f"{layout.scripts}/{os.fsdecode(rest.partition(bytes(1))[0])}")
    return found


def _is_live(memo: Memo, known: dict[str, Environment], layout: Layout) -> bool:
    if f"{layout.scripts}/{memo.key}" not in known:
        return False
    if not memo.script:  # the standard input's: as long as it is asked for
        return time.time() - memo.used_at < DAYS * _DAY
    return not is_gone(memo.script, layout.home)


def _why(environment: Environment, used_at: float) -> str:
    """Return why an environment can go, "" where it can't."""
    now = time.time()
    if now - int(environment.made_at) < _YOUNG:
        return ""
    if not used_at:
        return "no script uses it"
    days = (now - used_at) / _DAY
    return f"no script has used it for {days:.0f} days" if days > DAYS else ""


def _remove(path: str, layout: Layout) -> bool:
    environment = next((e for e in environments(layout) if e.path == path), None)
    if environment is None:
        return False
    try:
        # not while a run makes it, or looks whether it is there
        with Lock(f"{layout.locks}/script.{os.path.basename(path)}", timeout=0):
            if path in active(layout):
                return False
            remove(environment, layout)
    except BubbleError as error:
        if error.kind != "locked":
            raise
        return False
    return True

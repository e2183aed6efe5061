"""Letting an environment know where it lies, and the registry know of it: moved, copied, lost."""

from __future__ import annotations

import os
import time

from bubble.envs.changing.relocate import clear_leftovers, path_of, relocate, rename_prompt
from bubble.envs.knowing.editables import editables
from bubble.envs.knowing.locate import DEFAULT
from bubble.envs.knowing.ownership import claim
from bubble.envs.making.adopt import interpreter_of, request_of
from bubble.model.errors import BubbleError
from bubble.model.name import is_name
from bubble.model.text import printable
from bubble.selection import registry
from bubble.selection.identity import hold, is_itself, mark_of, new_identity
from bubble.system.files import write_atomic
from bubble.system.layout import MARK
from bubble.system.pyvenv_cfg import read_configuration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout


def reregister(
    path: str, layout: Layout, *, named: bool = True
) -> tuple[Environment, tuple[str, ...]]:
    """Register the environment at `path` (absolute), with the paths in it rewritten if need be.

    Returns its record, and what was done, a phrase each: nothing if all was well. A moved one
    stays the same; a copy, whose original is still there, gets an identity of its own. `named`:
    the user said that it is this one. The caller holds its lock. Raises BubbleError(environment)
    for what this store didn't make: a mark that it doesn't know proves nothing, anybody can have
    written it. One that it knows does only while it is the very file: who published an environment
    published its mark. Elsewhere the user's word counts, and there must be one; at the very place
    where another one is registered only `adopt` gives it.
    """
    identity = mark_of(path)
    everything = registry.environments(layout)
    mine = next((e for e in everything if e.path == path), None)
    mine = mine or next((e for e in everything if is_same(e.path, path)), None)
    path = mine.path if mine else _real(path)  # as it was registered, through whatever links
    if mine is not None and mine.maker != "bubble":
        return mine, ()
    if mine is None or not is_itself(mine, layout):
        found = claim(path, layout)
        if not found.is_ours or not (named or found.is_proved(layout)):
            raise BubbleError("environment", f"{printable(path)} {found.said}", hint=found.hint)
    clear_leftovers(path)
    twins = [e for e in everything if e.identity == identity and e.path != path]
    original = next((e for e in twins if mark_of(e.path) == identity), None)
    before = mine if mine and mine.identity == identity else next(iter(twins), None)
    stale = {path_of(path), *(e.path for e in twins)}
    old = sorted(stale - {"", path})
    if before is not None and before == mine and not old and not original:
        return mine, ()
    new = _record(path, identity, before, layout)
    done = []
    if old:
        _rewrite(path, new, old)
        done.append(f"rewrote the paths in it, which said {printable(old[0])}")
    if original is not None:
        new = new.replace(identity=new_identity(), made_at=str(int(time.time())))
        write_atomic(f"{path}/{MARK}", f"{new.identity}\n".encode(), durable=True)
        done.append(f"told it from {printable(original.title)}, of which it is a copy")
    new = hold(new, layout)
    registry.register(layout, new)
    registry.abandon(layout, new)  # of a creation that was killed just before it did this
    if new != mine:
        done.append(f"registered it as {printable(new.title)}")
    for twin in twins if original is None else ():
        registry.forget(layout, twin)
    return new, tuple(done)


def _real(path: str) -> str:
    """Return the path at which an environment is registered: below its directory's real one."""
    parent, base = os.path.split(path)
    return f"{os.path.realpath(parent).rstrip('/')}/{base}"


def is_same(first: str, second: str) -> bool:
    """Whether two paths lead to one directory."""
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False


def _record(path: str, identity: str, before: Environment | None, layout: Layout) -> Environment:
    """Return the record of what lies at `path`: named in the store, else its directory's own."""
    parent, base = os.path.split(path)
    project = parent if base == DEFAULT else ""
    if before is None:
        configuration = read_configuration(path)
        before = registry.Environment(
            path=path,
            interpreter=interpreter_of(configuration, layout),
            request=request_of(path, configuration),
            identity=identity,
            made_at=str(int(os.stat(f"{path}/pyvenv.cfg").st_mtime)),
        )
    return before.replace(
        path=path,
        name=base if parent == layout.envs and is_name(base) else "",
        project=project,
    )


def _beside(path: str, old: str, new: str) -> list[tuple[str, str]]:
    """Return the projects that were moved along with the one at `old`, and where they are now.

    A directory of several projects was moved: what is installed for editing from one that is gone,
    and that lies at the same place beside `new`, is that.
    """
    while os.path.basename(old) == os.path.basename(new) and old != new:
        old, new = os.path.dirname(old), os.path.dirname(new)
    found = []
    for editable in editables(path):
        before = editable.project
        after = new + before[len(old) :]
        if before.startswith(f"{old}/") and os.path.isdir(after) and not os.path.exists(before):
            found.append((before, after))
    return found


def _rewrite(path: str, new: Environment, old: list[str]) -> None:
    pairs = [(before, path) for before in old]
    if new.project:  # the project moved along: its own editable install names it
        projects = [os.path.dirname(p) for p in old if os.path.basename(p) == DEFAULT]
        pairs += [(project, new.project) for project in projects]
        pairs += [pair for project in projects for pair in _beside(path, project, new.project)]
    after = new.name or os.path.basename(new.project or path)
    for before in old:
        shown = os.path.dirname(before) if os.path.basename(before) == DEFAULT else before
        rename_prompt(path, os.path.basename(shown), after)
    relocate(path, *pairs[0], projects=tuple(pairs[1:]), unnamed=True)

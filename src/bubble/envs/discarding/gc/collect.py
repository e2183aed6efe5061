"""Throwing away what `plan` found: each kind by the means of those who made it."""

from __future__ import annotations

import os

from bubble.envs.discarding.gc.scratch import has_ended
from bubble.envs.discarding.gc.scripts import collect_unused
from bubble.envs.knowing.placing import lock
from bubble.envs.knowing.users import Users
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.pythons.installed import store
from bubble.pythons.installed.upkeep import remove
from bubble.selection import registry
from bubble.system.files import unlink_quietly
from bubble.system.gone import is_gone
from bubble.system.lock import Lock
from bubble.system.pool_upkeep import contents, drop
from bubble.system.removal import undeletable
from bubble.system.sweep import sweep
from bubble.system.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bubble.envs.discarding.gc.item import Item
    from bubble.selection.registry import Environment
    from bubble.system.layout import Layout
    from bubble.system.machine import Machine

    Collector = Callable[[Sequence[Item], Machine], list[Item]]


class Collected(Record):
    """What went, what stayed because somebody uses it now, and what could not be removed."""

    removed: tuple[Item, ...]
    kept: tuple[Item, ...]
    errors: tuple[BubbleError, ...]


def collect(items: Iterable[Item], machine: Machine, cwd: str = "/") -> Collected:
    """Throw the items away; one that can't be removed doesn't keep the others.

    `cwd` is as `plan` has it.
    """
    collectors: dict[str, Collector] = {
        **_COLLECTORS,
        "pythons": lambda these, on: _pythons(these, on, cwd),
    }
    by_kind: dict[str, list[Item]] = {}
    for item in items:
        by_kind.setdefault(item.kind, []).append(item)
    removed: list[Item] = []
    kept: list[Item] = []
    errors: list[BubbleError] = []
    for kind, these in by_kind.items():
        try:
            stayed = collectors[kind](these, machine)
        except BubbleError as error:
            errors.append(error)
            stayed = [] if kind == "scratch" else these  # of that, what is gone is gone
        except OSError as error:
            errors.append(_error(error, these[0]))
            stayed = these
        gone = [i for i in these if i not in stayed and not _is_there(i)]
        removed += gone
        kept += [i for i in these if i not in gone]
    return Collected(removed=tuple(removed), kept=tuple(kept), errors=tuple(errors))


def _is_there(item: Item) -> bool:
    # a link is set right, not removed, and a record lies elsewhere than what it is about
    # … and of the pool, files go
    return item.kind not in {"links", "records", "packages"} and os.path.lexists(item.path)


def _scratch(items: Sequence[Item], machine: Machine) -> list[Item]:
    with Lock(f"{machine.layout.locks}/store"):
        stuck = sweep(machine.layout)
    for item in items:
        if os.path.basename(item.path).endswith(".tmp"):
            unlink_quietly(item.path)
    paths = {item.path for item in items}
    for path, environment in registry.all_unfinished(machine.layout):
        if path in paths:
            _alone(_abandon, environment, machine.layout)
    for remains in stuck:
        error = remains.error
        raise undeletable(remains.path, error) if isinstance(error, OSError) else error
    return []  # what is made after all is there still


def _alone(
    act: Callable[[Environment, Layout], None], environment: Environment, layout: Layout
) -> None:
    """Do something under an environment's lock; not at all where somebody works there now."""
    own = lock(layout, environment.path)
    own.timeout = 0
    try:
        with own:
            act(environment, layout)
    except BubbleError as error:
        if error.kind != "locked":
            raise


def _abandon(unfinished: Environment, layout: Layout) -> None:
    if has_ended(unfinished, layout):
        registry.abandon(layout, unfinished)


def _forget(gone: Environment, layout: Layout) -> None:
    # and nobody is making a clone, which is registered first
    if is_gone(gone.path, layout.home):
        registry.forget(layout, gone)


def _links(_items: Sequence[Item], machine: Machine) -> list[Item]:
    store.publish_changes(machine.layout, machine.platform)
    return []


def _memos(items: Sequence[Item], machine: Machine) -> list[Item]:
    root = machine.layout.answers
    for item in items:
        unlink_quietly(item.path)
        place = os.path.dirname(item.path)
        while place.startswith(f"{root}/"):
            try:
                os.rmdir(place)
            except OSError:
                break
            place = os.path.dirname(place)
    if items:
        store.publish_changes(machine.layout, machine.platform)  # what requests mean, anew
    return []


def _records(items: Sequence[Item], machine: Machine) -> list[Item]:
    paths = {item.path for item in items}
    for environment in registry.environments(machine.layout):
        if environment.path in paths:
            _alone(_forget, environment, machine.layout)
    still = {environment.path for environment in registry.environments(machine.layout)}
    return [item for item in items if item.path in still]


def _previous(items: Sequence[Item], machine: Machine) -> list[Item]:
    from bubble.envs.discarding.remove import remove as discard

    paths = {item.path for item in items}
    for environment in registry.environments(machine.layout):
        if environment.path in paths:
            discard(environment, machine.layout, env=machine.env)
    return []


def _packages(_items: Sequence[Item], machine: Machine) -> list[Item]:
    path = machine.layout.packages
    drop(path, [name for name, others, _ in contents(path) if not others])
    return []


def _kernels(items: Sequence[Item], machine: Machine) -> list[Item]:
    from bubble.envs.kernel import kernels, remove_kernel

    paths = {item.path for item in items}
    for kernel in kernels(machine.layout, machine.env):
        if kernel.path in paths and is_gone(kernel.environment, machine.layout.home):
            remove_kernel(kernel, machine.layout)
    return []


def _seeds(items: Sequence[Item], machine: Machine) -> list[Item]:
    with Lock(f"{machine.layout.locks}/seeds"):
        for item in items:
            remove_tree(item.path)
    return []


def _tools(items: Sequence[Item], machine: Machine) -> list[Item]:
    with Lock(f"{machine.layout.locks}/tools"):
        for item in items:
            remove_tree(item.path)
    return []


def _downloads(items: Sequence[Item], machine: Machine) -> list[Item]:
    from bubble.pythons.installing.cache import contents, drop

    paths = {item.path: item for item in items}
    dropped = drop(machine.layout, [c for c in contents(machine.layout) if c.path in paths])
    return [paths[cached.path] for cached in dropped.in_use]


def _pythons(items: Sequence[Item], machine: Machine, cwd: str) -> list[Item]:
    users = Users(machine, cwd).of  # since the plan was made
    present = {i.prefix: i for i in store.installations(machine.layout)}
    return [i for i in items if i.path in present and remove(present[i.path], machine, users)]


def _error(error: OSError, item: Item) -> BubbleError:
    where = os.fsdecode(error.filename) if error.filename else item.path
    return BubbleError(
        "io",
        f"{printable(where, 500)}: {(error.strerror or str(error)).lower()}",
        hint="check who owns it, then try again: bubble gc",
    )


_COLLECTORS: dict[str, Collector] = {
    "scratch": _scratch,
    "links": _links,
    "memos": _memos,
    "records": _records,
    "previous": _previous,
    "scripts": collect_unused,
    "packages": _packages,
    "kernels": _kernels,
    "seeds": _seeds,
    "tools": _tools,
    "downloads": _downloads,
}

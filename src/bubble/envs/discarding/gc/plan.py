"""What can go, by kind. Nothing is changed here.

Conservative: what may be used by somebody stays, and so does what may lie on a disk that is not
mounted now.
"""

from __future__ import annotations

import os
import time

from bubble.envs.discarding.gc.item import KINDS, Item
from bubble.envs.discarding.gc.memos import useless_memos
from bubble.envs.discarding.gc.scratch import leftovers
from bubble.envs.discarding.gc.scripts import unused
from bubble.envs.knowing.inspect import look_at_all
from bubble.envs.knowing.placing import bubble_at
from bubble.envs.knowing.users import uses
from bubble.pythons.installed import store
from bubble.selection.identity import is_itself
from bubble.selection.registry import all_unfinished, environments, useless_marks
from bubble.selection.shortcuts import about_of
from bubble.system.files import is_temporary, names_in, read_text
from bubble.system.gone import is_gone
from bubble.system.pool_upkeep import contents
from bubble.system.trees import freed_by, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bubble.pythons.installed.store import Installation
    from bubble.system.layout import Layout
    from bubble.system.machine import Machine

_MAKING = 3600.0  # seconds in which an environment that is being made gets its record


def plan(
    machine: Machine,
    cwd: str,
    kinds: Iterable[str] = tuple(KINDS),
    *,
    everything: bool = False,
) -> list[Item]:
    """Return what can go of the given kinds (of KINDS), in their order.

    `cwd` (absolute) is where environments that were moved are looked for, and a directory whose
    version files count. `everything` also
    names interpreters that nothing uses and that are the newest of their minor, and the archives
    of installed ones, without which they can't be repaired offline. Raises BubbleError(store) and
    OSError.
    """
    kinds = tuple(kinds)
    asked = kinds == ("previous",) or (set(kinds) < set(KINDS) and "previous" in kinds)
    items: list[Item] = []
    finders: dict[str, Callable[[], Iterable[Item]]] = {
        "scratch": lambda: leftovers(machine.layout),
        "links": lambda: crooked_links(machine),
        "memos": lambda: (
            *(memo for _, memo in useless_memos(machine)),
            *useless_states(machine.layout),
            *useless_shortcuts(machine.layout),
        ),
        "records": lambda: _dead_records(machine.layout, cwd),
        "previous": lambda: _previous(machine.layout) if everything or asked else (),
        "scripts": lambda: unused(machine.layout),
        "packages": lambda: _orphans(machine.layout, items),
        "kernels": lambda: _dead_kernels(machine),
        "seeds": lambda: _dead_seeds(machine.layout),
        "tools": lambda: _dead_tools(machine.layout),
        "downloads": lambda: _downloads(machine, everything=everything),
        "pythons": lambda: _unused(machine, cwd, everything=everything),
    }
    wanted = set(kinds)
    for kind in KINDS:
        if kind in wanted:
            items += finders[kind]()
    return items


def crooked_links(machine: Machine) -> Iterator[Item]:
    """Yield minor links that lead nowhere or not to the newest patch, and those that aren't."""
    layout = machine.layout
    newest: dict[str, str] = {}
    for installation in store.installations(layout):
        if installation.key.platform == machine.platform:
            newest.setdefault(installation.key.minor, str(installation.key))
    links = {
        name: os.readlink(f"{layout.pythons}/{name}")
        for name in names_in(layout.pythons)
        if os.path.islink(f"{layout.pythons}/{name}") and not name.startswith(".")
    }
    for name in sorted(links.keys() | newest.keys()):
        path = f"{layout.pythons}/{name}"
        target = links.get(name, "")
        if target == newest.get(name):
            continue
        why = "not there"
        if target:
            why = "not the newest patch" if os.path.exists(path) else "leads nowhere"
        yield Item(kind="links", path=path, why=why)


def useless_states(layout: Layout) -> Iterator[Item]:
    """Yield what sync remembers of environments that the store doesn't know any more."""
    for path in useless_marks(layout):
        yield Item(kind="memos", path=path, why="of an environment that is gone")
    known = {e.identity for e in environments(layout)}
    known |= {e.identity for _, e in all_unfinished(layout)}
    for name in names_in(layout.synced):
        path = f"{layout.synced}/{name}"
        if name.startswith("now."):
            directory = (read_text(path, 8192) or "\n").split("\n")[1]
            if not directory or is_gone(directory, layout.home):
                yield Item(kind="memos", path=path, why=f"{directory} is gone")
        elif name not in known and not is_temporary(name) and time.time() - _time(path) > _MAKING:
            yield Item(kind="memos", path=path, why="of an environment that is gone")


def useless_shortcuts(layout: Layout) -> Iterator[Item]:
    """Yield the shortcuts to syncs and scripts of which the directory or the file is gone."""
    for name in names_in(layout.shortcuts):
        path, about = f"{layout.shortcuts}/{name}", about_of(name)
        if about and is_gone(about, layout.home):
            yield Item(kind="memos", path=path, why=f"{about} is gone")


def _time(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return time.time()


def _previous(layout: Layout) -> Iterator[Item]:
    for environment in environments(layout):
        place = bubble_at(environment.path)
        if place and place[2] and is_itself(environment, layout):
            yield Item(
                kind="previous",
                path=environment.path,
                why=f"what {place[1]} was before its last sync",
                size=freed_by(environment.path),
            )


def _dead_records(layout: Layout, cwd: str) -> Iterator[Item]:
    for status in look_at_all(layout, cwd):
        path = status.environment.path
        if status.state == "missing" and is_gone(path, layout.home):
            yield Item(kind="records", path=path, why="the environment is gone")


def _orphans(layout: Layout, going: Iterable[Item]) -> Iterator[Item]:
    """Yield what only the pool of packages has, or will have without the environments that go."""
    names: dict[tuple[int, int], list[int]] = {}
    for item in going:
        if item.kind in {"previous", "scripts"} and os.path.isdir(item.path):
            freed_by(item.path, names)
    sizes = []
    for _, others, info in contents(layout.packages):
        left, _ = names.get((info.st_dev, info.st_ino), (others + 1, 0))
        if left <= 1:
            sizes.append(info.st_blocks * 512)
    if sizes:
        count = "1 file" if len(sizes) == 1 else f"{len(sizes)} files"
        why = f"{count} that no environment has"
        yield Item(kind="packages", path=layout.packages, why=why, size=sum(sizes))


def _dead_kernels(machine: Machine) -> Iterator[Item]:
    from bubble.envs.kernel import kernels

    for kernel in kernels(machine.layout, machine.env):
        if kernel.is_ours and is_gone(kernel.environment, machine.layout.home):
            yield Item(kind="kernels", path=kernel.path, why="its environment is gone")


def _dead_seeds(layout: Layout) -> Iterator[Item]:
    from bubble.envs.making.seed import version_of
    from bubble.pythons.installed.pip_wheels import bundled

    names = [name for name in names_in(layout.seeds) if name.startswith("pip-")]
    if not names:
        return
    versions = {wheel.version for wheel in bundled(layout)}
    for name in names:
        path = f"{layout.seeds}/{name}"
        if version_of(name) not in versions:
            yield Item(
                kind="seeds", path=path, why="no installed Python has it", size=size_of(path)
            )


def _dead_tools(layout: Layout) -> Iterator[Item]:
    from bubble.envs.tools.found import is_damaged, own_uv

    for name in names_in(layout.tools):
        path = f"{layout.tools}/{name}"
        if not own_uv(layout).startswith(f"{path}/"):
            why = "this bubble uses another version"
        elif is_damaged(layout):
            why = "not as it was fetched"
        else:
            continue
        yield Item(kind="tools", path=path, why=why, size=size_of(path))


def _downloads(machine: Machine, *, everything: bool) -> Iterator[Item]:
    from bubble.model.errors import BubbleError
    from bubble.pythons.installing.cache import contents, is_free

    installed = set()
    for installation in store.installations(machine.layout):
        try:
            installed.add(store.read_receipt(installation.prefix).sha256)
        except BubbleError:
            continue
    known = None
    for cached in contents(machine.layout):
        if cached.kind == "catalogue" or not is_free(machine.layout, cached):
            continue
        why = "partial" if cached.kind == "partial" else ""
        if not why and cached.sha256 in installed:
            why = "installed" if everything else ""
        elif not why:
            known = known or _catalogue(machine)
            why = "" if known(cached.sha256) else "in no catalogue"
        if why:
            yield Item(kind="downloads", path=cached.path, why=why, size=cached.size)


def _catalogue(machine: Machine) -> Callable[[str], object]:
    """Return a function that finds a sha256 (hex) in the catalogue."""
    from bubble.model.errors import BubbleError
    from bubble.pythons.catalogue import open_catalogue

    try:
        return open_catalogue(machine.layout, machine.env).by_sha256
    except BubbleError:
        return bool  # nothing can be known: everything counts as known


def _unused(machine: Machine, cwd: str, *, everything: bool) -> Iterator[Item]:
    names: dict[tuple[int, int], list[int]] = {}  # patch releases share files
    candidates = list(superseded(machine.layout, everything=everything))
    used = {use.key for use in uses(machine, cwd)} if candidates else set()
    for installation, newer in candidates:
        if str(installation.key) not in used:
            why = "nothing that is known uses it" + (f", and {newer} is installed" if newer else "")
            yield Item(
                kind="pythons",
                path=installation.prefix,
                why=why,
                size=freed_by(installation.prefix, names),
            )


def superseded(layout: Layout, *, everything: bool) -> Iterator[tuple[Installation, str]]:
    """Yield managed installations that aren't the newest of their minor, and the newest version.

    With `everything` the newest ones as well, and "".
    """
    newest: dict[tuple[str, str], Installation] = {}
    for installation in store.installations(layout):  # the most wanted first
        if installation.is_adopted:
            continue
        key = installation.key
        best = newest.setdefault((key.minor, str(key.platform)), installation)
        if best is not installation:
            yield installation, str(best.key.version)
        elif everything:
            yield installation, ""

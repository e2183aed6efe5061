"""Making a project's environments what their locks say, in one step each.

The new one is complete and checked beside the old one before it takes its place; the old one stays
for `rollback`, as a registered environment of its own. What fails or is killed leaves the old one
as it was, or the new one in its place.
"""

from __future__ import annotations

import os

from bubble.envs.knowing import placing
from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects import interpreter, places, state
from bubble.projects.changes import Change, package_changes
from bubble.projects.links import links_of, set_links
from bubble.projects.lock import Locked, is_stale, lock_bubble
from bubble.projects.making import Making
from bubble.projects.manifest import DEFAULT
from bubble.projects.status import (
    IN_SYNC,
    NO_LOCK,
    STALE,
    STRANGE,
    UNLINKED,
    LockFile,
    Status,
    compare,
    read_lock_file,
    status_of,
)
from bubble.selection.answers import request_of
from bubble.selection.sources import in_directory
from bubble.system.lock import Lock as ProcessLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from bubble.projects.links import Links
    from bubble.projects.lockfile import Build
    from bubble.projects.manifest import Bubble, Project
    from bubble.projects.state import State
    from bubble.pythons.installing.progress import Progress
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World
    from bubble.system.layout import Layout

LOCKED, FROZEN = "locked", "frozen"
NEW, CHANGED, SAME = "made", "changed", "unchanged"


class Synced(Record):
    """What came of a sync: `status` is "made", "changed" or "unchanged".

    `path` is the environment's, `why` what was not as it is to be, `locked` what locking came to,
    where that was needed; `changes` is what the environment has now and hadn't before, or the
    other way round. `kept` are the packages that it has beyond the lock, `previous` where the
    environment before is ("" where there is none), if one was `replaced`; `links` are the
    directories that got a link.
    """

    bubble: Bubble
    path: str
    status: str
    why: str = ""
    changes: tuple[Change, ...] = ()
    locked: Locked | None = None
    kept: tuple[str, ...] = ()
    previous: str = ""
    replaced: bool = False
    links: tuple[str, ...] = ()


def sync_bubble(
    project: Project,
    bubble: Bubble,
    world: World,
    progress: Progress,
    *,
    mode: str = "",
    dry_run: bool = False,
    inexact: bool = False,
    show: bool = False,
    at_hand: Mapping[str, str] | None = None,
) -> Synced:
    """Make a bubble's environment what its lock says.

    A lock that is missing or stale is made; `mode` LOCKED refuses that, FROZEN doesn't look.
    `inexact` keeps packages that the lock doesn't have. `at_hand` are wheels of the lock, absolute
    paths by sha256, that all has to come from (None: from where the lock says). Raises BubbleError
    (lock, resolution, download, verify, in_use, …) and OSError; then nothing has changed but the
    lock that was made.
    """
    if dry_run:
        return _dry(project, bubble, world, mode=mode)
    layout, path = world.layout, project.path(bubble)
    if not _may_change(layout):
        return _anothers(project, bubble, world, mode=mode, inexact=inexact)
    name = state.digest(os.fsencode(path))
    with ProcessLock(f"{layout.locks}/sync.{name}"):  # of several at once, one makes it
        with placing.lock(layout, path):
            places.settle(project, bubble, layout)
        file, locked = _lock(project, bubble, world, progress, mode=mode)
        status = compare(project, bubble, file, world)
        if _is_enough(status, inexact=inexact):
            return Synced(bubble=bubble, path=path, status=SAME, locked=locked)
        _require_free(status, bubble)
        status = status if status.known else status.replace(known=_remembered(path, world))
        known = status.known.links if status.known else ()
        links = links_of(project, bubble, known, layout)
        build = interpreter.build_for(file.lock, file.path, world)
        _require_agreement(project, bubble, build, world)
        done = Synced(bubble=bubble, path=path, status=CHANGED, why=_why(status), locked=locked)
        if status.state == UNLINKED:
            assert status.environment is not None
            assert status.known is not None
            attach(project, bubble, status.environment, status.known, links, world)
            return done.replace(links=links.make)
        places.require_places(project, bubble, layout, world.env)
        work = Making(
            project, bubble, file, status, world, key=build.key, inexact=inexact, at_hand=at_hand
        )
        installation = interpreter.require(build, world, progress)
        environment = work.make(installation, show=show)
        attach(project, bubble, environment, work.made, links, world)
        return done.replace(
            status=CHANGED if status.environment is not None else NEW,
            changes=tuple(work.changes(installation)),
            kept=tuple(work.kept),
            previous=work.previous,
            replaced=status.environment is not None,
            links=links.make,
        )


def _may_change(layout: Layout) -> bool:
    """Whether the store is this user's to change; one that isn't there yet will be."""
    return not os.path.isdir(layout.locks) or os.access(layout.locks, os.W_OK)


def _anothers(
    project: Project, bubble: Bubble, world: World, *, mode: str, inexact: bool
) -> Synced:
    """Return that nothing is to be done, with a store that somebody else keeps.

    Raises BubbleError(permission) where something is.
    """
    done = _dry(project, bubble, world, mode=mode or LOCKED)
    status = status_of(project, bubble, world, frozen=True)
    if done.status == SAME and _is_enough(status, inexact=inexact):
        return done
    home = printable(world.layout.home, 500)
    raise BubbleError(
        "permission",
        f"{home} is another user's, and can't be changed by you: the bubble {bubble.name} isn't "
        f"as its lock says ({_why(status)})",
        hint="let its owner sync here; or have a store of your own, by another BUBBLE_HOME",
    )


def attach(
    project: Project,
    bubble: Bubble,
    environment: Environment,
    known: State,
    links: Links,
    world: World,
) -> None:
    """Let a bubble's directories and its Jupyter kernel have its environment as it is now."""
    from bubble.projects.kernels import keep_kernel

    def remember(after: State) -> State:  # each at once: what is forgotten stays for ever
        if after != state.read_state(world.layout, environment.identity):
            state.write_state(world.layout, environment.identity, after)
        return after

    set_links(project, bubble, links, world.layout)
    known = remember(known.replace(links=links.ours))
    kernel = keep_kernel(project, bubble, environment, known, world)
    remember(known.replace(kernel=kernel))


def _lock(
    project: Project, bubble: Bubble, world: World, progress: Progress, *, mode: str
) -> tuple[LockFile, Locked | None]:
    path = project.lock(bubble)
    file = read_lock_file(path)
    if file is not None and (mode == FROZEN or not is_stale(project, bubble, file.lock, world)):
        return file, None
    if mode:
        raise not_locked(path, bubble, missing=file is None)
    locked = lock_bubble(project, bubble, world, progress)
    file = read_lock_file(path)
    if file is None:
        raise _changed_meanwhile(path, bubble)
    return file, locked


def not_locked(path: str, bubble: Bubble, *, missing: bool) -> BubbleError:
    """Return the error for a bubble whose lock (`path`) is missing or stale."""
    said = "is not there" if missing else "is not that of the manifest any more"
    return BubbleError(
        "lock",
        f"{printable(path, 500)} {said}",
        hint="make it, look at what changes, and commit it: " + places.command("lock", bubble),
    )


def _changed_meanwhile(path: str, bubble: Bubble) -> BubbleError:
    return BubbleError(
        "lock",
        f"{printable(path, 500)} was changed meanwhile by somebody else",
        hint=f"nothing else was changed; again: {places.command('sync', bubble)}",
    )


def _dry(project: Project, bubble: Bubble, world: World, *, mode: str) -> Synced:
    """Return what a sync would come to, without changing anything."""
    path = project.lock(bubble)
    file = read_lock_file(path)
    locked = None
    if file is None or (mode != FROZEN and is_stale(project, bubble, file.lock, world)):
        if mode:
            raise not_locked(path, bubble, missing=file is None)
        locked = lock_bubble(project, bubble, world, dry_run=True)
        status = Status(
            bubble=bubble, path=project.path(bubble), state=NO_LOCK if file is None else STALE
        )
        from bubble.projects.contents import installed

        found = places.environment_of(project, bubble, world.layout)
        before = installed(status.path) if found is not None else {}
        changes = tuple(package_changes(before, locked.lock.versions))
        status = status.replace(environment=found, changes=changes)
    else:
        status = compare(project, bubble, file, world)
        _require_free(status, bubble)
        if status.environment is None:
            from bubble.projects.wanted import wanted

            key = interpreter.build_for(file.lock, path, world).key
            changes = tuple(package_changes({}, wanted(file.data, path, key)))
            status = status.replace(changes=changes)
    if status.state == IN_SYNC:
        return Synced(bubble=bubble, path=status.path, status=SAME)
    return Synced(
        bubble=bubble,
        path=status.path,
        status=CHANGED if status.environment is not None else NEW,
        why=_why(status),
        changes=status.changes,
        locked=locked,
    )


def _is_enough(status: Status, *, inexact: bool) -> bool:
    """Whether nothing is to be done; what was kept beyond the lock goes with the next exact one."""
    if status.state != IN_SYNC:
        return False
    return inexact or not (status.known and status.known.extra)


def _why(status: Status) -> str:
    if status.state == IN_SYNC:
        return "it has more than its lock"
    return status.detail or status.state


def _require_free(status: Status, bubble: Bubble) -> None:
    if status.state == STRANGE and (os.path.islink(status.path) or not os.path.isdir(status.path)):
        raise BubbleError(
            "in_use",
            f"{printable(status.path, 500)} is there already, and bubble didn't make it",
            hint=f"move it away, then: {places.command('sync', bubble)}",
        )


def _remembered(path: str, world: World) -> State | None:
    """Return what is known of what lies there, where that was moved or copied here."""
    from bubble.envs.knowing.ownership import claim

    found = claim(path, world.layout) if os.path.isdir(path) else None
    if found is None or not found.original or not found.is_ours:
        return None
    return state.read_state(world.layout, found.original.identity)


def _require_agreement(project: Project, bubble: Bubble, build: Build, world: World) -> None:
    """Raise BubbleError(manifest) where a directory's files ask for another Python than its lock.

    The shims would refuse the environment there.
    """
    key = parse_key(build.key)
    directories = [*bubble.directories, *([project.root] if bubble.name == DEFAULT else [])]
    for directory in directories:
        asked = next(in_directory(directory), None)
        if asked is None:
            continue
        requests = [request_of(entry, asked.source) for entry in asked.entries]
        if not any(
            r.is_python and r.matches(key, world.platform, prereleases=True) for r in requests
        ):
            texts = ", ".join(f"“{printable(e.text, 80)}”" for e in asked.entries[:3]) or "system"
            raise BubbleError(
                "manifest",
                f"the bubble {bubble.name} has Python {key.version}, and {asked.source} asks for "
                f"{texts}: the shims would refuse it there",
                hint="let the manifest and that file ask for the same",
            )

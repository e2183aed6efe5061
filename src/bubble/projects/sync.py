"""Making a project's environments what their locks say, in one step each.

The new one is complete beside the old one before it takes its place; the old one stays for
`rollback`. What fails or is killed leaves the old one as it was.
"""

from __future__ import annotations

import os

from bubble.envs.making.make import Plan, make
from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects import interpreter, state
from bubble.projects.changes import Change, package_changes
from bubble.projects.lock import Locked, is_stale, lock_bubble
from bubble.projects.lockfile import read_lock
from bubble.projects.manifest import DEFAULT, PLACES
from bubble.selection.identity import is_itself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.lockfile import Lock
    from bubble.projects.manifest import Bubble, Project
    from bubble.pythons.installed.store import Installation
    from bubble.pythons.installing.progress import Progress
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

LOCKED, FROZEN = "locked", "frozen"


class Synced(Record):
    """What came of a sync: `status` is "made", "changed" or "unchanged".

    `path` is the environment's, `locked` what locking came to, where that was needed; `changes`
    is what the environment has now and hadn't before, or the other way round.
    """

    bubble: Bubble
    path: str
    status: str
    changes: tuple[Change, ...] = ()
    locked: Locked | None = None


def sync_bubble(
    project: Project,
    bubble: Bubble,
    world: World,
    progress: Progress,
    *,
    mode: str = "",
    dry_run: bool = False,
    show: bool = False,
) -> Synced:
    """Make a bubble's environment what its lock says.

    A lock that is missing or stale is made; `mode` LOCKED refuses that, FROZEN doesn't look.
    Raises BubbleError (lock, resolution, download, …) and OSError; then nothing has changed but
    the lock that was made.
    """
    path = project.path(bubble)
    lock, locked = _lock(project, bubble, world, mode=mode, dry_run=dry_run)
    build = interpreter.build_for(lock, project.lock(bubble), world)
    environment = state.environment_at(path, _owner(project, bubble), world.layout)
    if environment is not None and not is_itself(environment):
        environment = None
    if environment is not None and not locked and _is_synced(project, bubble, environment, world):
        return Synced(bubble=bubble, path=path, status="unchanged")
    before = _versions(path) if environment is not None else {}
    status = "changed" if environment is not None else "made"
    expected = dict(lock.versions)
    if dry_run:
        found = tuple(package_changes(before, expected))
        return Synced(bubble=bubble, path=path, status=status, changes=found, locked=locked)
    installation = interpreter.require(build, world, progress)
    made = _make(project, bubble, installation, world, show=show)
    _remember(project, bubble, made, environment, world)
    after = _versions(path)
    changes = list(package_changes(before, after))
    if environment is not None and environment.interpreter != made.interpreter:
        old = os.path.basename(environment.interpreter).rpartition("-linux")[0]
        changes.insert(0, Change(name="python", before=old, after=installation.key.name))
    return Synced(bubble=bubble, path=path, status=status, changes=tuple(changes), locked=locked)


def _lock(
    project: Project, bubble: Bubble, world: World, *, mode: str, dry_run: bool
) -> tuple[Lock, Locked | None]:
    path = project.lock(bubble)
    lock = read_lock(path)
    if lock is not None and (mode == FROZEN or not is_stale(project, bubble, lock, world)):
        return lock, None
    if mode:
        raise BubbleError(
            "lock",
            f"{printable(path, 500)} "
            + ("is not there" if lock is None else "is not that of the manifest any more"),
            hint="make it, look at what changes, and commit it: bubble lock"
            + (f" {bubble.name}" if bubble.name != DEFAULT else ""),
        )
    locked = lock_bubble(project, bubble, world, dry_run=dry_run)
    return locked.lock, locked


def _is_synced(project: Project, bubble: Bubble, environment: Environment, world: World) -> bool:
    known = state.read_state(world.layout, environment.identity)
    return (
        known is not None
        and known.lock == state.digest_of(project.lock(bubble))
        and known.packages == state.packages_of(environment.path)
        and os.path.exists(f"{environment.path}/bin/python")
    )


def _owner(project: Project, bubble: Bubble) -> str:
    """Return the directory that a bubble's environment is registered for."""
    return project.root if bubble.name == DEFAULT else project.path(bubble)


def _make(
    project: Project, bubble: Bubble, installation: Installation, world: World, *, show: bool
) -> Environment:
    path = project.path(bubble)
    if bubble.name != DEFAULT:
        _places(project)
    return make(
        Plan(
            path=path,
            project=project.root if bubble.name == DEFAULT else "",
            installation=installation,
            request=str(installation.key.version),
            exact=True,
            prompt=bubble.name if bubble.name != DEFAULT else os.path.basename(project.root),
            force=True,
            arguments=("-r", project.lock(bubble)),
            keep=f"{project.root}/{PLACES}/{state.PREVIOUS}/{bubble.name}",
        ),
        world.replace(cwd=project.root),
        show=show,
    )


def _places(project: Project) -> None:
    """Make the directory of the bubbles, which no version control is to see."""
    directory = f"{project.root}/{PLACES}"
    os.makedirs(directory, exist_ok=True)
    if not os.path.lexists(f"{directory}/.gitignore"):
        with open(f"{directory}/.gitignore", "w", encoding="ascii") as file:
            file.write("*\n")


def _remember(
    project: Project,
    bubble: Bubble,
    made: Environment,
    before: Environment | None,
    world: World,
) -> None:
    replaced = {}
    if before is not None:
        replaced = {
            "replaced": before.identity,
            "interpreter": before.interpreter,
            "request": before.request,
            "made_at": before.made_at,
        }
    known = state.State(
        lock=state.digest_of(project.lock(bubble)),
        packages=state.packages_of(made.path),
        **replaced,
    )
    state.write_state(world.layout, made.identity, known)


def _versions(path: str) -> dict[str, str]:
    """Return what an environment has, by canonical names; its own pip is no part of a lock."""
    from bubble.envs.exchange.export import distributions

    return {d.canonical: d.version for d in distributions(path) if d.canonical != "pip"}

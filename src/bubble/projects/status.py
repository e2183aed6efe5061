"""How a project's environments do beside their locks: nothing is changed, nothing is asked for."""

from __future__ import annotations

import os

from bubble.envs.knowing.ownership import claim
from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects import interpreter, places, state
from bubble.projects.changes import Change, package_changes
from bubble.projects.lock import is_stale
from bubble.projects.lockfile import parse_lock, read_bytes
from bubble.projects.manifest import DEFAULT
from bubble.projects.sources import sources_of
from bubble.selection.identity import is_itself

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.projects.lockfile import Lock
    from bubble.projects.manifest import Bubble, Project
    from bubble.projects.state import State
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

IN_SYNC = "in sync"
NO_LOCK = "no lock"
STALE = "stale lock"  # the manifest has changed since
MISSING = "missing"  # there is no environment yet
STRANGE = "not ours"  # something that sync didn't make lies in its place
INTERPRETER = "other interpreter"  # than the build that the lock names
OTHER_LOCK = "other lock"  # it was made from another one: the file has changed, or a rollback
DRIFTED = "drifted"  # somebody else installed or removed something
SOURCES = "sources changed"  # of a project that is built into it, or what an editable one says
UNLINKED = "not linked"  # a directory's link, or its Jupyter kernel, isn't there


class LockFile(Record):
    """A lock with the bytes that it was read from, which its environment is recognised by."""

    path: str
    data: bytes
    lock: Lock

    @property
    def digest(self) -> str:
        """What a `State` remembers of it."""
        return state.digest(self.data)


class Status(Record):
    """How a bubble does: `state` is one of the words above, `detail` says more, for people.

    `environment` is what is registered in its place and is itself; `known` is what sync remembers
    of it. `changes` are what a sync would bring about.
    """

    bubble: Bubble
    path: str
    state: str
    detail: str = ""
    changes: tuple[Change, ...] = ()
    environment: Environment | None = None
    known: State | None = None

    @property
    def mend(self) -> str:
        """The command that sets it right, "" where nothing is to be done."""
        if self.state == IN_SYNC:
            return ""
        return places.command("sync", self.bubble)


def read_lock_file(path: str, before: LockFile | None = None) -> LockFile | None:
    """Return the lock at `path` (absolute), None where there is none; BubbleError(lock).

    `before` is what was read a moment ago: the same bytes aren't understood once more.
    """
    data = read_bytes(path)
    if before is not None and data == before.data:
        return before
    return None if data is None else LockFile(path=path, data=data, lock=parse_lock(data, path))


def status_of(project: Project, bubble: Bubble, world: World, *, frozen: bool = False) -> Status:
    """Return how a bubble does; `frozen` doesn't look whether its lock is the manifest's.

    Raises BubbleError (manifest, lock: it can't be read, or isn't for this machine).
    """
    file = read_lock_file(project.lock(bubble))
    path = project.path(bubble)
    if file is None:
        return Status(bubble=bubble, path=path, state=NO_LOCK)
    if not frozen and is_stale(project, bubble, file.lock, world):
        detail = f"{os.path.basename(file.path)} is not what the manifest asks for any more"
        return Status(bubble=bubble, path=path, state=STALE, detail=detail)
    return compare(project, bubble, file, world)


def compare(project: Project, bubble: Bubble, file: LockFile, world: World) -> Status:
    """Return how a bubble's environment does beside a lock that is taken as it is."""
    layout, path = world.layout, project.path(bubble)
    build = interpreter.build_for(file.lock, file.path, world)
    found = places.environment_of(project, bubble, layout)
    environment = found if found is not None and is_itself(found, layout) else None
    status = Status(bubble=bubble, path=path, state=IN_SYNC)
    if environment is None or environment.maker != "bubble" or os.path.islink(path):
        return status.replace(**_not_there(path, environment, world))
    known = state.read_state(layout, environment.identity)
    status = status.replace(environment=environment, known=known)
    installation = interpreter.installed(build, world)
    stands_on = os.path.realpath(f"{path}/bin/python")
    if installation is None or not stands_on.startswith(
        f"{os.path.realpath(installation.prefix)}/"
    ):
        return status.replace(
            state=INTERPRETER,
            detail=_interpreters(environment.interpreter, build.key, build.build),
            changes=_changes(path, file, build.key),
        )
    if known is None or known.lock != file.digest:
        detail = "it wasn't made by sync" if known is None else "it was made from another lock"
        changes = _changes(path, file, build.key)
        return status.replace(state=OTHER_LOCK, detail=detail, changes=changes)
    if known.packages != state.packages_of(path):
        changes = _changes(path, file, build.key)
        detail = "somebody else installed or removed something"
        if not changes:
            detail = "what is installed there was written again"
        return status.replace(state=DRIFTED, detail=detail, changes=changes)
    if (known.sources, known.metadata) != sources_of(os.path.dirname(file.path), file.lock.trees):
        return status.replace(state=SOURCES, detail=_trees(file))
    return _attached(project, bubble, status, world)


def _trees(file: LockFile) -> str:
    names = [tree.name for tree in file.lock.trees]
    if len(names) == 1 and file.lock.trees[0].path == ".":
        return "the project was changed since"
    return f"something was changed since in: {printable(', '.join(names), 300)}"


def interpreter_name(prefix: str) -> str:
    """Return what an interpreter's prefix in the store says that it is: `cpython-3.12.4`."""
    name = os.path.basename(os.path.realpath(prefix))
    try:
        return parse_key(name).name
    except BubbleError:
        return printable(name, 80)


def _not_there(path: str, environment: Environment | None, world: World) -> dict[str, str]:
    if not os.path.lexists(path):
        return {"state": MISSING, "detail": "it isn't made yet"}
    if environment is not None and environment.maker != "bubble":
        return {"state": STRANGE, "detail": f"{environment.maker} made what lies there"}
    if os.path.islink(path) or not os.path.isdir(path):
        return {"state": STRANGE, "detail": "what lies there is no environment of bubble's"}
    found = claim(path, world.layout)
    return {
        "state": MISSING if found.is_ours else STRANGE,
        "detail": f"what lies there {found.said}",
    }


def _changes(path: str, file: LockFile, key: str) -> tuple[Change, ...]:
    from bubble.projects.contents import installed
    from bubble.projects.wanted import wanted

    before, after = installed(path), wanted(file.data, file.path, key)
    after = {name: version or before.get(name, "") for name, version in after.items()}
    return tuple(package_changes(before, after))


def _interpreters(prefix: str, key: str, build: str) -> str:
    has, wants = interpreter_name(prefix), parse_key(key).name
    if has == wants:
        return f"it has another build of {wants}, and the lock names {printable(build, 80)}"
    return f"it has {has}, and the lock names {wants}"


def _attached(project: Project, bubble: Bubble, status: Status, world: World) -> Status:
    from bubble.projects.kernels import is_current
    from bubble.projects.links import links_of

    known = status.known
    assert known is not None
    assert status.environment is not None
    try:
        links = links_of(project, bubble, known.links, world.layout)
    except BubbleError as error:
        return status.replace(state=UNLINKED, detail=error.message)
    if links.make or links.drop:
        names = [os.path.relpath(d, project.root) for d in (*links.make, *links.drop)]
        detail = f"the link is not as it is to be in: {printable(', '.join(names), 300)}"
        return status.replace(state=UNLINKED, detail=detail)
    if not is_current(project, bubble, status.environment, known):
        return status.replace(state=UNLINKED, detail="its Jupyter kernel is not as it is to be")
    return status


def left_over(project: Project, world: World) -> tuple[str, ...]:
    """Return the paths of environments of bubbles that the manifest doesn't have any more."""
    from bubble.envs.knowing.placing import bubble_at
    from bubble.selection.registry import environments

    names = {bubble.name for bubble in project.bubbles} | {DEFAULT}
    found = []
    for environment in environments(world.layout):
        place = bubble_at(environment.path)
        if place and place[0] == project.root and place[1] not in names:
            found += [environment.path] if os.path.lexists(environment.path) else []
    return tuple(found)

"""Locking: from a bubble's inputs to a lock file that says which bytes it consists of."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.projects.builds import builds_for
from bubble.projects.changes import changes
from bubble.projects.inputs import inputs_of
from bubble.projects.lockfile import Lock, parse_lock, read_lock, render
from bubble.projects.resolve import resolve
from bubble.system.files import read_text, write_atomic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.projects.changes import Change
    from bubble.projects.manifest import Bubble, Project
    from bubble.selection.resolve import World

_LARGEST = 64 << 20


class Locked(Record):
    """What came of locking a bubble: the lock file (absolute), and how it differs from before.

    `status` is "made", "changed" or "unchanged".
    """

    bubble: Bubble
    path: str
    status: str
    changes: tuple[Change, ...]
    lock: Lock


def is_stale(project: Project, bubble: Bubble, lock: Lock, world: World) -> bool:
    """Whether a lock is not that of the manifest any more. Needs no resolver and no network."""
    if bubble.only_locked:
        return False  # there is no manifest that it could differ from
    request = request_of(project, bubble, world)
    return lock.inputs != inputs_of(project, bubble, request).sha256


def request_of(project: Project, bubble: Bubble, world: World) -> str:
    """Return the request for a bubble's interpreter: its own, or what the directory selects."""
    from bubble.selection.base import selected_request

    if bubble.python:
        return bubble.python
    env = {k: v for k, v in world.env.items() if k != "BUBBLE_PYTHON"}  # a shell's, not a project's
    return selected_request(world.replace(cwd=project.root, env=env))


def lock_bubble(
    project: Project,
    bubble: Bubble,
    world: World,
    *,
    upgrade: Sequence[str] | None = None,
    upgrade_python: bool = False,
    dry_run: bool = False,
) -> Locked:
    """Lock one bubble, and write its lock file unless `dry_run`.

    What is locked stays as it is where it still satisfies what is asked for; `upgrade` names the
    packages that may move (none of them: all), `upgrade_python` moves the interpreter. Raises
    BubbleError (manifest, resolution, unavailable, …); then the lock file is as it was.
    """
    path = project.lock(bubble)
    request = request_of(project, bubble, world)
    inputs = inputs_of(project, bubble, request)
    old = _usable(path)
    builds = builds_for(
        request, project.platforms, world, kept=old.version if old else "", newest=upgrade_python
    )
    version = builds[0].key.split("-")[1].partition("+")[0]
    minor = ".".join(version.split(".")[:2])
    before = read_text(path, _LARGEST) or ""
    packages = resolve(project, inputs, minor, world, before=before, upgrade=upgrade)
    new = Lock(inputs=inputs.sha256, request=request, version=version, builds=builds, versions={})
    data = render(packages, new)
    new = parse_lock(data, path)
    if not dry_run and data != before.encode():
        write_atomic(path, data, 0o644, durable=True)
    same = data == before.encode()
    status = "unchanged" if same else "changed" if old else "made"
    return Locked(bubble=bubble, path=path, status=status, changes=changes(old, new), lock=new)


def _usable(path: str) -> Lock | None:
    """Return the lock before this one; None where there is none, or none that can be read."""
    try:
        return read_lock(path)
    except BubbleError:
        return None

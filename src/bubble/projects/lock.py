"""Locking: from a bubble's inputs to a lock file that says which bytes it consists of.

Whether a lock is stale is asked often, so what only locking needs is imported there.
"""

from __future__ import annotations

import contextlib
import os
import stat

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.quoting import quoted
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects.inputs import inputs_of
from bubble.projects.lockfile import LARGEST, Lock, parse_lock, render
from bubble.pythons.installing.progress import Task
from bubble.system.files import fast_sha256, replace_file
from bubble.system.lock import Lock as FileLock
from bubble.system.lock import lock_timeout
from bubble.system.version_file import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bubble.model.version import Version
    from bubble.projects.changes import Change
    from bubble.projects.lockfile import Build
    from bubble.projects.manifest import Bubble, Project
    from bubble.pythons.installing.progress import Progress
    from bubble.selection.resolve import World

MADE, CHANGED, UNCHANGED = "made", "changed", "unchanged"


class Locked(Record):
    """What came of locking a bubble: the lock file (absolute), and how it differs from before.

    `status` is MADE, CHANGED or UNCHANGED; `notes` are what people should know, in sentences.
    """

    bubble: Bubble
    path: str
    status: str
    changes: tuple[Change, ...]
    lock: Lock
    notes: tuple[str, ...] = ()


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
    progress: Progress | None = None,
    *,
    upgrade: Sequence[str] | None = None,
    upgrade_python: bool = False,
    dry_run: bool = False,
    installer: str = "",
) -> Locked:
    """Lock one bubble, and write its lock file unless `dry_run`.

    What is locked stays as it is where it still satisfies what is asked for; `upgrade` names the
    packages that may move (none of them: all), `upgrade_python` moves the interpreter, and
    nothing else where it can. Raises BubbleError (manifest, resolution, unavailable, …); then the
    lock file is as it was.
    """
    from bubble.model.package import canonical_name
    from bubble.projects.builds import builds_for
    from bubble.projects.resolve import resolve

    path = project.lock(bubble)
    require_replaceable(path)
    request = request_of(project, bubble, world)
    names = None if upgrade is None else tuple(map(canonical_name, upgrade))
    notes: list[str] = []
    with opened(progress, bubble.name) as task, lock_of(path, world, task.step):
        before, data = before_of(path)
        inputs = inputs_of(project, bubble, request)
        task.step("choosing the interpreter")
        builds = builds_for(request, project.platforms, world, before=before, newest=upgrade_python)
        require_fitting(project, bubble, builds[0])
        new = Lock(
            inputs=inputs.sha256,
            request=request,
            version=str(parse_key(builds[0].key).version),
            builds=builds,
            versions={},
        )
        packages = _same_packages(before, data, new) if upgrade_python and names is None else ""
        packages = packages or resolve(
            project,
            inputs,
            resolved_for(parse_key(builds[0].key).version),
            world,
            before=data.decode("utf-8", "replace"),
            upgrade=names,
            build=builds[0].key,
            installer=installer,
            step=task.step,
            note=notes.append,
        )
        return concluded(
            bubble, path, packages, new, (before, data), notes, names or (), dry_run=dry_run
        )


def concluded(
    bubble: Bubble,
    path: str,
    packages: str,
    new: Lock,
    until_now: tuple[Lock | None, bytes],
    notes: Sequence[str] = (),
    moved: Sequence[str] = (),
    *,
    dry_run: bool,
) -> Locked:
    """Write a lock unless `dry_run`, and return how it differs from that until now.

    `moved` are the canonical names of what was to move. Raises BubbleError(usage) for one that
    isn't there, and OSError; then nothing was written.
    """
    from bubble.projects.changes import changes

    before, data = until_now
    rendered = render(packages, new)
    lock = parse_lock(rendered, path)
    _require_known(moved, before, lock)
    if rendered != data and not dry_run:
        write(path, rendered)
    if lock.environments:
        platform = lock.builds[0].key.split("-", 2)[2]
        notes = [*notes, f"the lock is for {platform} alone: pip resolved it"]
    return Locked(
        bubble=bubble,
        path=path,
        status=UNCHANGED if rendered == data else CHANGED if before else MADE,
        changes=changes(before, lock),
        lock=lock,
        notes=tuple(notes),
    )


def require_replaceable(path: str) -> None:
    """Raise BubbleError(lock, permission) where a lock can't be written, before any work is done.

    What is there is replaced only if it is a file: a link leads to somebody's, and a repository
    may have brought it.
    """
    directory = os.path.dirname(path)
    if not os.access(directory, os.W_OK):
        raise BubbleError(
            "permission",
            f"{printable(directory, 500)} can't be written, and the lock belongs there",
            hint="check who may write there",
        )
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    what = "a link" if stat.S_ISLNK(mode) else "no file"
    if not stat.S_ISREG(mode):
        raise BubbleError(
            "lock",
            f"{printable(path, 500)} is {what}, and bubble doesn't write a lock there",
            hint="move it away, and lock again",
        )
    if not mode & 0o222:
        raise BubbleError(
            "permission",
            f"{printable(path, 500)} is read-only",
            hint=f"if it may change: chmod u+w {quoted(path)}",
        )


def before_of(path: str) -> tuple[Lock | None, bytes]:
    """Return the lock before this one with its bytes; None and b"" for none that can be used."""
    try:
        data = read_regular(path, LARGEST)
        return (parse_lock(data, path), data) if data is not None else (None, b"")
    except BubbleError:
        return None, b""


def lock_of(path: str, world: World, step: Callable[[str], None] = lambda _: None) -> FileLock:
    """Return the lock between processes that write the lock file at `path` (absolute).

    `step` is told whom it waits for.
    """

    def wait(process: int) -> None:
        step(f"waiting for process {process}" if process else "waiting for another process")

    name = fast_sha256(os.fsencode(path))[:32]
    return FileLock(
        f"{world.layout.locks}/lock.{name}", timeout=lock_timeout(world.env), on_wait=wait
    )


@contextlib.contextmanager
def opened(progress: Progress | None, name: str) -> Iterator[Task]:
    """Open a task of a progress, and end it without a word."""
    task = progress.task(f"lock {name}") if progress else Task()
    try:
        yield task
    finally:
        task.finish("")


def require_fitting(project: Project, bubble: Bubble, build: Build) -> None:
    """Raise BubbleError(manifest) where a project that is part of a bubble refuses its Python."""
    if bubble.project not in {"editable", "built"}:
        return
    from bubble.system.version_file import read_requires_python

    entries = read_requires_python(project.pyproject)
    version = parse_key(build.key).version
    if entries and not _contains(entries[0].text, str(version)):
        raise BubbleError(
            "manifest",
            f"the bubble {bubble.name} has Python {version}, and the project itself, which is part "
            f"of it, needs {printable(entries[0].text, 100)} (pyproject.toml, line "
            f"{entries[0].line})",
            hint="ask for another Python for this bubble, or widen requires-python",
        )


def resolved_for(version: Version) -> str:
    """Return the Python that packages are resolved for: the release and later ones of its minor.

    What needs `>=3.12.3` is in no lock for all of 3.12; a pre-release comes before that.
    """
    return version.minor if version.is_prerelease else str(version)


def write(path: str, data: bytes) -> None:
    """Put a lock's bytes into their place in one step, durably. Raises OSError."""
    replace_file(path, data, 0o644)


def _same_packages(before: Lock | None, data: bytes, new: Lock) -> str:
    """Return the packages of the lock before, as they stand there, if they still are the answer."""
    if before is None or before.inputs != new.inputs:
        return ""
    if parse_key(before.builds[0].key).version[:2] != parse_key(new.builds[0].key).version[:2]:
        return ""
    packages, own, _ = data.decode().rpartition("\n[tool.bubble]\n")
    return packages if own else ""


def _require_known(upgrade: Sequence[str], before: Lock | None, after: Lock) -> None:
    """Raise BubbleError(usage) for what is to move and isn't there."""
    names = {*after.versions, *(before.versions if before else ())}
    for name in upgrade:
        if name not in names:
            import difflib

            close = difflib.get_close_matches(name, sorted(names), 1)
            raise BubbleError(
                "usage",
                f"the lock has no package “{printable(name, 80)}” that could move",
                hint=f"did you mean: bubble lock --upgrade {close[0]}"
                if close
                else "all that it has: bubble lock --upgrade",
            )


def _contains(specifier: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifier).contains(version, prereleases=True)

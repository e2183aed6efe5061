"""Locking what is installed in an environment: the freeze of today, with hashes from the index."""

from __future__ import annotations

import os

from bubble.envs.exchange.export import exported, warnings_of
from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.text import printable
from bubble.projects.builds import builds_for
from bubble.projects.inputs import Inputs, inputs_of
from bubble.projects.lock import (
    Locked,
    before_of,
    concluded,
    lock_of,
    opened,
    request_of,
    require_replaceable,
    resolved_for,
)
from bubble.projects.lockfile import Lock
from bubble.projects.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.envs.exchange.export import Distribution
    from bubble.model.key import Key
    from bubble.projects.manifest import Bubble, Project
    from bubble.pythons.installing.progress import Progress
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

_NOT_HAD = {"resolution", "offline"}


def lock_installed(
    environment: Environment,
    project: Project,
    bubble: Bubble,
    world: World,
    progress: Progress | None = None,
    *,
    dry_run: bool = False,
    installer: str = "",
) -> Locked:
    """Lock what an environment has as a bubble's lock, and write it unless `dry_run`.

    The interpreter is of the version that the environment has, too. Raises BubbleError
    (resolution: some of it is on no index, all of which it names; environment: its Python isn't
    what the bubble asks for; unavailable, …); then the lock file is as it was.
    """
    path = project.lock(bubble)
    require_replaceable(path)
    request = request_of(project, bubble, world)
    key = _key_of(environment)
    notes: list[str] = []
    with opened(progress, bubble.name) as task, lock_of(path, world, task.step):
        before, data = before_of(path)
        task.step("looking at what is installed")
        have = exported(environment.path)
        others = [d for d in have if not _below(d, project.root)]
        notes += warnings_of(others, environment.path)
        builds = builds_for(request, project.platforms, world, newest=True, only=str(key.version))
        inputs = inputs_of(project, bubble, request)
        new = Lock(
            inputs=inputs.sha256,
            request=request,
            version=str(key.version),
            builds=builds,
            versions={},
        )

        def ask(lines: tuple[str, ...]) -> str:
            return resolve(
                project,
                Inputs(files=(), sha256="", lines=lines, arguments=()),
                resolved_for(key.version),
                world,
                before="",
                upgrade=None,
                build=builds[0].key,
                installer=installer,
                alone=True,
                step=task.step,
                note=notes.append,
            )

        packages = _asked(have, project.root, ask)
        return concluded(bubble, path, packages, new, (before, data), notes, dry_run=dry_run)


def _key_of(environment: Environment) -> Key:
    """Return the key of an environment's interpreter; raise BubbleError(environment)."""
    name = os.path.basename(os.path.realpath(environment.interpreter))
    try:
        return parse_key(name)
    except BubbleError:
        raise BubbleError(
            "environment",
            f"the interpreter of {printable(environment.title, 300)} is none that bubble installed",
            hint="make it anew by bubble, and lock that: bubble create",
        ) from None


def _asked(have: list[Distribution], root: str, ask: Callable[[tuple[str, ...]], str]) -> str:
    """Return the packages that are installed, as a lock has them.

    Where they can't be had together, each is asked for alone, to name all that can't.
    """
    lines = {d.name: _line(d, root) for d in have}
    try:
        return ask(tuple(lines.values()))
    except BubbleError as error:
        if error.kind not in _NOT_HAD:
            raise
        missing = [name for name, line in lines.items() if not _can_be_had(line, ask)]
        if not missing:
            raise
        raise BubbleError(
            error.kind,
            "no index has what is installed as "
            + ", ".join(printable(lines[name], 120) for name in missing),
            hint="say where it comes from (an index, find-links), or uninstall it, and lock again",
            details={"missing": missing},
        ) from error


def _can_be_had(line: str, ask: Callable[[tuple[str, ...]], str]) -> bool:
    try:
        ask((line,))
    except BubbleError as error:
        if error.kind not in _NOT_HAD:
            raise
        return False
    return True


def _line(distribution: Distribution, root: str) -> str:
    """Return the requirement of what is installed; one's own project by its place below `root`.

    What was checked out to be edited is locked as the commit that it is: no lock has a checkout.
    """
    if distribution.checkout:
        url, _, fragment = distribution.checkout.partition("#")
        parts = [part for part in fragment.split("&") if part.startswith("subdirectory=")]
        return f"{distribution.name} @ {url}" + "".join(f"#{part}" for part in parts)
    if not distribution.project:
        return distribution.requirement
    return f"-e {_below(distribution, root) or distribution.project}"


def _below(distribution: Distribution, root: str) -> str:
    """Return where an editable project lies below `root`, "" where it doesn't."""
    path = os.path.realpath(distribution.project)
    inside = distribution.project and f"{path}/".startswith(f"{root}/")
    return os.path.relpath(path, root) if inside else ""

"""The environment of a script: one for all scripts that ask for the same, made once.

It lies in the store, under a name that says what it is made from. It is complete before it gets
that name; nothing in a script says where it lies or what else is done.
"""

from __future__ import annotations

import os

from bubble.envs.knowing.scripts import digest, whole
from bubble.envs.making.install import choose_installer
from bubble.envs.making.make import Plan, Steps, make
from bubble.model.errors import BubbleError
from bubble.model.name import require_name
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.projects import interpreter
from bubble.projects.scripts import handed
from bubble.projects.scripts.choosing import installation_of, request_of
from bubble.projects.scripts.locking import command, is_stale, lock_of, lock_script
from bubble.projects.scripts.memos import remember
from bubble.projects.scripts.metadata import read_metadata
from bubble.pythons.installed.store import finish_changes
from bubble.system.lock import Lock as FileLock
from bubble.system.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.envs.tools.access import Access
    from bubble.projects.lock import Locked
    from bubble.projects.lockfile import Lock
    from bubble.projects.scripts.metadata import Metadata
    from bubble.projects.scripts.source import Script
    from bubble.pythons.installed.store import Installation
    from bubble.pythons.installing.progress import Progress
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

_PATIENCE = 1800.0  # seconds for another run that makes the same environment


class Prepared(Record):
    """A script's environment: `status` is "made" or "found"; `locked`: what locking came to."""

    environment: Environment
    status: str
    locked: Locked | None = None


class Wanted(Record):
    """What an environment is to be made of, and the packages' part of it as a script has it."""

    installation: Installation
    request: str
    exact: bool
    metadata: Metadata
    lock: bytes | None


def prepare(
    script: Script,
    world: World,
    progress: Progress,
    *,
    locked: bool = False,
    anew: bool = False,
    show: bool = False,
) -> Prepared:
    """Return the environment of a script, made if need be, and remember it.

    A lock that is stale is made anew; `locked` refuses that, and to run without one. `anew` makes
    the environment even if it is there. Raises BubbleError (script, lock, resolution, download, …)
    and OSError; then nothing has changed but the lock that was made.
    """
    wanted, made_lock = what_is_wanted(script, world, progress, locked=locked)
    script = script.replace(lock=wanted.lock)
    key = key_of(script, wanted)
    environment = None if anew else whole(world.layout, key)
    status = "found"
    if environment is None:
        lock = FileLock(f"{world.layout.locks}/script.{key}", timeout=_PATIENCE)
        with lock:
            environment = None if anew else whole(world.layout, key)
            if environment is None:
                environment = _make(script, wanted, key, world, show=show)
                status = "made"
    if status == "found":
        finish_changes(world.layout, world.platform)  # of a run that was killed after it was made
    remember(script, world.layout, key)
    return Prepared(environment=environment, status=status, locked=made_lock)


def named(
    script: Script,
    name: str,
    world: World,
    progress: Progress,
    *,
    force: bool = False,
    prompt: str = "",
    show: bool = False,
) -> Prepared:
    """Make a named environment with what a script needs, to work in and to change.

    Raises what `prepare` and `make` raise.
    """
    name = require_name(name)
    wanted, made_lock = what_is_wanted(script, world, progress, locked=False)
    plan = Plan(
        path=f"{world.layout.envs}/{name}",
        name=name,
        installation=wanted.installation,
        request=wanted.request,
        exact=wanted.exact,
        prompt=prompt,
        force=force,
    )
    made = _filled(plan, script, wanted, world, show=show)
    return Prepared(environment=made, status="made", locked=made_lock)


def what_is_wanted(
    script: Script, world: World, progress: Progress, *, locked: bool
) -> tuple[Wanted, Locked | None]:
    """Return what a script's environment is to be made of, and what locking it came to."""
    metadata = read_metadata(script)
    lock, data = lock_of(script), script.lock
    made: Locked | None = None
    if locked:
        _require_current(script, lock)
    if lock is not None and is_stale(script, lock):
        made, data = lock_script(script, metadata, world)
        lock = made.lock
    if lock is not None and lock.builds:
        build = interpreter.build_for(lock, script.lock_path, world)
        installation = interpreter.require(build, world, progress)
        request, exact = str(installation.key.version), True
    else:
        request = request_of(script, metadata, world)
        installation = installation_of(request, world, progress)
        exact = parse_request(request).is_exact
    wanted = Wanted(
        installation=installation, request=request, exact=exact, metadata=metadata, lock=data
    )
    return wanted, made


def key_of(script: Script, wanted: Wanted) -> str:
    """Return the name of the environment: a digest of all that it is made of."""
    key = wanted.installation.key
    parts = [script.block.encode("utf-8", "surrogatepass")]
    parts += [b"", b""] if wanted.lock is None else [b"locked", wanted.lock]
    parts.append(str(key if wanted.exact else f"{key.minor} {key.platform}").encode())
    if wanted.metadata.is_local or (wanted.lock is not None and handed.is_local(wanted.lock)):
        parts.append(os.fsencode(script.directory))
    return digest(*parts)


def _require_current(script: Script, lock: Lock | None) -> None:
    if lock is not None and not is_stale(script, lock):
        return
    said = "is not locked" if lock is None else "has a lock that isn't its metadata's any more"
    raise BubbleError(
        "lock",
        f"{script.title} {said}",
        hint=f"lock it: {command(script)}" if script.path else "write it into a file, and lock it",
    )


def _make(script: Script, wanted: Wanted, key: str, world: World, *, show: bool) -> Environment:
    plan = Plan(
        path=f"{world.layout.scripts}/{key}",
        installation=wanted.installation,
        request=wanted.request,
        exact=wanted.exact,
        prompt=os.path.basename(script.path).removesuffix(".py") or "script",
        force=True,
    )
    return _filled(plan, script, wanted, world, show=show)


def _filled(plan: Plan, script: Script, wanted: Wanted, world: World, *, show: bool) -> Environment:
    """Make an environment with what a script needs."""
    uv = choose_installer("", world.env, world.layout)[0] == "uv"
    with Staging(world.layout, f"{world.layout.home}/script") as staging:
        arguments: tuple[str, ...] = ()
        if wanted.lock is not None and handed.has_packages(wanted.lock):
            path = handed.for_lock(wanted.lock, script.directory, staging.path)
            arguments = ("-r", path)
        elif wanted.lock is None and wanted.metadata.dependencies:
            write = handed.for_uv if uv else handed.for_pip
            arguments = ("-r", write(wanted.metadata, staging.path))
        plan = plan.replace(
            arguments=arguments,
            settings=staging.path,
            pip=plan.name != "" or (bool(arguments) and not uv),
        )
        # with no project's settings above it
        steps = _Steps(script, wanted, world)
        return make(plan, world.replace(cwd=staging.path), show=show, steps=steps)


class _Steps(Steps):
    """What a script knows of the servers of its lock."""

    def __init__(self, script: Script, wanted: Wanted, world: World) -> None:
        self.script, self.wanted, self.world = script, wanted, world

    def credentials(self) -> list[Access]:
        """Return what its metadata says."""
        from bubble.envs.tools.access import found_in, of_uv_indexes

        env = self.world.env
        named = of_uv_indexes(self.wanted.metadata.uv.get("index"), env)
        return [*found_in([self.script.block], env), *named]

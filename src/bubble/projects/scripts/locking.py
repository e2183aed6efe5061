"""Locking a script: `FILE.lock` beside it, a lock as a project's bubbles have them."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.projects.builds import builds_for
from bubble.projects.changes import changes
from bubble.projects.inputs import Inputs
from bubble.projects.lock import Locked, resolved_for
from bubble.projects.lockfile import Lock, parse_lock, render
from bubble.projects.manifest import Bubble, Project
from bubble.projects.resolve import resolve
from bubble.projects.scripts import handed
from bubble.projects.scripts.choosing import request_of
from bubble.system.files import fast_sha256, replace_file
from bubble.system.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.projects.scripts.metadata import Metadata
    from bubble.projects.scripts.source import Script
    from bubble.selection.resolve import World


def lock_of(script: Script) -> Lock | None:
    """Return what the lock beside a script says, None where there is none.

    Raises BubbleError(lock) for what is no lock of this kind: uv's own has the same name.
    """
    if script.lock is None:
        return None
    try:
        return parse_lock(script.lock, script.lock_path)
    except BubbleError as error:
        if script.lock.lstrip().startswith(b"version = ") and b"\nlock-version" not in script.lock:
            raise BubbleError(
                "lock",
                f"{script.title}.lock is uv's own, not the standard's (PEP 751)",
                hint=f"run it by uv, or move the lock away, then: {command(script)}",
            ) from None
        raise BubbleError("lock", error.message, hint=f"make it anew: {command(script)}") from None


def is_stale(script: Script, lock: Lock) -> bool:
    """Whether a lock is not that of the metadata any more; one that bubble didn't make never is."""
    return bool(lock.inputs) and lock.inputs != inputs_of(script)


def inputs_of(script: Script) -> str:
    """Return the digest (hex) of what a script's lock is made from: wherever it lies."""
    data = script.block.encode("utf-8", "surrogatepass")
    return fast_sha256(b"bubble script inputs 1\n" + data)


def lock_script(
    script: Script,
    metadata: Metadata,
    world: World,
    *,
    upgrade: Sequence[str] | None = None,
    upgrade_python: bool = False,
    dry_run: bool = False,
) -> tuple[Locked, bytes]:
    """Lock a script, and write its lock file unless `dry_run`; return that file's bytes as well.

    As `projects.lock.lock_bubble` has it. Raises BubbleError (resolution, unavailable, lock, …);
    then the lock file is as it was.
    """
    if not script.path:
        raise BubbleError(
            "script", "the standard input has no lock file", hint="write it into a file"
        )
    old = _replaceable(script)
    before = (script.lock or b"") if old else b""
    request = request_of(script, metadata, world)
    builds = builds_for(request, (), world, before=old, newest=upgrade_python)
    version = parse_key(builds[0].key).version
    name = script.path.rpartition("/")[2]
    project = Project(root=script.directory, manifest=script.path, platforms=(), bubbles=())
    with Staging(world.layout, f"{world.layout.home}/script") as staging:
        path = handed.for_uv(metadata, staging.path)
        inputs = Inputs(
            files=(script.path,),
            sha256=inputs_of(script),
            lines=(),
            arguments=("--directory", staging.path, "-r", path),
        )
        text = before.decode("utf-8", "replace")
        packages = resolve(
            project, inputs, resolved_for(version), world, before=text, upgrade=upgrade
        )
    new = Lock(
        inputs=inputs.sha256, request=request, version=str(version), builds=builds, versions={}
    )
    data = render(packages, new)
    new = parse_lock(data, script.lock_path)
    same = data == script.lock
    if not dry_run and not same:
        replace_file(script.lock_path, data)
    locked = Locked(
        bubble=Bubble(name=name),
        path=script.lock_path,
        status="unchanged" if same else "changed" if old else "made",
        changes=changes(old, new),
        lock=new,
    )
    return locked, data


def command(script: Script) -> str:
    """Return the command that locks a script."""
    from bubble.model.quoting import quoted

    return f"bubble lock --script {quoted(script.path)}"


def _replaceable(script: Script) -> Lock | None:
    """Return the lock that is there; None for none, and for one that is damaged.

    Raises BubbleError(lock) for another tool's, which isn't bubble's to replace.
    """
    try:
        return lock_of(script)
    except BubbleError as error:
        if "uv's own" in error.message:
            raise
        return None

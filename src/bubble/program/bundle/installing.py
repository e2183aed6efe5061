"""Installing from a bundle: interpreters into the store, a project's environments from its wheels.

Each interpreter and each environment gets its place in one step, as ever; what was killed between
is swept by the next command, and the same call goes on. No network is asked.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.files import write_atomic
from bubble.system.staging import Staging
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.download import Download
    from bubble.program.bundle.contents import Contents, Host
    from bubble.program.bundle.reading import Bundle
    from bubble.projects.manifest import Project
    from bubble.projects.sync import Synced
    from bubble.pythons.installing.install import Installed
    from bubble.pythons.installing.progress import Progress
    from bubble.selection.resolve import World


class Done(Record):
    """What came of it: `unknown` are keys of new ones that no catalogue on this machine knows.

    `written` are the project's files that were missing, by their absolute paths.
    """

    installed: tuple[Installed, ...]
    unknown: tuple[str, ...]
    project: Project | None
    written: tuple[str, ...]
    synced: tuple[Synced, ...]


def install(bundle: Bundle, world: World, progress: Progress, *, directory: str = "") -> Done:
    """Install what an open bundle has for this machine; `directory` (absolute): the project there.

    Raises BubbleError (unavailable: it isn't for this machine; lock: the project has another lock;
    usage, store, no_space, …) and OSError; what was done until then stays, and is whole.
    """
    contents = bundle.contents
    host = contents.host_for(world.platform)
    _require_library(host)
    if directory:
        _require_same(bundle, directory)
    world = world.replace(env={**world.env, "BUBBLE_OFFLINE": "1"})
    downloads = [
        (python.file, python.download())
        for python in contents.pythons
        if python.chosen and python.key.endswith(f"-{world.platform}")
    ]
    sweep(world.layout)
    with Staging(world.layout, f"{world.layout.home}/bundle") as staging:
        installed = _interpreters(bundle, downloads, world, staging.path, progress)
        new = {str(i.installation.key) for i in installed if i.status != "present"}
        unknown = _unknown([d for _, d in downloads if str(d.key) in new], world)
        if not directory:
            return Done(installed=installed, unknown=unknown, project=None, written=(), synced=())
        at_hand = _wheels(bundle, host, staging.path)
        written = _write_missing(bundle, directory)
        project, synced = _environments(contents, directory, at_hand, world, progress)
    return Done(
        installed=installed, unknown=unknown, project=project, written=written, synced=synced
    )


def _require_library(host: Host) -> None:
    from bubble.system.host import glibc_version

    found = glibc_version()
    if not host.libc or found is None or "-gnu" not in host.platform:
        return
    wanted = tuple(int(part) for part in host.libc.split("."))
    if found < wanted:
        raise BubbleError(
            "unavailable",
            f"the bundle's packages need glibc {host.libc}, and this machine has "
            f"{found[0]}.{found[1]}",
            hint="lock versions that have wheels for older systems, and make the bundle anew",
        )


def _require_same(bundle: Bundle, directory: str) -> None:
    """Raise BubbleError where the project there has other locks than the bundle, or no place.

    And where the bundle's own say what no lock may.
    """
    from bubble.projects.lockfile import parse_lock, read_bytes

    contents = bundle.contents
    if not contents.locks:
        raise BubbleError(
            "usage",
            f"{printable(bundle.path, 500)} has no project",
            hint="make one with it: bubble bundle create FILE --project DIR",
        )
    if not os.path.isdir(directory):
        raise BubbleError(
            "usage", f"there is no directory {printable(directory, 500)}", hint="make it first"
        )
    for name in contents.locks.values():
        data = bundle.read(f"project/{name}")
        parse_lock(data, f"{bundle.path}: {name}", trees=False)
        present = read_bytes(f"{directory}/{name}")
        if present is not None and present != data:
            raise BubbleError(
                "lock",
                f"{printable(directory, 400)}/{name} is another lock than the bundle's",
                hint="make a bundle of this one, or move it away to take the bundle's",
            )


def _interpreters(
    bundle: Bundle,
    downloads: list[tuple[str, Download]],
    world: World,
    scratch: str,
    progress: Progress,
) -> tuple[Installed, ...]:
    """Install the builds that are missing, from the bundle's archives, as from a download."""
    from bubble.pythons.installed import store
    from bubble.pythons.installing.local import install_archive

    done: list[Installed] = []
    for file, download in downloads:
        if store.installation_at(world.layout, str(download.key)) is None:
            _into_cache(bundle, file, download.sha256, world, scratch)
        batch = install_archive(download, world, progress)
        if batch.errors:
            raise batch.errors[0]
        done += batch.installed
    return tuple(done)


def _into_cache(bundle: Bundle, file: str, sha256: str, world: World, scratch: str) -> None:
    """Put an archive where downloads lie, so that it is installed as one of these is."""
    from urllib.parse import quote

    from bubble.pythons.installing.install import fetch_file
    from bubble.pythons.installing.progress import Task
    from bubble.system.files import sha256_of

    if sha256_of(f"{world.layout.downloads}/{sha256}") == sha256:
        return
    path = f"{scratch}/{sha256}"
    bundle.copy(file, path)
    fetch_file([f"file://{quote(path)}"], sha256, world, Task())
    os.unlink(path)


def _unknown(downloads: list[Download], world: World) -> tuple[str, ...]:
    from bubble.pythons.catalogue import open_catalogue

    try:
        catalogue = open_catalogue(world.layout, world.env)
    except BubbleError:
        return ()
    return tuple(
        str(download.key) for download in downloads if catalogue.by_sha256(download.sha256) is None
    )


def _wheels(bundle: Bundle, host: Host, scratch: str) -> dict[str, str]:
    """Copy out the wheels for this platform; return their absolute paths by sha256."""
    found = {}
    for wheel in bundle.contents.wheels:
        if host.platform in wheel.platforms:
            # two locks may have files of one name
            directory = f"{scratch}/{wheel.sha256[:16]}"
            os.makedirs(directory, exist_ok=True)
            found[wheel.sha256] = f"{directory}/{wheel.file}"
            bundle.copy(f"wheels/{wheel.sha256}.whl", found[wheel.sha256])
    return found


def _write_missing(bundle: Bundle, directory: str) -> tuple[str, ...]:
    """Write the manifest and the locks where the project hasn't got them."""
    from bubble.projects.manifest import MANIFEST, PYPROJECT

    contents = bundle.contents
    names = list(contents.locks.values())
    if contents.manifest and not any(
        os.path.lexists(f"{directory}/{name}") for name in {contents.manifest, MANIFEST, PYPROJECT}
    ):
        names.insert(0, contents.manifest)
    written = []
    for name in names:
        path = f"{directory}/{name}"
        if not os.path.lexists(path):
            write_atomic(path, bundle.read(f"project/{name}"))
            written.append(path)
    return tuple(written)


def _environments(
    contents: Contents,
    directory: str,
    at_hand: dict[str, str],
    world: World,
    progress: Progress,
) -> tuple[Project, tuple[Synced, ...]]:
    from bubble.projects.locate import bubble_of
    from bubble.projects.noting import note
    from bubble.projects.reading import read_project
    from bubble.projects.sync import FROZEN, sync_bubble

    project = read_project(os.path.realpath(directory))
    there = world.replace(cwd=project.root)
    synced = []
    for name in contents.locks:
        task = progress.task(f"environment {name}")
        task.step("making it of what is here")
        bubble = bubble_of(project, name)
        done = sync_bubble(project, bubble, there, progress, mode=FROZEN, at_hand=at_hand)
        task.finish("")
        synced.append(done)
    note(project, there)
    return project, tuple(synced)

"""What goes into a bundle: chosen, looked for, and fetched. What can't be had is told here.

Nothing is left to the machine without a network: a wheel that isn't there for a platform, a source
archive or a repository that would have to be built, a build that no catalogue knows, a stale lock.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.key import parse_key
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.program.bundle import own as itself
from bubble.program.bundle.contents import Contents, File, Host, Python, Wheel
from bubble.system.files import sha256_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bubble.model.download import Download
    from bubble.model.platform import Platform
    from bubble.model.request import Request
    from bubble.program.bundle.own import Own
    from bubble.projects.exchange import selecting
    from bubble.projects.exchange.locked import LockFile
    from bubble.projects.manifest import Bubble, Project
    from bubble.pythons.installing.progress import Progress, Task
    from bubble.selection.resolve import World
    from bubble.system.staging import Staging


class Asked(Record):
    """What is asked for: platforms, Pythons, and bubbles of a project (None: none).

    `release` is the directory of a release's files (absolute), "" for the bubble that runs.
    """

    platforms: tuple[Platform, ...]
    requests: tuple[Request, ...]
    project: Project | None
    bubbles: tuple[Bubble, ...]
    release: str


class Gathered(Record):
    """A bundle's contents, and where each file's bytes are: an absolute path, or themselves."""

    contents: Contents
    sources: dict[str, str | bytes]


class _Chosen(Record):
    """What was found for what is asked: builds by platform, locks, wheels; all can be had."""

    own: Own
    pythons: dict[str, Download]  # by sha256
    chosen: frozenset[str]  # of these, what was asked for
    locks: dict[str, bytes]  # by file name
    wheels: dict[str, selecting.Wheel]  # by sha256
    platforms: dict[str, list[str]]  # of wheels, by sha256
    levels: dict[str, str]  # by platform


def gather(
    asked: Asked, world: World, staging: Staging, progress: Progress
) -> tuple[Gathered | None, tuple[BubbleError, ...]]:
    """Return all that a bundle takes along, fetched; or None, and each thing that can't be had.

    What pip downloads lies in `staging`. Raises BubbleError and OSError where nothing can be said
    of the rest.
    """
    errors: list[BubbleError] = []
    found = _choose(asked, world, errors)
    if errors:
        return None, tuple(errors)
    sources = _fetch(asked, found, world, staging, progress, errors)
    if errors:
        return None, tuple(errors)
    return _listed(asked, found, sources), ()


def _choose(asked: Asked, world: World, errors: list[BubbleError]) -> _Chosen:
    from bubble.pythons.installing.batch import open_fresh, require_python

    catalogue = open_fresh(world)
    own = itself.released(asked.release) if asked.release else itself.running(
        catalogue, asked.platforms
    )  # fmt: skip
    pythons: dict[str, Download] = {}
    chosen: set[str] = set()
    for platform in asked.platforms:
        pin = own.pins.get(str(platform))
        if pin is None:
            errors.append(_no_interpreter(platform, own))
        else:
            pythons[pin.sha256] = pin
        for request in asked.requests:
            try:
                require_python(request)
                download = catalogue.select(request, platform)
            except BubbleError as error:
                errors.append(error)
                continue
            pythons[download.sha256] = download
            chosen.add(download.sha256)
    locked = _Locks(asked, world, errors)
    pythons |= locked.pythons
    return _Chosen(
        own=own,
        pythons=pythons,
        chosen=frozenset(chosen | locked.pythons.keys()),
        locks=locked.locks,
        wheels=locked.wheels,
        platforms=locked.platforms,
        levels={p: ".".join(map(str, level)) for p, level in locked.levels.items() if level[0]},
    )


def _no_interpreter(platform: Platform, own: Own) -> BubbleError:
    where = "the release" if own.directory else "the catalogue"
    return BubbleError(
        "unavailable",
        f"{where} has no interpreter for {platform} that bubble itself could run on",
        hint="leave the platform out, or name a catalogue that has one: BUBBLE_CATALOG",
    )


class _Locks:
    """What the locks of the bubbles name and select for each platform."""

    def __init__(self, asked: Asked, world: World, errors: list[BubbleError]) -> None:
        self.errors = errors
        self.pythons: dict[str, Download] = {}
        self.locks: dict[str, bytes] = {}
        self.wheels: dict[str, selecting.Wheel] = {}
        self.platforms: dict[str, list[str]] = {}
        self.levels: dict[str, tuple[int, int]] = {}
        for bubble in asked.bubbles:
            try:
                assert asked.project is not None
                lock = self._read(asked.project, bubble, world)
            except BubbleError as error:
                errors.append(error)
                continue
            for platform in asked.platforms:
                self._take(lock, platform, world)

    def _read(self, project: Project, bubble: Bubble, world: World) -> LockFile:
        """Return a bubble's lock, which must be there and its manifest's; its bytes are kept."""
        from bubble.projects.exchange.locked import LockFile
        from bubble.projects.lock import is_stale
        from bubble.projects.lockfile import parse_lock, read_bytes
        from bubble.projects.sync import not_locked
        from bubble.system.version_file import parse_toml

        path = project.lock(bubble)
        data = read_bytes(path)
        if data is None:
            raise not_locked(path, bubble, missing=True)
        lock = parse_lock(data, path)
        if is_stale(project, bubble, lock, world):
            raise not_locked(path, bubble, missing=False)
        self.locks[os.path.basename(path)] = data
        return LockFile(path=path, whole=parse_toml(path, data), lock=lock)

    def _take(self, lock: LockFile, platform: Platform, world: World) -> None:
        from bubble.projects.exchange.selecting import select
        from bubble.projects.interpreter import build_for, download_of

        try:
            build = build_for(lock.lock, lock.path, world.replace(platform=platform))
            download = download_of(build, world)
        except BubbleError as error:
            self.errors.append(error)
            return
        self.pythons[download.sha256] = download
        selection = select(lock, parse_key(build.key))
        name = printable(os.path.basename(lock.path), 100)
        self.errors += [
            BubbleError(
                "unavailable",
                f"{name}: {obstacle}",
                hint="lock a version that has a wheel, leave the bubble or the platform out, or "
                "build a wheel and put it into the index",
            )
            for obstacle in selection.obstacles
        ]
        level = self.levels.get(str(platform), (0, 0))
        self.levels[str(platform)] = max(level, selection.level)
        for wheel in selection.wheels:
            self.wheels[wheel.sha256] = wheel
            names = self.platforms.setdefault(wheel.sha256, [])
            if str(platform) not in names:
                names.append(str(platform))


def _fetch(
    asked: Asked,
    found: _Chosen,
    world: World,
    staging: Staging,
    progress: Progress,
    errors: list[BubbleError],
) -> dict[str, str | bytes]:
    """Return where the bytes of each file are; what can't be had is added to `errors`."""
    from bubble.pythons.installing.install import fetch_archive

    sources: dict[str, str | bytes] = {}
    for download in found.pythons.values():
        name = f"pythons/{download.asset}"
        with _telling(str(download.key), progress, errors) as task:
            sources[name], _ = fetch_archive(download, world, task)
    for wheel in found.wheels.values():
        with _telling(wheel.file, progress, errors) as task:
            sources[f"wheels/{wheel.sha256}.whl"] = _wheel(wheel, world, task)
    if errors:
        return {}
    own = found.own
    keys = [own.pins[str(platform)].key for platform in asked.platforms]
    with _telling("bubble itself", progress, errors) as task:
        task.step("getting what it needs")
        needed = itself.wheels(own, keys, world, staging)
        sources |= {f"bubble/wheels/{name}": path for name, path in needed.items()}
    sources[f"bubble/{own.wheel}"] = own.data
    pins = [portable(own.pins[str(platform)]) for platform in asked.platforms]
    sources["bubble/install.sh"] = own.installer(pins).encode()
    sources |= {f"project/{name}": data for name, data in found.locks.items()}
    if asked.project is not None and asked.project.manifest:
        with open(asked.project.manifest, "rb") as file:
            sources[f"project/{os.path.basename(asked.project.manifest)}"] = file.read()
    return sources


class _telling:  # noqa: N801 - a verb in a `with`
    """The task of one thing that is fetched; why it can't be had is one of the errors."""

    def __init__(self, name: str, progress: Progress, errors: list[BubbleError]) -> None:
        self.task = progress.task(printable(name))
        self.errors = errors

    def __enter__(self) -> Task:
        return self.task

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        self.task.finish("there" if error is None else "failed")
        if isinstance(error, BubbleError):
            self.errors.append(error)
            return True
        return False


def _wheel(wheel: selecting.Wheel, world: World, task: Task) -> str:
    """Return the absolute path of a wheel's bytes."""
    from bubble.pythons.installing.install import fetch_file

    if not wheel.path:
        return fetch_file([with_credentials(wheel.url, world)], wheel.sha256, world, task)[0]
    if sha256_of(wheel.path) != wheel.sha256:
        raise BubbleError(
            "checksum",
            f"{printable(wheel.path, 500)} is missing, or has other bytes than its lock says",
            hint="bring the right one, or lock again: bubble lock",
        )
    return wheel.path


def with_credentials(url: str, world: World) -> str:
    """Return a lock's address with the user's credentials for its server, as pip has them."""
    from urllib.parse import urlsplit, urlunsplit

    from bubble.envs.tools.pip_settings import pip_settings

    parts = urlsplit(url)
    settings = pip_settings(world.env, command="download")
    for key in ("index-url", "extra-index-url", "find-links"):
        for word in settings[key].words if key in settings else ():
            known = urlsplit(word)
            user, at, host = known.netloc.rpartition("@")
            if at and (known.scheme, host) == (parts.scheme, parts.netloc):
                return urlunsplit(parts._replace(netloc=f"{user}@{host}"))
    return url


def portable(download: Download) -> Download:
    """Return a download whose address says nothing of this machine."""
    from urllib.parse import quote

    if not download.url.startswith("file:"):
        return download
    return download.replace(url=f"file:///{quote(download.asset)}")


def _listed(asked: Asked, found: _Chosen, sources: dict[str, str | bytes]) -> Gathered:
    """Return the contents, each file with its hash and size."""
    import bubble

    own = found.own
    manifest = os.path.basename(asked.project.manifest) if asked.project else ""
    hosts = [
        Host(
            platform=str(platform),
            own=f"pythons/{own.pins[str(platform)].asset}",
            libc=found.levels.get(str(platform), ""),
        )
        for platform in asked.platforms
    ]
    pythons = [
        Python(
            key=str(download.key),
            build=download.build,
            url=portable(download).url,
            sha256=download.sha256,
            file=f"pythons/{download.asset}",
            chosen=download.sha256 in found.chosen,
        )
        for download in found.pythons.values()
    ]
    wheels = [
        Wheel(file=w.file, sha256=w.sha256, platforms=tuple(sorted(found.platforms[w.sha256])))
        for w in found.wheels.values()
    ]
    version = own.wheel.split("-")[1] if own.directory else bubble.__version__
    contents = Contents(
        bubble=version,
        hosts=tuple(sorted(hosts, key=lambda host: host.platform)),
        pythons=tuple(sorted(pythons, key=lambda python: python.key)),
        manifest=manifest,
        locks={
            b.name: os.path.basename(asked.project.lock(b)) for b in asked.bubbles if asked.project
        },
        wheels=tuple(sorted(wheels, key=lambda wheel: (wheel.file, wheel.sha256))),
        files=tuple(_file(name, sources[name]) for name in sorted(sources)),
    )
    return Gathered(contents=contents, sources=sources)


def _file(name: str, source: str | bytes) -> File:
    import hashlib

    if isinstance(source, bytes):
        return File(name=name, sha256=hashlib.sha256(source).hexdigest(), size=len(source))
    return File(name=name, sha256=sha256_of(source) or "", size=os.path.getsize(source))

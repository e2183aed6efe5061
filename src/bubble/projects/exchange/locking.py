"""The locks of an import made whole: the interpreter, the digest of the manifest; files found."""

from __future__ import annotations

import re

from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.projects.builds import builds_for
from bubble.projects.exchange.texts import SMALL, read_toml, string, table
from bubble.projects.exchange.writing import Written
from bubble.projects.inputs import inputs_of
from bubble.projects.lock import request_of
from bubble.projects.lockfile import Lock, render
from bubble.projects.manifest import DEFAULT, PYPROJECT, Bubble, Project
from bubble.projects.reading import read_project
from bubble.projects.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bubble.projects.exchange.taken import Taken
    from bubble.projects.lockfile import Build
    from bubble.selection.resolve import World


def unavailable_python(taken: Taken, root: str, world: World) -> str:
    """Return why no interpreter can be locked for what was taken; "" where one can."""
    bubble = Bubble(name=DEFAULT, python=taken.python)
    project = Project(root=root, manifest="", platforms=(), bubbles=(bubble,))
    try:
        _builds(project, bubble, world)
    except BubbleError as error:
        return f"no lock was made: {error.message}; choose another Python in the manifest"
    return ""


def completed(root: str, locks: Sequence[Written], world: World) -> list[Written]:
    """Return the locks of the project's bubbles with `[tool.bubble]` in them.

    The manifest is in its place. Nothing is fetched. Raises BubbleError.
    """
    project = read_project(root)
    texts = {lock.path: lock for lock in locks}
    found = []
    for bubble in project.bubbles:
        lock = texts.get(project.lock(bubble))
        if lock is not None:
            found.append(lock.replace(text=_whole(project, bubble, lock.text, world)))
    return found


def looked_up(root: str, hashes: Mapping[tuple[str, str], set[str]], world: World) -> list[Written]:
    """Return the locks of the project's bubbles, as an index has the files of the pins.

    Of each pinned version, only files with one of its `hashes` get into a lock. Raises
    BubbleError (resolution, checksum: an index has none of the files that were pinned).
    """
    project = read_project(root)
    found = []
    for bubble in project.bubbles:
        request = request_of(project, bubble, world)
        builds = _builds(project, bubble, world)
        inputs = inputs_of(project, bubble, request)
        text = resolve(project, inputs, _minor(builds), world, before="", upgrade=None)
        plain = bubble.replace(
            constraints=tuple(c for c in bubble.constraints if "/constraints.imported." not in c)
        )
        text = only_known(text, hashes)
        found.append(
            Written(
                path=project.lock(bubble), text=_whole(project, plain, text, world), role="lock"
            )
        )
    return found


def only_known(text: str, hashes: Mapping[tuple[str, str], set[str]]) -> str:
    """Return a lock's text with no file of a pinned version that wasn't pinned.

    Raises BubbleError(checksum) where a pin has no file left, or another version was taken.
    """
    import tomllib

    from bubble.projects.exchange import rewriting

    read = tomllib.loads(text)
    names = {name for name, _ in hashes}
    for package in read.get("packages", []):
        key = (package["name"], string(package.get("version")))
        if package["name"] not in names or not (package.get("wheels") or package.get("sdist")):
            continue
        if key not in hashes:
            raise BubbleError(
                "resolution",
                f"{printable(key[0], 80)} {printable(key[1], 40)} was found, which isn't pinned",
                hint="look at what the manifest and its constraints ask for",
            )
        known = hashes[key]
        wheels = [w for w in package.get("wheels", []) if _is_known(w, known)]
        sdist = package.get("sdist")
        sdist = sdist if sdist and _is_known(sdist, known) else None
        if known and not (wheels or sdist):
            raise BubbleError(
                "checksum",
                f"the index has no file of {printable(key[0], 80)} {printable(key[1], 40)} with a "
                "hash that was pinned",
                hint="the index, or the lock, isn't what it was: compare them by hand",
            )
        if known:
            package["wheels"], package["sdist"] = wheels, sdist
    return rewriting.dumps(read)


def project_name(root: str) -> str:
    """Return what the project itself is called, "" where it has no pyproject.toml."""
    try:
        read = read_toml(f"{root}/{PYPROJECT}", SMALL)
    except BubbleError:
        return ""
    poetry = table(table(read.get("tool")).get("poetry"))
    return string(table(read.get("project")).get("name")) or string(poetry.get("name"))


def _is_known(file: Mapping[str, Mapping[str, str]], known: set[str]) -> bool:
    return any(f"{name}:{value}" in known for name, value in file["hashes"].items())


def _whole(project: Project, bubble: Bubble, packages: str, world: World) -> str:
    request = request_of(project, bubble, world)
    builds = _builds(project, bubble, world)
    lock = Lock(
        inputs=inputs_of(project, bubble, request).sha256,
        request=request,
        version=_version(builds),
        builds=builds,
        versions={},
    )
    return render(packages, lock).decode()


def _builds(project: Project, bubble: Bubble, world: World) -> tuple[Build, ...]:
    """Return the builds of a bubble's interpreter, by the catalogue that is there."""
    request = request_of(project, bubble, world)
    offline = world.replace(env={**world.env, "BUBBLE_OFFLINE": "1"})
    return builds_for(request, project.platforms, offline, kept="", newest=False)


def _version(builds: Sequence[Build]) -> str:
    found = re.match(r"[a-z]+-([0-9][^-+]*)", builds[0].key)
    return found[1] if found else ""


def _minor(builds: Sequence[Build]) -> str:
    return ".".join(_version(builds).split(".")[:2])

"""Which wheels a lock selects for another machine, and what it can't have there without a network.

Of a package with wheels for several versions of the C library, each that some machine would take.
"""

from __future__ import annotations

import functools
import os

from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects.exchange.machines import environment, level_of, tags
from bubble.projects.rules import file_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bubble.model.key import Key
    from bubble.projects.exchange.locked import LockFile
    from bubble.projects.exchange.machines import Level


class Wheel(Record):
    """A file of a lock: its name, its sha256 (hex), and where it is: a URL, or an absolute path."""

    file: str
    sha256: str
    url: str
    path: str


class Selection(Record):
    """What is selected; `obstacles` are sentences about what can't be taken along.

    `level` is the oldest C library (or macOS) that all of it runs with, (0, 0) for any.
    """

    wheels: tuple[Wheel, ...]
    obstacles: tuple[str, ...]
    level: Level


def select(lock: LockFile, key: Key) -> Selection:
    """Return what a lock selects for the interpreter `key`, on whatever machine it is for."""
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet

    if key.implementation != "cpython" or key.variant not in {"", "freethreaded"}:
        what = f"{key.name}: only packages of plain CPython can be taken along"
        return Selection(wheels=(), obstacles=(what,), level=(0, 0))
    version = str(key.version)
    markers: dict[str, Any] = {
        **environment(key.platform, version),
        "extras": frozenset(),
        "dependency_groups": frozenset(lock.whole.get("default-groups", ())),
    }
    obstacles: list[str] = []
    found: list[list[tuple[Level, Wheel]]] = []
    for package in lock.packages:
        marker = package.get("marker")
        if marker and not Marker(marker).evaluate(markers, context="lock_file"):
            continue
        python = package.get("requires-python", "")
        if python and not SpecifierSet(python).contains(version, prereleases=True):
            obstacles.append(f"{package['name']} wants Python {python}, and this is {version}")
            continue
        choices = _choices(package, key, os.path.dirname(lock.path))
        if choices:
            found.append(choices)
        else:
            obstacles.append(_obstacle(package, key))
    level = max((min(need for need, _ in choices) for choices in found), default=(0, 0))
    kept = [wheel for choices in found for wheel in _from(level, choices)]
    unique = {wheel.sha256: wheel for wheel in kept}
    return Selection(
        wheels=tuple(unique[sha256] for sha256 in sorted(unique)),
        obstacles=tuple(obstacles),
        level=level,
    )


def _choices(package: Mapping[str, Any], key: Key, directory: str) -> list[tuple[Level, Wheel]]:
    """Return the wheels that some machine would take, each from which level on, lowest first."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    every = _order(key, None)
    fitting = []
    for file in package.get("wheels", ()):
        try:
            named = [str(tag) for tag in parse_wheel_filename(file_name(file))[3]]
        except InvalidWheelFilename:
            continue
        known = [tag for tag in named if tag in every]
        if known:
            need = min(level_of(tag.rpartition("-")[2]) for tag in known)
            fitting.append((need, set(named), file))
    chosen: list[tuple[Level, Wheel]] = []
    for level in sorted({need for need, _, _ in fitting}):
        order = _order(key, level)
        there = [(min(order[t] for t in named if t in order), n)
                 for n, (need, named, _) in enumerate(fitting)
                 if need <= level and named & order.keys()]  # fmt: skip
        wheel = _wheel(fitting[min(there)[1]][2], directory)
        if wheel not in [w for _, w in chosen]:
            chosen.append((level, wheel))
    return chosen


@functools.cache
def _order(key: Key, level: Level | None) -> dict[str, int]:
    found = tags(key.platform, str(key.version), variant=key.variant, level=level)
    return {tag: n for n, tag in enumerate(found)}


def _from(level: Level, choices: list[tuple[Level, Wheel]]) -> list[Wheel]:
    """Return what machines of that level and newer take: the last one that is older, and later."""
    older = [n for n, (need, _) in enumerate(choices) if need <= level]
    return [wheel for _, wheel in choices[older[-1] if older else 0 :]]


def _wheel(file: Mapping[str, Any], directory: str) -> Wheel:
    path = file.get("path", "")
    return Wheel(
        file=file_name(file),
        sha256=file["hashes"]["sha256"].lower(),
        url="" if path else file["url"],
        path=os.path.normpath(os.path.join(directory, path)) if path else "",
    )


def _obstacle(package: Mapping[str, Any], key: Key) -> str:
    name = printable(f"{package['name']} {package.get('version', '')}".strip(), 120)
    if "vcs" in package:
        return f"{name} comes from a repository, and would have to be built there"
    if "directory" in package:
        where = printable(str(package["directory"].get("path", "")), 200)
        return f"{name} is a directory ({where}), and would have to be built there"
    archive = package.get("sdist") or package.get("archive")
    if archive:
        shown = printable(file_name(archive), 200)
        return f"{name} has no wheel for {key.platform}, and {shown} would have to be built there"
    return f"{name} has no wheel for {key.name} on {key.platform}"

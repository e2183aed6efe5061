"""`pdm.lock`: pins with their files' hashes, by groups; what was asked for is in pyproject.toml."""

from __future__ import annotations

import os

from bubble.model.package import canonical_name
from bubble.model.text import printable
from bubble.model.urls import published
from bubble.projects.exchange.declared import declared
from bubble.projects.exchange.graph import conditions
from bubble.projects.exchange.pins import specifier
from bubble.projects.exchange.taken import File, Held, Left, Pin, Taken, Tree
from bubble.projects.exchange.texts import (
    LARGE,
    inside,
    read_toml,
    string,
    strings,
    table,
    tables,
    unusable,
)
from bubble.projects.manifest import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def take_lock(path: str, root: str) -> Taken:
    """Understand a pdm.lock (absolute), and the pyproject.toml beside it."""
    read = read_toml(path, LARGE)
    metadata = table(read.get("metadata"))
    packages = tables(read.get("package"))
    if "lock_version" not in metadata:
        raise unusable(path, "it is no pdm.lock: it has no lock_version")
    locked = strings(metadata.get("groups"))
    project = declared(path, root, locked)  # PDM installs all groups of developers' unasked
    left: list[Left] = list(project.left)
    pins: list[tuple[Pin, dict[str, Any]]] = []
    for package in packages:
        if "name" not in package:
            raise unusable(path, "a package in it has no name")
        found = _pin(package, os.path.dirname(path), root)
        if isinstance(found, Left):
            left.append(found)
        else:
            pins.append((found, package))
    by_groups = "inherit_metadata" in strings(metadata.get("strategy"))
    bubbles = []
    for held in project.bubbles:
        if held.name != DEFAULT and not set(locked) & {*held.groups, held.name}:
            bubbles.append(held)  # not in the lock: it has yet to be locked
            continue
        # a bubble has what it extends; PDM's own groups, before PEP 735, have its names
        own = [name for name in project.asked if held.name == DEFAULT and name in locked]
        groups = {DEFAULT, *own, *project.bubbles[0].groups, *held.groups, held.name}
        chosen = _by_groups(groups, pins) if by_groups else _by_graph(groups, project, held, pins)
        bubbles.append(held.replace(pins=_whole(chosen)))
    targets = {string(t.get("requires_python")) for t in tables(metadata.get("targets"))}
    requires = targets.pop() if len(targets) == 1 else ""
    return project.replace(
        kind="pdm.lock",
        requires_python=requires,
        bubbles=tuple(bubbles),
        left=tuple(left),
    )


def _by_groups(groups: set[str], pins: list[tuple[Pin, dict[str, Any]]]) -> list[Pin]:
    return [
        pin.replace(marker=string(package.get("marker")))
        for pin, package in pins
        if groups & set(strings(package.get("groups")))
    ]


def _by_graph(
    groups: set[str], project: Taken, held: Held, pins: list[tuple[Pin, dict[str, Any]]]
) -> list[Pin]:
    """Return what a lock without inherited metadata says: what the roots lead to."""
    from packaging.requirements import Requirement

    nodes: dict[str, list[int]] = {}
    for at, (pin, _) in enumerate(pins):
        nodes.setdefault(pin.name, []).append(at)

    def steps(texts: tuple[str, ...]) -> list[tuple[int, str]]:
        found = []
        for text in texts:
            try:
                wanted = Requirement(text)
            except ValueError:
                continue
            for at in nodes.get(canonical_name(wanted.name), ()):
                extras = {canonical_name(extra) for extra in pins[at][0].extras}
                if extras <= {canonical_name(extra) for extra in wanted.extras}:
                    found.append((at, str(wanted.marker or "")))
        return found

    edges = {
        at: steps(strings(package.get("dependencies"))) for at, (_, package) in enumerate(pins)
    }
    default = project.bubbles[0]
    texts = (*project.asked.get(DEFAULT, default.dependencies), *held.dependencies)
    texts += tuple(text for group in groups for text in project.asked.get(group, ()))
    reached = conditions(steps(texts), edges)
    return [pin.replace(marker=reached[at]) for at, (pin, _) in enumerate(pins) if at in reached]


def _whole(pins: list[Pin]) -> tuple[Pin, ...]:
    """Return each distribution once: pdm lists it again for each set of extras."""
    found: dict[tuple[str, str], Pin] = {}
    for pin in pins:
        key = (pin.name, pin.version)
        known = found.get(key)
        if known is None:
            found[key] = pin
        elif pin.marker != known.marker:
            both = (
                "" if not (pin.marker and known.marker) else f"({known.marker}) or ({pin.marker})"
            )
            found[key] = known.replace(marker=both)
    return tuple(pin.replace(extras=()) for pin in found.values())


def _pin(package: dict[str, Any], base: str, root: str) -> Pin | Left:
    name = string(package["name"])
    try:
        tree = _tree(package, base, root)
        files = () if tree else tuple(_file(item) for item in tables(package.get("files")))
    except ValueError as error:
        return Left(what=printable(name, 80), why=str(error), pinned=True)
    return Pin(
        name=canonical_name(name),
        version=string(package.get("version")),
        extras=strings(package.get("extras")),
        requires_python=specifier(string(package.get("requires_python"))),
        files=files,
        tree=tree,
    )


def _file(item: dict[str, Any]) -> File:
    url, hidden = published(string(item.get("url")))
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("its address is none of the web")
    name = os.path.basename(string(item.get("file")) or url)
    return File(name=name, url="" if hidden else url, hashes=strings(item.get("hash")))


def _tree(package: dict[str, Any], base: str, root: str) -> Tree | None:
    if repository := string(package.get("git")):
        url, _ = published(repository)
        if url.startswith(("file:", "/", ".")):
            raise ValueError("it comes from a directory of a machine")
        return Tree(kind="vcs", system="git", url=url, revision=string(package.get("ref")),
                    commit=string(package.get("revision")),
                    subdirectory=string(package.get("subdirectory")))  # fmt: skip
    hashes = tuple(h for f in tables(package.get("files")) for h in strings(f.get("hash")))
    if address := string(package.get("url")):
        url, _ = published(address)
        if not url.startswith(("https://", "http://")):
            raise ValueError("it comes from a file of a machine")
        return Tree(kind="archive", url=url, hashes=hashes)
    if path := string(package.get("path")):
        found = inside(root, base, path)
        if os.path.isfile(f"{root}/{found}"):
            return Tree(kind="archive", path=found, hashes=hashes)
        return Tree(kind="directory", path=found, editable=bool(package.get("editable")))
    return None

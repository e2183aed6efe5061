"""Poetry's `pyproject.toml` and `poetry.lock`: ranges, groups, pins with their files' hashes."""

from __future__ import annotations

import os

from bubble.model.package import canonical_name
from bubble.model.text import printable
from bubble.model.urls import published
from bubble.projects.exchange.declared import extras_of
from bubble.projects.exchange.graph import conditions, joined
from bubble.projects.exchange.poetry_versions import specifier
from bubble.projects.exchange.taken import File, Held, Left, Pin, Taken, Tree
from bubble.projects.exchange.texts import (
    LARGE,
    SMALL,
    inside,
    read_toml,
    string,
    strings,
    table,
    tables,
    unusable,
)
from bubble.projects.exchange.tool_tables import entry, python_marker
from bubble.projects.manifest import DEFAULT, PYPROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def take_pyproject(path: str, root: str) -> Taken:
    """Understand `[tool.poetry]` of a pyproject.toml, and the lock beside it."""
    read = read_toml(path, SMALL)
    poetry = table(table(read.get("tool")).get("poetry"))
    if not poetry:
        raise unusable(
            path, "it has no [tool.poetry]", "bubble reads [project] as it is: bubble sync"
        )
    base = os.path.dirname(path)
    taken = _declared(read, poetry, base, root)
    lock = f"{base}/poetry.lock"
    return _with_lock(taken, lock, root) if os.path.isfile(lock) else taken


def take_lock(path: str, root: str) -> Taken:
    """Understand a poetry.lock, which needs the pyproject.toml beside it."""
    beside = f"{os.path.dirname(path)}/{PYPROJECT}"
    if not os.path.isfile(beside):
        raise unusable(
            path,
            f"there is no {PYPROJECT} beside it, which says what it is a lock of",
            f"copy Poetry's {PYPROJECT} there, too",
        )
    read = read_toml(beside, SMALL)
    poetry = table(table(read.get("tool")).get("poetry"))
    taken = _declared(read, poetry, os.path.dirname(path), root)
    return _with_lock(taken, path, root).replace(kind="poetry.lock")


def _declared(read: dict[str, Any], poetry: dict[str, Any], base: str, root: str) -> Taken:
    project = table(read.get("project"))
    left = [*extras_of(project)]
    notes: list[str] = []
    main = dict(table(poetry.get("dependencies")))
    python = _python(string(main.pop("python", "")), left)
    builds = "build-system" in read and poetry.get("package-mode", True) is not False
    how = "editable" if builds else "dependencies" if project else ""
    held = Held(project=how if base == root else "")
    optional = {name for name, value in main.items() if table(value).get("optional")}
    if optional and not project:
        names = ", ".join(printable(n, 60) for n in sorted(optional))
        left.append(Left(what=f"optional dependencies: {names}", why="they are extras: name them "
                         'in the manifest, extras = ["…"]'))  # fmt: skip
    if not project:  # else [project] has them, and tool.poetry only says where they come from
        held = _with(held, {n: v for n, v in main.items() if n not in optional}, base, root, left,
                     notes)  # fmt: skip
    held, others = _grouped(held, read, poetry, base, root, left, notes)
    for source in tables(poetry.get("source")):
        url, _ = published(string(source.get("url")))
        if url:
            notes.append(f"index {printable(url, 200)}: set it in pip's configuration")
    return Taken(
        kind="pyproject.toml of Poetry",
        python=python,
        bubbles=(held, *others),
        left=tuple(left),
        notes=tuple(dict.fromkeys(notes)),
    )


def _grouped(
    held: Held,
    read: dict[str, Any],
    poetry: dict[str, Any],
    base: str,
    root: str,
    left: list[Left],
    notes: list[str],
) -> tuple[Held, list[Held]]:
    """Return the default bubble with the groups that Poetry installs unasked, and the others."""
    others = []
    groups = dict(table(poetry.get("group")))
    if old := table(poetry.get("dev-dependencies")):
        groups.setdefault("dev", {"dependencies": old})
    standard = table(read.get("dependency-groups"))  # PEP 735, which Poetry reads since 2.2
    for name in dict.fromkeys((*groups, *standard)):
        group = table(groups.get(name))
        packages = table(group.get("dependencies"))
        named = (name,) if name in standard else ()
        if group.get("optional"):
            own = Held(name=canonical_name(name), extends=DEFAULT, groups=named)
            others.append(_with(own, packages, base, root, left, notes))
        else:
            held = _with(held.replace(groups=(*held.groups, *named)), packages, base, root, left,
                         notes)  # fmt: skip
    return held, others


def _with(
    held: Held, packages: dict[str, Any], base: str, root: str, left: list[Left], notes: list[str]
) -> Held:
    entries = [entry(name, value, base, root) for name, value in packages.items()]
    left += [x for e in entries for x in e.left]
    notes += [n for e in entries for n in e.notes]
    return held.replace(
        dependencies=(*held.dependencies, *(d for e in entries for d in e.dependencies)),
        lines=(*held.lines, *(line for e in entries for line in e.lines)),
    )


def _python(text: str, left: list[Left]) -> str:
    try:
        return specifier(text)
    except ValueError as error:
        left.append(Left(what=f"python {printable(text, 80)}", why=str(error)))
        return ""


def _with_lock(taken: Taken, path: str, root: str) -> Taken:
    read = read_toml(path, LARGE)
    metadata = table(read.get("metadata"))
    packages = tables(read.get("package"))
    if "lock-version" not in metadata:
        raise unusable(path, "it is no poetry.lock: it has no lock-version")
    old_files = table(metadata.get("files"))  # of locks before 2.0
    left = list(taken.left)
    pins: list[tuple[Pin, dict[str, Any]]] = []
    for package in packages:
        if "name" not in package or "version" not in package:
            raise unusable(path, "a package in it has no name or no version")
        found = _pin(package, old_files, os.path.dirname(path), root)
        if isinstance(found, Left):
            left.append(found)
        else:
            pins.append((found, package))
    by_groups = any("groups" in package for package in packages)
    bubbles = []
    for held in taken.bubbles:
        chosen = _by_groups(held, taken, pins) if by_groups else _by_graph(held, taken, pins)
        bubbles.append(held.replace(pins=chosen))
    wanted = string(metadata.get("python-versions"))
    try:
        requires = "" if wanted == "*" else specifier(wanted)
    except ValueError:
        requires = ""
    return taken.replace(bubbles=tuple(bubbles), left=tuple(left), requires_python=requires)


def _by_groups(held: Held, taken: Taken, pins: list[tuple[Pin, dict[str, Any]]]) -> tuple[Pin, ...]:
    """Return a bubble's pins of a lock that says which groups each package is for (2.1)."""
    others = {other.name for other in taken.bubbles[1:]} - {held.name}
    found = []
    for pin, package in pins:
        ours = [g for g in strings(package.get("groups")) if canonical_name(g) not in others]
        if not ours or package.get("optional") is True:  # what an extra asks for
            continue
        markers = package.get("markers")
        said = [string(markers.get(g)) for g in ours] if isinstance(markers, dict) else [markers]
        texts = [text for text in dict.fromkeys(map(string, said)) if text]
        if len(texts) > 1:
            texts = [f"({text})" for text in texts]
        always = "" in map(string, said)
        found.append(pin.replace(marker="" if always else " or ".join(texts)))
    return tuple(found)


def _by_graph(held: Held, taken: Taken, pins: list[tuple[Pin, dict[str, Any]]]) -> tuple[Pin, ...]:
    """Return a bubble's pins of an older lock: what its dependencies lead to."""
    from packaging.requirements import Requirement

    default = taken.bubbles[0]
    nodes: dict[str, list[str]] = {}
    edges: dict[str, list[tuple[str, str]]] = {}
    for pin, _ in pins:
        nodes.setdefault(pin.name, []).append(f"{pin.name}=={pin.version}")
    for pin, package in pins:
        steps: list[tuple[str, str]] = []
        for name, value in table(package.get("dependencies")).items():
            for marker in _markers(value):
                steps += [(node, marker) for node in nodes.get(canonical_name(name), ())]
        edges[f"{pin.name}=={pin.version}"] = steps
    roots: list[tuple[str, str]] = []
    for text in (*default.dependencies, *(held.dependencies if held is not default else ())):
        wanted = Requirement(text)
        name = canonical_name(wanted.name)
        marker = str(wanted.marker or "")
        roots += [(node, marker) for node in nodes.get(name, ())]
        for extra in wanted.extras:
            for pin, package in pins:
                if pin.name == name:
                    for needed in strings(table(package.get("extras")).get(extra)):
                        needed_name = canonical_name(needed.split()[0].split("[")[0])
                        roots += [(node, marker) for node in nodes.get(needed_name, ())]
    reached = conditions(roots, edges)
    return tuple(
        pin.replace(marker=joined(reached[node], _own_python(package)))
        for pin, package in pins
        if (node := f"{pin.name}=={pin.version}") in reached
    )


def _own_python(package: dict[str, Any]) -> str:
    """Return nothing: a package's `python-versions` is what it supports, not where it's needed."""
    return string(package.get("marker"))


def _markers(value: Any) -> list[str]:
    if isinstance(value, list):
        return [marker for item in value for marker in _markers(item)]
    spec = table(value)
    if spec.get("optional"):
        return []
    parts = [string(spec.get("markers"))]
    if python := string(spec.get("python")):
        parts.append(python_marker(specifier(python)))
    parts = [part for part in parts if part]
    return [" and ".join(f"({p})" if " or " in p and len(parts) > 1 else p for p in parts)]


def _pin(package: dict[str, Any], old: dict[str, Any], base: str, root: str) -> Pin | Left:
    name, version = string(package["name"]), string(package["version"])
    try:
        tree = _tree(table(package.get("source")), package, base, root)
    except ValueError as error:
        return Left(what=printable(name, 80), why=str(error), pinned=True)
    listed = package["files"] if "files" in package else old.get(name)
    source = table(package.get("source"))
    requires = string(package.get("python-versions"))
    try:
        requires = "" if requires == "*" else specifier(requires)
    except ValueError:
        requires = ""
    return Pin(
        name=canonical_name(name),
        version=version,
        requires_python=requires,
        files=() if tree else tuple(_file(item) for item in tables(listed)),
        index=published(string(source.get("url")))[0] if source.get("type") == "legacy" else "",
        tree=tree,
    )  # fmt: skip


def _file(item: dict[str, Any]) -> File:
    name = os.path.basename(string(item.get("file")))
    return File(name=name, hashes=strings(item.get("hash")))


def _tree(source: dict[str, Any], package: dict[str, Any], base: str, root: str) -> Tree | None:
    kind = string(source.get("type"))
    url, _ = published(string(source.get("url")))
    if kind == "git":
        if url.startswith(("file:", "/", ".")):
            raise ValueError("it comes from a directory of a machine")
        return Tree(kind="vcs", system="git", url=url, revision=string(source.get("reference")),
                    commit=string(source.get("resolved_reference")),
                    subdirectory=string(source.get("subdirectory")))  # fmt: skip
    hashes = tuple(h for f in tables(package.get("files")) for h in strings(f.get("hash")))
    if kind == "url":
        if not url.startswith(("https://", "http://")):
            raise ValueError("it comes from a file of a machine")
        return Tree(kind="archive", url=url, hashes=hashes)
    if kind == "file":
        return Tree(kind="archive", path=inside(root, base, string(source.get("url"))),
                    hashes=hashes)  # fmt: skip
    if kind == "directory":
        return Tree(kind="directory", path=inside(root, base, string(source.get("url"))),
                    editable=bool(package.get("develop")))  # fmt: skip
    return None

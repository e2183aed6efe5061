"""`Pipfile` and `Pipfile.lock`: pipenv's declarations, and its pins with their hashes."""

from __future__ import annotations

import os
import re

from bubble.model.package import canonical_name
from bubble.model.text import printable
from bubble.model.urls import published
from bubble.projects.exchange.taken import Held, Left, Pin, Taken, Tree
from bubble.projects.exchange.texts import (
    LARGE,
    SMALL,
    inside,
    read_json,
    read_toml,
    string,
    strings,
    table,
    tables,
    unusable,
)
from bubble.projects.exchange.tool_tables import entry
from bubble.projects.manifest import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# tables of a Pipfile that aren't categories of packages
_OTHERS = {"source", "requires", "scripts", "pipenv", "build-system", "pipfile"}
_CALLED = {"packages": DEFAULT, "dev-packages": "dev", "default": DEFAULT, "develop": "dev"}


def take_pipfile(path: str, root: str) -> Taken:
    """Understand a Pipfile (absolute), and the lock beside it where there is one."""
    read = read_toml(path, SMALL)
    if not any(isinstance(read.get(name), dict) for name in ("packages", "dev-packages")):
        raise unusable(path, "it is no Pipfile: it has no packages")
    base = os.path.dirname(path)
    bubbles, left, notes = [], [], []
    for category, packages in read.items():
        if category in _OTHERS or not isinstance(packages, dict):
            continue
        held, gone, said = _held(category, packages, base, root)
        bubbles.append(held)
        left += gone
        notes += said
    if read.get("scripts"):
        names = ", ".join(printable(name, 40) for name in list(table(read["scripts"]))[:8])
        left.append(Left(what=f"scripts: {names}", why="bubble has no scripts: bubble run CMD"))
    if settings := ", ".join(printable(key, 40) for key in table(read.get("pipenv"))):
        left.append(Left(what=f"[pipenv] {settings}", why="settings of pipenv's own"))
    notes += _sources(tables(read.get("source")))
    if any(dep.endswith("*") for b in bubbles for dep in b.dependencies):
        notes.append("a star stands for any version")
    requires = table(read.get("requires"))
    taken = Taken(
        kind="Pipfile",
        python=string(requires.get("python_full_version") or requires.get("python_version")),
        bubbles=_ordered(bubbles),
        left=tuple(left),
        notes=tuple(dict.fromkeys(notes)),
    )
    if os.path.isfile(f"{path}.lock"):
        return _with_lock(taken, f"{path}.lock", root)
    return taken


def take_pipfile_lock(path: str, root: str) -> Taken:
    """Understand a Pipfile.lock, with the Pipfile beside it where there is one."""
    beside = path.removesuffix(".lock")
    if os.path.isfile(beside):
        return take_pipfile(beside, root).replace(kind="Pipfile.lock")
    locked = _with_lock(Taken(kind="Pipfile.lock", bubbles=()), path, root)
    bubbles = []
    for held in locked.bubbles:  # what was asked for isn't known any more: all of it
        names = [f"{p.name}=={p.version}" + (f" ; {p.marker}" if p.marker else "")
                 for p in held.pins if p.version]  # fmt: skip
        bubbles.append(held.replace(dependencies=(*names, *held.dependencies)))
    note = "there is no Pipfile beside it: every package of the lock is a dependency"
    return locked.replace(bubbles=tuple(bubbles), notes=(*locked.notes, note))


def _held(
    category: str, packages: dict[str, Any], base: str, root: str
) -> tuple[Held, list[Left], list[str]]:
    name = _CALLED.get(category, canonical_name(category))
    entries = [entry(package, value, base, root) for package, value in packages.items()]
    lines = [line for e in entries for line in e.lines]
    itself = {"-e .": "editable", ".": "built"}
    found = [itself[line] for line in lines if line in itself]
    is_project = bool(found) and os.path.isfile(f"{root}/pyproject.toml")
    held = Held(
        name=name,
        extends="" if name == DEFAULT else DEFAULT,
        dependencies=tuple(d for e in entries for d in e.dependencies),
        lines=tuple(line for line in lines if not (is_project and line in itself)),
        project=found[0] if is_project else "",
    )
    return held, [x for e in entries for x in e.left], [n for e in entries for n in e.notes]


def _ordered(bubbles: list[Held]) -> tuple[Held, ...]:
    """Return the default bubble first; an empty one where others need it."""
    first = [held for held in bubbles if held.name == DEFAULT]
    rest = [held for held in bubbles if held.name != DEFAULT and _holds(held)]
    return (*(first or [Held()]), *rest)


def _holds(held: Held) -> bool:
    return bool(held.dependencies or held.lines or held.project or held.pins)


def _sources(sources: list[dict[str, Any]]) -> list[str]:
    """Return what to say of indexes: the first one is what the installer uses anyway."""
    notes = []
    for source in sources:
        url, hidden = published(string(source.get("url")))
        said = " (its credentials were left out)" if hidden or "$" in url else ""
        if string(source.get("name")) != "pypi":
            notes.append(f"index {printable(url, 200)}{said}: set it in pip's configuration")
        if source.get("verify_ssl") is False:
            notes.append(f"index {printable(url, 200)} was used without checking its certificate")
    return notes


def _with_lock(taken: Taken, path: str, root: str) -> Taken:
    read = read_json(path, LARGE)
    if not isinstance(read, dict) or "_meta" not in read:
        raise unusable(path, "it is no Pipfile.lock: it has no _meta")
    meta = table(read["_meta"])
    indexes = {string(s.get("name")): string(s.get("url")) for s in tables(meta.get("sources"))}
    known = {held.name: held for held in taken.bubbles}
    sections = {_CALLED.get(name, canonical_name(name)): table(value)
                for name, value in read.items() if name != "_meta"}  # fmt: skip
    left, notes = list(taken.left), list(taken.notes)
    open_: dict[str, tuple[str, ...]] = {}
    pins: dict[str, dict[str, Pin]] = {}
    for name, section in sections.items():
        pins[name] = {}
        for package, value in section.items():
            if (line := _not_pinned(package, table(value))) or (
                name in known and _is_open(package, table(value), known[name])
            ):
                open_[name] = (*open_.get(name, ()), *([line] if line else ()))
                notes.append(
                    f"{printable(package, 80)} isn't pinned: pipenv needed none where it locked"
                )
                continue
            found = _pin(package, table(value), indexes, path, root)
            if isinstance(found, Left):
                left.append(found)
            else:
                pins[name][found.name] = found
    for name, own in pins.items():
        extends = "" if name == DEFAULT else DEFAULT
        new = Held(name=name, extends=extends, dependencies=open_.get(name, ()))
        held = known.get(name, new)
        # a bubble has what it extends as well, in the versions of its own section
        known[name] = held.replace(pins=tuple((pins.get(DEFAULT, {}) | own).values()))
    requires = table(meta.get("requires"))
    python = string(requires.get("python_full_version") or requires.get("python_version"))
    return taken.replace(
        python=taken.python or python,
        bubbles=_ordered(list(known.values())),
        left=tuple(left),
        notes=tuple(dict.fromkeys(notes)),
    )


def _not_pinned(name: str, value: dict[str, Any]) -> str:
    """Return the requirement of a package that the machine which locked had no use for, else "".

    Its marker didn't hold there: pipenv writes what the Pipfile has, without a hash.
    """
    version, marker = string(value.get("version")), string(value.get("markers"))
    if not marker or value.get("hashes") or not version or version.startswith("=="):
        return ""
    extras = ",".join(strings(value.get("extras")))
    said = f"{name}[{extras}]" if extras else name
    return f"{said}{'' if version == '*' else version} ; {marker}"


def _is_open(name: str, value: dict[str, Any], held: Held) -> bool:
    """Whether the Pipfile says when a package is wanted, which its lock has neither for nor of."""
    asked = {canonical_name(re.split(r"[^\w.-]", d, maxsplit=1)[0]) for d in held.dependencies}
    return value == {"version": "*"} and canonical_name(name) in asked


def _pin(
    name: str, value: dict[str, Any], indexes: dict[str, str], path: str, root: str
) -> Pin | Left:
    base = os.path.dirname(path)
    try:
        tree = _tree(value, base, root)
    except ValueError as error:
        return Left(what=printable(name, 80), why=str(error), pinned=True)
    version = string(value.get("version"))
    if not tree and not version.startswith("=="):
        raise unusable(path, f"{printable(name, 80)} has no exact version in it")
    index = published(indexes.get(string(value.get("index")), ""))[0]
    return Pin(
        name=canonical_name(name),
        version="" if tree else version.removeprefix("==").removeprefix("="),
        extras=strings(value.get("extras")),
        marker=string(value.get("markers")),
        hashes=strings(value.get("hashes")),
        index="" if string(value.get("index")) == "pypi" else index,
        tree=tree,
    )


def _tree(value: dict[str, Any], base: str, root: str) -> Tree | None:
    if repository := string(value.get("git")):
        url, _ = published(repository)
        commit = string(value.get("ref"))
        if url.startswith(("file:", "/", ".")):
            raise ValueError("it comes from a directory of a machine")
        return Tree(kind="vcs", system="git", url=url, revision=commit, commit=commit,
                    subdirectory=string(value.get("subdirectory")))  # fmt: skip
    target = string(value.get("path") or value.get("file"))
    if not target:
        return None
    if "://" in target:
        url, _ = published(target)
        if not url.startswith(("https://", "http://")):
            raise ValueError("it comes from a file of a machine")
        return Tree(kind="archive", url=url, hashes=strings(value.get("hashes")))
    return Tree(kind="directory", path=inside(root, base, target),
                editable=bool(value.get("editable")))  # fmt: skip

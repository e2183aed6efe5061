"""Dependencies as Poetry and pipenv write them: a name with a version, or with a table.

Both have the same kinds: a version from an index, a repository, an archive, a directory; extras and
markers. Formats: Poetry's "dependency specification", pipenv's "Pipfile".
"""

from __future__ import annotations

import os
import re

from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.urls import published
from bubble.projects.exchange.poetry_versions import specifier
from bubble.projects.exchange.taken import Left
from bubble.projects.exchange.texts import inside, string, strings, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SYSTEMS = ("git", "hg", "svn", "bzr")
_MARKERS = ("sys_platform", "os_name", "platform_machine", "platform_python_implementation",
            "platform_version", "platform_system", "implementation_name")  # fmt: skip
_KNOWN = {
    *_SYSTEMS, *_MARKERS, "version", "extras", "markers", "python", "platform", "optional", "rev",
    "ref", "tag", "branch", "subdirectory", "url", "file", "path", "editable", "develop", "index",
    "source", "hashes",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


class Entry(Record):
    """What one entry of such a table becomes: PEP 508 lines, or lines of a requirements file."""

    dependencies: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    notes: tuple[str, ...] = ()


def entry(name: str, value: Any, base: str, root: str) -> Entry:
    """Return what an entry becomes; `base` is the directory of its file, `root` the project's."""
    if isinstance(value, list):  # one for each marker
        parts = [entry(name, item, base, root) for item in value]
        return Entry(
            **{key: tuple(x for p in parts for x in getattr(p, key)) for key in Entry._fields}
        )
    shown = printable(name, 80)
    notes: list[str] = []
    try:
        if not _NAME.fullmatch(name):
            raise ValueError("it is no name of a distribution")  # noqa: TRY301 - told below
        spec = {"version": value} if isinstance(value, str) else table(value)
        if not spec:
            raise ValueError("it is neither a version nor a table")  # noqa: TRY301 - told below
        others = ", ".join(printable(key, 40) for key in spec if key not in _KNOWN)
        if others:
            notes.append(f"{shown}: {others} has no counterpart")
        extras = ",".join(strings(spec.get("extras")))
        wanted = f"{name}[{extras}]" if extras else name
        marker = _marker(spec)
        tail = f" ; {marker}" if marker else ""
        target, editable = _target(spec, base, root, notes)
        if spec.get("index") or spec.get("source"):
            index = printable(string(spec.get("index") or spec.get("source")), 60)
            notes.append(f"{shown} is taken from the index “{index}”: say it in your installer's "
                         "configuration")  # fmt: skip
        if not target:
            return _checked(f"{wanted}{specifier(_version(spec))}{tail}", notes)
        if editable or target.startswith("."):
            line = f"-e {target}" if editable else target
            line += f"[{extras}]" if extras and target.startswith(".") else ""
            return Entry(lines=(line,), notes=tuple(notes))
        return _checked(f"{wanted} @ {target}{tail}", notes)
    except ValueError as error:
        return Entry(left=(Left(what=shown, why=str(error)),), notes=tuple(notes))


def _checked(text: str, notes: list[str]) -> Entry:
    from packaging.requirements import Requirement

    try:
        Requirement(text)
    except ValueError:
        raise ValueError("PEP 508 can't say it") from None
    return Entry(dependencies=(text,), notes=tuple(notes))


def _version(spec: Mapping[str, Any]) -> str:
    version = spec.get("version", "*")
    if not isinstance(version, str):
        raise ValueError("its version is no text")  # noqa: TRY004 - told as all of the file is
    return version


def _marker(spec: Mapping[str, Any]) -> str:
    """Return the marker that a table says, by `markers` or by a key of its own for each name."""
    parts = [string(spec.get("markers"))]
    if python := string(spec.get("python")):
        parts.append(python_marker(specifier(python)))
    if platform := string(spec.get("platform")):
        parts.append(f"sys_platform == '{platform}'")
    # pipenv: `sys_platform = "== 'win32'"`
    parts += [f"{name} {value}" for name in _MARKERS if (value := string(spec.get(name)))]
    parts = [part for part in parts if part]
    if len(parts) == 1:
        return parts[0]
    return " and ".join(f"({part})" if " or " in part else part for part in parts)


def python_marker(versions: str) -> str:
    """Return a specifier as a marker on the interpreter's version."""
    clauses = []
    for clause in filter(None, versions.split(",")):
        found = re.fullmatch(r"([<>=!~]+)(.*)", clause)
        if not found:
            raise ValueError(f"“{clause}” is no version")
        exact = found[2].removesuffix(".*").count(".") > 1
        name = "python_full_version" if exact else "python_version"
        clauses.append(f"{name} {found[1]} '{found[2]}'")
    return " and ".join(clauses)


def _target(spec: Mapping[str, Any], base: str, root: str, notes: list[str]) -> tuple[str, bool]:
    """Return where an entry comes from if not from an index, and whether it is editable."""
    editable = bool(spec.get("editable") or spec.get("develop"))
    for system in _SYSTEMS:
        if url := string(spec.get(system)):
            plain, hidden = published(_https(url))
            if hidden:
                notes.append("a repository's URL had credentials: they were left out")
            if plain.startswith("file:"):
                raise ValueError("it comes from a directory of a machine")
            revision = next((string(spec.get(k)) for k in ("rev", "ref", "tag", "branch")
                             if string(spec.get(k))), "")  # fmt: skip
            below = string(spec.get("subdirectory"))
            target = f"{system}+{plain}" + (f"@{revision}" if revision else "")
            return target + (f"#subdirectory={below}" if below else ""), False
    for key in ("url", "file", "path"):
        value = string(spec.get(key))
        if not value:
            continue
        if "://" in value:
            plain, hidden = published(value)
            if not plain.startswith(("https://", "http://")):
                raise ValueError("it comes from a file of a machine")
            if hidden:
                notes.append("an archive's URL had credentials or a query: they were left out")
            return plain, False
        found = inside(root, base, value)
        return "." if found == "." else f"./{found}", editable and os.path.isdir(f"{root}/{found}")
    return "", False


def _https(url: str) -> str:
    """Return a repository's address as a URL, also where it is written as ssh's `git@host:path`."""
    found = re.fullmatch(r"([\w.-]+@[\w.-]+):(?!//)(.+)", url)
    return f"ssh://{found[1]}/{found[2]}" if found else url

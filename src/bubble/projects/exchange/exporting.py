"""`bubble export`: what a lock pins, or an environment has, in the words of other tools."""

from __future__ import annotations

import os
import re
import shlex

from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.urls import published
from bubble.projects.exchange import rewriting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bubble.projects.exchange.locked import LockFile

FORMATS = ("requirements", "pylock", "environment.yml", "dockerfile")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._=<>!~,\[\]+-]*")


class Exported(Record):
    """A text of another tool's, and what to know about it."""

    text: str
    warnings: tuple[str, ...] = ()


def requirements(lock: LockFile) -> Exported:
    """Return a lock as requirements, with every hash and marker."""
    warnings: list[str] = []
    found = [_requirement(package, warnings) for package in lock.packages]
    hashed = any(hashes for _, hashes in found)
    lines = []
    for line, hashes in found:
        if hashed and not hashes:  # beside hashes, pip takes nothing without
            lines.append(f"# {line}")
            words = line.split(" ", 1) if line.startswith("-e ") else [line]
            warnings.append(
                f"“{line}” is a comment: no hash can be said of a source tree; install it after "
                f"the others: pip install --no-deps {shlex.join(words)}"
            )
        else:
            lines.append(" \\\n".join([line, *(f"    --hash={value}" for value in hashes)]))
    return Exported(
        text="".join(f"{line}\n" for line in lines),
        warnings=(*dict.fromkeys(warnings), *_about(lock)),
    )


def pylock(lock: LockFile) -> Exported:
    """Return a lock as a lock: a narrowed one is written anew."""
    from bubble.projects.lockfile import render

    packages = rewriting.dumps(lock.whole)
    if not lock.lock.version:
        return Exported(text=packages)
    return Exported(text=render(packages, lock.lock).decode())


def environment_yml(
    name: str, python: str, lines: Sequence[str], origin: str, warnings: Sequence[str] = ()
) -> Exported:
    """Return an `environment.yml` with conda's Python and pip's packages.

    `python` is a full version; conda gets its minor, since it doesn't build every patch. `lines`
    are requirements, `origin` says in a comment what they are from.
    """
    minor = ".".join(python.split(".")[:2])
    text = [
        f"# Made by bubble export from {printable(origin, 120)}, with Python {python}.",
        f"name: {_yaml(name)}",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python={minor}",
        "  - pip",
    ]
    if lines:
        text += ["  - pip:", *(f"      - {_yaml(line)}" for line in lines)]
    return Exported(text="".join(f"{line}\n" for line in text), warnings=tuple(warnings))


def from_lock(lock: LockFile, name: str, python: str) -> Exported:
    """Return a lock as an `environment.yml` called `name`."""
    warnings: list[str] = []
    lines = [_requirement(package, warnings)[0] for package in lock.packages]
    said = ["the hashes are left out: conda hands pip's part on without them"]
    return environment_yml(
        name, python, lines, os.path.basename(lock.path),
        (*dict.fromkeys(warnings), *said, *_about(lock)),
    )  # fmt: skip


def _requirement(package: Mapping[str, Any], warnings: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return a package as a requirement, and its hashes."""
    name = package["name"]
    marker = f" ; {package['marker']}" if package.get("marker") else ""
    if vcs := package.get("vcs"):
        url = _clean(vcs.get("url") or f"./{vcs['path']}", name, warnings)
        return f"{name} @ {vcs['type']}+{url}@{vcs['commit-id']}{_below(vcs)}{marker}", ()
    if directory := package.get("directory"):
        path = os.path.normpath(os.path.join(directory["path"], directory.get("subdirectory", "")))
        place = path if os.path.isabs(path) or path.startswith(".") else f"./{path}"
        if os.path.isabs(path):
            warnings.append(f"{name} is a directory of this machine: {printable(path, 200)}")
        return (f"-e {place}" if directory.get("editable") else place), ()
    if archive := package.get("archive"):
        place = archive.get("url") or f"./{archive['path']}"
        url = _clean(place, name, warnings)
        if "url" not in archive:  # pip takes a path without a name
            return url, _hashes([archive])
        return f"{name} @ {url}{_below(archive)}{marker}", _hashes([archive])
    files = [*([package["sdist"]] if package.get("sdist") else []), *package.get("wheels", [])]
    return f"{name}=={package['version']}{marker}", _hashes(files)


def _hashes(files: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the hashes that pip takes, each once."""
    found = {
        f"{kind}:{value.lower()}"
        for file in files
        for kind, value in file["hashes"].items()
        if kind in {"sha256", "sha384", "sha512"} and re.fullmatch(r"[0-9A-Fa-f]+", value)
    }
    return tuple(sorted(found))


def _below(table: Mapping[str, Any]) -> str:
    return f"#subdirectory={table['subdirectory']}" if table.get("subdirectory") else ""


def _clean(url: str, name: str, warnings: list[str]) -> str:
    plain, hidden = published(url)
    if hidden:
        warnings.append(f"{name} has a URL with credentials or a query: they are left out")
    if plain.startswith("file:"):
        warnings.append(f"{name} is a file of this machine: {printable(plain, 200)}")
    return plain


def _about(lock: LockFile) -> list[str]:
    """Return what to say of a lock that others can't hold as it is."""
    indexes = {published(p["index"])[0] for p in lock.packages if p.get("index")}
    if len(indexes) < 2:
        return []
    return [f"its packages are from several indexes: {', '.join(sorted(indexes))}"]


def _yaml(text: str) -> str:
    """Return a text as a scalar of YAML: plain where that is safe, else in double quotes."""
    import json

    if _PLAIN.fullmatch(text) and not text.endswith(" ") and not re.fullmatch(r"[\d.]+", text):
        return text
    return json.dumps(text)

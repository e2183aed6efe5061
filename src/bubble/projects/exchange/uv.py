"""`uv.lock`: a graph of pins, with the addresses and hashes of their files.

Format: uv's own, version 1 (its documentation: "project structure"). It says who needs whom and
where; the conditions of each package are put together here.
"""

from __future__ import annotations

import os
from urllib.parse import parse_qs, urlsplit

from bubble.model.package import canonical_name
from bubble.model.text import printable
from bubble.model.urls import published
from bubble.projects.exchange.declared import declared
from bubble.projects.exchange.graph import conditions
from bubble.projects.exchange.taken import File, Left, Pin, Taken, Tree
from bubble.projects.exchange.texts import (
    LARGE,
    inside,
    read_toml,
    string,
    strings,
    table,
    tables,
    unusable,
    web_address,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Step = tuple[tuple[int, str], str]  # a package (its place in the lock) and an extra, a marker


def take_lock(path: str, root: str) -> Taken:
    """Understand a uv.lock (absolute), and the pyproject.toml beside it."""
    read = read_toml(path, LARGE)
    if read.get("version") != 1 or not isinstance(read.get("package", []), list):
        raise unusable(path, "it is no uv.lock of a version that is known here (1)")
    packages = tables(read.get("package"))
    if any(not string(package.get("name")) for package in packages):
        raise unusable(path, "a package in it has no name")
    project = declared(path, root, None)
    lock = _Lock(packages, path, root)
    left = list(project.left)
    bubbles = []
    default = project.bubbles[0]
    # before PEP 735, uv had one group in a table of its own
    unasked = {"dev"} if "dev" in project.asked and not project.named("dev") else set()
    for held in project.bubbles:
        pins = lock.pins({*unasked, *default.groups, *held.groups})
        left += [one for one in pins if isinstance(one, Left) and one not in left]
        bubbles.append(held.replace(pins=tuple(pin for pin in pins if isinstance(pin, Pin))))
    return project.replace(
        kind="uv.lock",
        requires_python=string(read.get("requires-python")) or project.requires_python,
        bubbles=tuple(bubbles),
        left=tuple(left),
    )


class _Lock:
    """The packages of a lock, by their place in it."""

    def __init__(self, packages: list[dict[str, Any]], path: str, root: str) -> None:
        self.packages = packages
        self.path = path
        self.root = root
        self.base = os.path.dirname(path)
        self.places: dict[str, list[int]] = {}
        for at, package in enumerate(packages):
            self.places.setdefault(canonical_name(package["name"]), []).append(at)
        self.itself = self._root()

    def pins(self, groups: set[str]) -> list[Pin | Left]:
        """Return what the project and these groups need, each with where it does."""
        itself = self.packages[self.itself]
        roots: list[Step] = self._steps(itself.get("dependencies"))
        development = table(itself.get("dev-dependencies")) | table(itself.get("dependency-groups"))
        for name in sorted(groups):
            roots += self._steps(development.get(name))
        edges: dict[tuple[int, str], list[Step]] = {}
        for at, package in enumerate(self.packages):
            edges[at, ""] = self._steps(package.get("dependencies"))
            for extra, needed in table(package.get("optional-dependencies")).items():
                edges[at, canonical_name(extra)] = self._steps(needed)
        try:
            reached = conditions(roots, edges)
        except ValueError as error:
            raise unusable(self.path, str(error), "lock it anew: bubble lock") from None
        found: list[Pin | Left] = []
        for at, package in enumerate(self.packages):
            if (at, "") not in reached or at == self.itself:
                continue
            marker = reached[at, ""]
            if "extra ==" in marker:
                raise unusable(
                    self.path,
                    "it has conflicting extras, which a standard lock can't tell apart",
                    "export one of them: uv export --format pylock.toml --extra NAME",
                )
            found.append(self._pin(package, marker))
        return found

    def _root(self) -> int:
        for at, package in enumerate(self.packages):
            source = table(package.get("source"))
            kinds = ("editable", "virtual", "directory")
            if any(source.get(kind) == "." for kind in kinds):
                return at
        raise unusable(self.path, "it has no package that is this directory's",
                       "import it in the directory of the workspace's member")  # fmt: skip

    def _steps(self, needed: object) -> list[Step]:
        steps: list[Step] = []
        for one in tables(needed):
            marker = string(one.get("marker"))
            for at in self._meant(one):
                steps.append(((at, ""), marker))
                steps += [((at, canonical_name(e)), marker) for e in strings(one.get("extra"))]
        return steps

    def _meant(self, one: dict[str, Any]) -> list[int]:
        """Return the packages that a dependency means: by its version and source, if it has any."""
        places = self.places.get(canonical_name(string(one.get("name"))), [])
        for key in ("version", "source"):
            if key in one:
                places = [at for at in places if self.packages[at].get(key) == one[key]]
        if not places:
            name = printable(string(one.get("name")), 80)
            raise unusable(self.path, f"it needs {name}, which isn't in it")
        return places

    def _pin(self, package: dict[str, Any], marker: str) -> Pin | Left:
        name = printable(package["name"], 80)
        source = table(package.get("source"))
        try:
            tree = _tree(source, package, self.base, self.root)
            files = () if tree else self._files(package, source)
            index = _index(source)
        except ValueError as error:
            return Left(what=name, why=str(error), pinned=True)
        return Pin(
            name=canonical_name(package["name"]),
            version=string(package.get("version")),
            marker=marker,
            files=files,
            index=index,
            tree=tree,
        )

    def _files(self, package: dict[str, Any], source: dict[str, Any]) -> tuple[File, ...]:
        listed = [*tables(package.get("wheels")), *tables([package.get("sdist")])]
        return tuple(_file(item, source, self.base, self.root) for item in listed)


def _file(item: dict[str, Any], source: dict[str, Any], base: str, root: str) -> File:
    size = item.get("size")
    file = File(
        name="", hashes=strings(item.get("hash")), size=size if isinstance(size, int) else 0
    )
    if url := string(item.get("url")):
        plain, _ = web_address(url)
        name = string(item.get("filename")) or os.path.basename(urlsplit(plain).path)
        return file.replace(name=name, url=plain)
    path = string(item.get("path") or item.get("filename"))
    registry = string(source.get("registry"))
    local = registry and "://" not in registry
    place = inside(root, os.path.join(base, registry) if local else base, path)
    return file.replace(name=os.path.basename(path), path=place)


def _index(source: dict[str, Any]) -> str:
    registry = string(source.get("registry"))
    return published(registry)[0] if "://" in registry else ""


def _tree(source: dict[str, Any], package: dict[str, Any], base: str, root: str) -> Tree | None:
    if git := string(source.get("git")):
        parts = urlsplit(git)
        asked = parse_qs(parts.query)
        url, _ = published(git)
        if not url.startswith(("https://", "http://", "ssh://")):
            raise ValueError("it comes from a directory of a machine")
        revision = next((asked[k][0] for k in ("rev", "tag", "branch") if k in asked), "")
        return Tree(kind="vcs", system="git", url=url, revision=revision, commit=parts.fragment,
                    subdirectory=(asked.get("subdirectory") or [""])[0])  # fmt: skip
    files = [*tables(package.get("wheels")), *tables([package.get("sdist")])]
    hashes = tuple(h for item in files for h in strings(item.get("hash")))
    below = string(source.get("subdirectory"))
    if address := string(source.get("url")):
        return Tree(kind="archive", url=web_address(address)[0], hashes=hashes,
                    subdirectory=below)  # fmt: skip
    if path := string(source.get("path")):
        return Tree(kind="archive", path=inside(root, base, path), hashes=hashes)
    for key in ("editable", "directory", "virtual"):
        if path := string(source.get(key)):
            return Tree(kind="directory", path=inside(root, base, path),
                        editable=key == "editable")  # fmt: skip
    return None

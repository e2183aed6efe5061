"""The packages of a lock, in one form: whatever resolver they came from, the same text.

Paths are relative to the project where they lie in it, no address has a user, a password or a
query, every file has its sha256, and what no Python of the bubble's minor version could use is
left out.
"""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.model.urls import published
from bubble.projects.markers import always_holds, can_hold, minor_of
from bubble.projects.rules import file_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Table = dict[str, Any]
    Hasher = Callable[[str, str, str], str]

_ABI3 = re.compile(r"(?:cp|py)3(\d+)")


class Packages(Record):
    """The packages' part of a lock, as TOML has it: in the order in which it is written.

    `hidden` are the packages in whose addresses something was that may be a secret.
    """

    head: dict[str, Any]
    tables: tuple[dict[str, Any], ...]
    hidden: tuple[str, ...] = ()


def canonical(
    read: Mapping[str, Any], *, base: str, root: str, python: str, sha256: Hasher
) -> Packages:
    """Return a resolver's answer in the form in which locks have it.

    `read` is what it says (PEP 751), `base` the absolute directory that its paths start from,
    `root` the project's, `python` the bubble's (`3.12`, or `3.12.4` and later). `sha256` is asked
    for the hash of a file that came without one: package, URL, absolute path (one of them "").
    Raises BubbleError(resolution) for what is no lock, or what `sha256` raises.
    """
    from packaging.pylock import Pylock, PylockValidationError

    try:
        checked = Pylock.from_dict(read).to_dict()
    except PylockValidationError as error:
        raise BubbleError(
            "resolution",
            f"the resolver's answer is no lock: {printable(str(error), 300)}",
            hint="try another version of it",
        ) from None
    head: Table = {"lock-version": "1.0"}
    if checked.get("environments"):
        head["environments"] = [quoted_once(str(marker)) for marker in checked["environments"]]
    head["requires-python"] = _required(python)
    head["created-by"] = "bubble"
    work = _Work(base, root, python, sha256)
    tables = [work.package(package) for package in checked.get("packages", ())]
    kept = [table for table in tables if table]
    kept.sort(key=lambda t: (t["name"], t.get("version", ""), t.get("marker", ""), str(t)))
    return Packages(head=head, tables=tuple(kept), hidden=tuple(dict.fromkeys(work.hidden)))


def _required(python: str) -> str:
    """Return the specifier of a minor version's releases, from one on where that is said."""
    minor = minor_of(python)
    if minor == python:
        return f"=={minor}.*"
    major, _, number = minor.partition(".")
    return f">={python},<{major}.{int(number) + 1}"


def text_of(packages: Packages) -> str:
    """Return the packages' part of a lock's text."""
    from bubble.projects.tomltext import lines

    written = lines(packages.head)
    if not packages.tables:
        written.append("packages = []")
    for table in packages.tables:
        written += ["", "[[packages]]", *lines(table)]
    return "".join(f"{line}\n" for line in written)


class _Work:
    """One answer that is put into form."""

    def __init__(self, base: str, root: str, python: str, sha256: Hasher) -> None:
        self.base, self.root, self.python, self.sha256 = base, root, python, sha256
        self.hidden: list[str] = []

    def package(self, read: Mapping[str, Any]) -> Table:
        """Return a package's table; empty where no Python of the minor version takes it."""
        name: str = read["name"]
        marker = str(read.get("marker", ""))
        if marker and not can_hold(marker, self.python):
            return {}
        table: Table = {"name": name}
        if "version" in read:
            table["version"] = str(read["version"])
        if marker and not always_holds(marker, self.python):
            table["marker"] = quoted_once(marker)
        if "requires-python" in read:
            table["requires-python"] = str(read["requires-python"])
        if "index" in read:
            table["index"] = self._url(name, read["index"])
        table |= {key: self._placed(name, read[key]) for key in ("vcs", "directory") if key in read}
        table |= {key: self._file(name, read[key]) for key in ("archive", "sdist") if key in read}
        if chosen := self._wheels(read):
            table["wheels"] = sorted((self._file(name, f) for f in chosen), key=file_name)
        return table

    def _wheels(self, read: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the wheels that the minor version can take; all, where nothing else is there."""
        every = list(read.get("wheels", ()))
        minor = minor_of(self.python)
        fit = [file for file in every if fits(file_name(file), minor)]
        return fit if fit or "sdist" in read else every

    def _file(self, package: str, read: Mapping[str, Any]) -> Table:
        """Return a file's table: where it is, and what its bytes are."""
        file = dict(read)
        hashes = dict(file.get("hashes", {}))
        if not hashes.get("sha256"):
            url, path = file.get("url", ""), file.get("path", "")
            hashes["sha256"] = self.sha256(package, url, self._absolute(path) if path else "")
        placed = self._placed(package, file)
        placed["hashes"] = {"sha256": hashes["sha256"].lower()}
        return placed

    def _placed(self, package: str, read: Mapping[str, Any]) -> Table:
        """Return a table with its URL or path as a lock has it, keys in the standard's order."""
        table = dict(read)
        url, path = table.get("url", ""), table.get("path", "")
        if url.startswith("file:"):
            local = _local(url)
            if _is_inside(local, self.root):
                del table["url"]
                path = local
            else:
                table["url"] = url.partition("#")[0]
        elif url:
            table["url"] = self._url(package, url)
        if path:
            path = self._absolute(path)
            relative = _is_inside(path, self.root) or not os.path.isabs(read.get("path", path))
            table["path"] = os.path.relpath(path, self.root) if relative else path
        order = ("type", "name", "url", "path", "upload-time")
        first = {key: table.pop(key) for key in order if key in table}
        return {**first, **table}

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.base, path))

    def _url(self, package: str, url: str) -> str:
        clean, hidden = published(url)
        if hidden:
            self.hidden.append(package)
        return clean


def quoted_once(marker: str) -> str:
    """Return a marker with the quotes that a TOML string takes as they are, where it can."""
    return marker if "'" in marker else marker.replace('"', "'")


def fits(wheel: str, minor: str) -> bool:
    """Whether some machine's Python of that minor version can take a wheel, by its file name."""
    parts = wheel.removesuffix(".whl").split("-")
    if len(parts) < 5:
        return True
    number = int(minor.partition(".")[2])
    abis = parts[-2].split(".")
    return any(_fits(python, abi, number) for python in parts[-3].split(".") for abi in abis)


def _fits(python: str, abi: str, number: int) -> bool:
    if python in {"py3", "cp3"}:
        return True
    if python[:3] in {"py2", "cp2"}:
        return False
    found = _ABI3.fullmatch(python)
    if found is None:  # another implementation's
        return not python.startswith("pp3") or python[3:] in {"", str(number)}
    if python.startswith("py") or abi.startswith("abi3") or abi == "none":
        return int(found[1]) <= number
    return int(found[1]) == number


def _local(url: str) -> str:
    from urllib.parse import unquote, urlsplit

    return os.path.normpath(unquote(urlsplit(url).path))


def _is_inside(path: str, root: str) -> bool:
    return f"{path}/".startswith(f"{root}/")

"""Lock files: PEP 751's `pylock.toml`, with the interpreter in the table that it leaves to tools.

The packages' part is for pip and uv as well; `[tool.bubble]` follows it.
"""

from __future__ import annotations

from types import MappingProxyType

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.system.version_file import parse_toml, read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FORMAT = 1
LARGEST = 16 << 20  # bytes of a lock


class Build(Record):
    """One build of the interpreter: its key and tag, where it is from, and its bytes' sha256."""

    key: str
    build: str
    url: str
    sha256: str


class Tree(Record):
    """A source tree that a lock has: the package's name, and where, relative to the lock."""

    name: str
    path: str
    editable: bool


class Lock(Record):
    """What a lock file says of the interpreter and its inputs, and which packages it has.

    `inputs` is the digest of `projects.inputs`, "" where bubble didn't make it; `versions` maps
    the packages' canonical names to their versions ("" for source trees; several, joined by
    ` | `, where it depends on the machine); `files` maps them to the sha256s of their files.
    `environments` are the markers of the only machines that it is for; `trees` are the packages
    that lie as sources on this machine.
    """

    inputs: str
    request: str
    version: str
    builds: tuple[Build, ...]
    versions: dict[str, str]
    files: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    environments: tuple[str, ...] = ()
    trees: tuple[Tree, ...] = ()


def read_lock(path: str) -> Lock | None:
    """Return what the lock file at `path` (absolute) says; None when there is none.

    Raises BubbleError(lock) for what is no lock file, or says what none may (`projects.rules`).
    """
    data = read_bytes(path)
    return None if data is None else parse_lock(data, path)


def read_bytes(path: str) -> bytes | None:
    """Return a lock file's bytes, None where there is none; BubbleError(lock) if unreadable."""
    try:
        return read_regular(path, LARGEST)
    except BubbleError as error:
        raise BubbleError("lock", error.message, hint="make it anew: bubble lock") from None


def parse_lock(data: bytes, path: str, *, trees: bool = True) -> Lock:
    """Return what the bytes of a lock file say, which is or will be at `path` (absolute).

    `trees`: the source trees that it names are looked at. Raises as `read_lock` does.
    """
    import os

    try:
        return _lock(parse_toml(path, data), os.path.dirname(path) if trees else "")
    except BubbleError as error:
        raise BubbleError("lock", error.message, hint="make it anew: bubble lock") from None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise BubbleError(
            "lock",
            f"{printable(path, 500)} can't be used as a lock file: {printable(what, 300)}",
            hint="make it anew: bubble lock",
        ) from None


def _lock(read: dict[str, Any], directory: str) -> Lock:
    from bubble.projects.rules import check_package

    if read.get("lock-version") != "1.0":
        raise ValueError(f"its version is {read.get('lock-version')!r}, and 1.0 is known")
    own = read.get("tool", {}).get("bubble", {})
    if own and own.get("format") != FORMAT:
        raise ValueError(f"[tool.bubble] has format {own.get('format')!r}, and {FORMAT} is known")
    python = own.get("python", {})
    versions: dict[str, str] = {}
    files: dict[str, tuple[str, ...]] = {}
    for package in read.get("packages", []):
        check_package(package, directory)
        name, version = package["name"], _text(package.get("version", ""))
        several = [v for v in (versions.get(name), version) if v]
        versions[name] = " | ".join(dict.fromkeys(several))
        files[name] = tuple(sorted({*files.get(name, ()), *_hashes(package)}))
    return Lock(
        inputs=_text(own.get("inputs", "")).removeprefix("sha256:"),
        request=_text(python.get("request", "")),
        version=_text(python.get("version", "")),
        builds=tuple(_build(build) for build in python.get("builds", [])),
        versions=versions,
        files=files,
        environments=tuple(_text(marker) for marker in read.get("environments", [])),
        trees=tuple(_tree(p) for p in read.get("packages", []) if "directory" in p),
    )


def _tree(package: dict[str, Any]) -> Tree:
    import os

    read = package["directory"]
    place = os.path.join(_text(read["path"]), _text(read.get("subdirectory", "")))
    return Tree(
        name=package["name"], path=os.path.normpath(place), editable=read.get("editable") is True
    )


def _build(read: dict[str, Any]) -> Build:
    from bubble.model.key import parse_key

    build = Build(**{name: _text(read[name]) for name in Build._fields})
    parse_key(build.key)
    if len(build.sha256) != 64 or not set(build.sha256) <= set("0123456789abcdef"):
        raise ValueError(f"the sha256 of {build.key} is none")
    if not build.url.startswith(("https://", "http://", "file:///")):
        raise ValueError(f"the address of {build.key} is none")
    if not all(text.isprintable() for text in build.as_dict().values()):
        raise ValueError(f"what is said of {build.key} has control characters")
    return build


def _hashes(package: dict[str, Any]) -> list[str]:
    """Return the sha256s of a package's files, or the commit of a repository."""
    one = [package[key] for key in ("sdist", "archive") if key in package]
    found = [file["hashes"]["sha256"] for file in (*package.get("wheels", []), *one)]
    return [*found, *([package["vcs"]["commit-id"]] if "vcs" in package else [])]


def render(packages: str, lock: Lock) -> bytes:
    """Return a lock file's bytes: a resolver's packages, and what `lock` says of the rest."""
    from bubble.projects.tomltext import lines

    written = [
        packages.rstrip("\n"),
        "",
        "[tool.bubble]",
        *lines({"format": FORMAT, "inputs": f"sha256:{lock.inputs}"}),
        "",
        "[tool.bubble.python]",
        *lines({"request": lock.request, "version": lock.version}),
    ]
    for build in lock.builds:
        written += ["", "[[tool.bubble.python.builds]]", *lines(build.as_dict())]
    return "".join(f"{line}\n" for line in written).encode()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value

"""Lock files (`pylock.toml`, PEP 751) for pip, which doesn't install from them everywhere.

What the lock selects for an environment becomes requirements with hashes, and a page of links that
names exactly the lock's files; pip resolves nothing. Extras are left out, and the dependency
groups are the lock's default ones. uv reads lock files itself.
"""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from packaging.pylock import Package, PackageSdist, PackageWheel

    from bubble.envs.tools.access import Access

_SAFE = "/:@%&=+$,;~?!*()[]"  # of a URL: kept as they are
_SYSTEMS = ("git", "hg", "svn", "bzr")  # of version control, that pip knows
_HASHES = ("sha256", "sha384", "sha512")  # that pip takes
# the markers and tags of an interpreter, as the pip inside it sees them
_FACTS = """
import json
from pip._vendor.packaging import markers, tags
print(json.dumps([markers.default_environment(), [str(tag) for tag in tags.sys_tags()]]))
"""


class Selected(Record):
    """What a lock selects, as requirement lines: of wheels, of other archives, of source trees.

    `links` are the URLs of the wheels and source distributions.
    """

    wheels: tuple[str, ...]
    archives: tuple[str, ...]
    trees: tuple[str, ...]
    links: tuple[str, ...]


def is_lock(path: str) -> bool:
    """Return whether a file's name makes it a lock file: `pylock.toml` or `pylock.NAME.toml`."""
    parts = os.path.basename(path).split(".")
    return len(parts) in {2, 3} and (parts[0], parts[-1]) == ("pylock", "toml")


def pip_calls(
    lock: str,
    python: str,
    scratch: str,
    env: Mapping[str, str],
    accesses: Sequence[Access] = (),
) -> list[list[str]]:
    """Return the arguments of each call of `pip install` that the lock file takes.

    `python` is the environment's interpreter, with pip; what pip is to read is written into the
    directory `scratch`. All paths are absolute. `accesses` are for servers that want to know who
    asks: pip passes over what an index's address says where it asks no index.
    Raises BubbleError (usage: the lock is no lock, or not for this Python, …; probe: the
    interpreter doesn't answer).
    """
    import html

    from bubble.envs.tools.access import with_access

    markers, tags = _facts(python, env)
    selected = select(lock, markers, tags)
    page = f"{scratch}/links.html"
    shown = [html.escape(with_access(link, accesses)) for link in selected.links]
    _write(page, "".join(f'<a href="{link}">{link}</a><br>\n' for link in shown))
    files = ["--find-links", page]
    archives = [_let_in(line, accesses) for line in selected.archives]
    calls = []
    for name, lines, options in (
        ("wheels", selected.wheels, ["--no-index", "--require-hashes", *files]),
        # what they are built with comes from an index
        ("archives", archives, ["--require-hashes", *files]),
        ("trees", selected.trees, []),
    ):
        if lines:
            path = f"{scratch}/{name}.txt"
            _write(path, "".join(f"{line}\n" for line in lines))
            calls.append(["--no-deps", *options, "-r", path])
    return calls


def _let_in(line: str, accesses: Sequence[Access]) -> str:
    from bubble.envs.tools.access import with_access

    name, at, url = line.partition(" @ ")
    return f"{name}{at}{with_access(url, accesses)}"


def select(lock: str, markers: Mapping[str, str], tags: Sequence[str]) -> Selected:
    """Return what a lock file selects for an interpreter with these markers and wheel tags.

    Raises BubbleError(usage).
    """
    import tomllib

    from packaging.markers import UndefinedEnvironmentName
    from packaging.pylock import (
        PackageArchive,
        PackageSdist,
        PackageVcs,
        PackageWheel,
        Pylock,
        PylockSelectError,
        PylockValidationError,
    )
    from packaging.tags import Tag

    wheels: list[str] = []
    archives: list[str] = []
    trees: list[str] = []
    links: list[str] = []
    try:
        with open(lock, "rb") as file:
            read = Pylock.from_dict(tomllib.load(file))
        version = markers["python_full_version"]
        if read.requires_python and not read.requires_python.contains(version, prereleases=True):
            raise PylockSelectError(f"it needs {read.requires_python}, and this is {version}")  # noqa: TRY301 - told with the others
        known = [Tag(*tag.split("-")) for tag in tags]
        environment: Any = dict(markers)
        for package, source in read.select(environment=environment, tags=known):
            if isinstance(source, PackageWheel | PackageSdist):
                links.append(_link(lock, package, source))
                line = f"{package.name}=={_version(source)}{_hashes(lock, package, source.hashes)}"
                (wheels if isinstance(source, PackageWheel) else archives).append(line)
            elif isinstance(source, PackageArchive):
                url = _url(lock, source.url, source.path) + _below(source.subdirectory)
                hashes = _hashes(lock, package, source.hashes)
                archives.append(f"{package.name} @ {url}{hashes}")
            elif isinstance(source, PackageVcs):
                if source.type not in _SYSTEMS:
                    raise _unusable(lock, package, f"it comes from {source.type}")
                url = _url(lock, source.url, source.path)
                url = f"{source.type}+{url}@{_quoted(source.commit_id)}"
                trees.append(f"{package.name} @ {url}{_below(source.subdirectory)}")
            else:
                url = _url(lock, None, source.path) + _below(source.subdirectory)
                trees.append(f"-e {url}" if source.editable else f"{package.name} @ {url}")
    except PylockSelectError as error:
        raise BubbleError(
            "usage",
            f"{printable(lock)} is not for this Python: {printable(str(error), 300)}",
            hint="take another Python with -p, or lock again with this one",
        ) from None
    except (ValueError, RecursionError, PylockValidationError, UndefinedEnvironmentName) as error:
        raise BubbleError(
            "usage",
            f"{printable(lock)} can't be read as a lock file: {printable(str(error), 300)}",
            hint="lock again with the tool that wrote it",
        ) from None
    return Selected(
        wheels=tuple(wheels), archives=tuple(archives), trees=tuple(trees), links=tuple(links)
    )


def _facts(python: str, env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    import json

    from bubble.pythons.probing.isolation import isolated, without_python
    from bubble.system import process

    done = process.run(isolated(python, "-c", _FACTS), env=without_python(env), timeout=60)
    if done.status:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise BubbleError(
            "probe",
            f"pip can't tell what it would install from a lock file: {printable(last)}",
            hint="install it with uv on PATH: --installer uv",
        )
    markers, tags = json.loads(done.stdout)
    return markers, tags


def _link(lock: str, package: Package, source: PackageWheel | PackageSdist) -> str:
    """Return the URL of a file; pip takes a file's name from it."""
    from urllib.parse import unquote, urlsplit

    url = _url(lock, source.url, source.path)
    if unquote(urlsplit(url).path).rpartition("/")[2] != source.filename:
        raise _unusable(lock, package, f"its address doesn't end in {source.filename}")
    return url


def _version(source: PackageWheel | PackageSdist) -> str:
    from packaging.utils import parse_sdist_filename, parse_wheel_filename

    name = source.filename
    parsed = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
    return str(parsed[1])


def _hashes(lock: str, package: Package, hashes: Mapping[str, str]) -> str:
    usable = [f" --hash={name}:{hashes[name].lower()}" for name in _HASHES if name in hashes]
    if not usable or not all(text.rpartition(":")[2].isalnum() for text in usable):
        raise _unusable(lock, package, "it has no sha256")
    return "".join(usable)


def _url(lock: str, url: str | None, path: str | None) -> str:
    """Return what a lock calls `url`, or `path` (relative to the lock), as a URL of ASCII."""
    from urllib.parse import quote

    if url:
        return _quoted(url)
    return f"file://{quote(os.path.normpath(os.path.join(os.path.dirname(lock), path or '')))}"


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text.partition("#")[0], safe=_SAFE)


def _below(directory: str | None) -> str:
    from urllib.parse import quote

    return f"#subdirectory={quote(directory)}" if directory else ""


def _unusable(lock: str, package: Package, why: str) -> BubbleError:
    return BubbleError(
        "usage",
        f"pip can't install {printable(package.name)} of {printable(lock)}: {printable(why, 300)}",
        hint="install it with uv on PATH: --installer uv",
    )


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)

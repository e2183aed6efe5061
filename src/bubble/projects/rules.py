"""What a lock file may say: it may lie in anybody's repository, and installers believe it.

Every file has a sha256 and the name of a wheel or source archive, every address a scheme that
serves files, every commit is one; nothing is an option, a command or a control character.
"""

from __future__ import annotations

import os
import re

from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}|[0-9]{1,12}")  # Subversion counts
_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]{0,198}[A-Za-z0-9]")
_FILES = ("http://", "https://", "file:///")
_REPOSITORIES = ("http://", "https://", "file:///", "ssh://", "git://", "git@", "svn://")
_SYSTEMS = frozenset({"git", "hg", "svn", "bzr"})
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar.zst", ".tar")
_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg")
_LONGEST = 4096  # characters of one text
# of an address that says what it says without a parser
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/:")


class RuleError(ValueError):
    """A lock says what it must not; the message is fit to be shown."""


def check_package(package: Mapping[str, Any], directory: str) -> None:
    """Check one package of a lock that lies in `directory` (absolute); raise RuleError.

    "" for a directory leaves out whether the source trees are there.
    The shapes are taken as PEP 751 has them: another one raises what it leads to (TypeError, …).
    """
    name = package["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RuleError(f"“{printable(str(name), 80)}” is no package's name")
    for text in _texts(package):
        if len(text) > _LONGEST or not text.isprintable():
            raise RuleError(f"{name} has a text that can't be one: {printable(text, 60)}")
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    for file in files:
        _check_file(name, file)
    if "archive" in package:
        _check_file(name, package["archive"])
    if "vcs" in package:
        _check_repository(name, package["vcs"])
    if "directory" in package:
        _check_directory(name, package["directory"], directory)
    if not files and not package.keys() & {"archive", "vcs", "directory"}:
        raise RuleError(f"{name} has no file that could be installed")


def _check_file(package: str, file: Mapping[str, Any]) -> None:
    name = file_name(file)
    shown = printable(name, 120) or "a file without a name"
    if "/" in name or not name.lower().endswith(_ARCHIVES):
        raise RuleError(f"{package}: {shown} is neither a wheel nor a source archive")
    if not _SHA256.fullmatch(file.get("hashes", {}).get("sha256", "")):
        raise RuleError(f"{package}: {shown} has no sha256")
    _check_place(package, file, _FILES)


def _check_repository(package: str, vcs: Mapping[str, Any]) -> None:
    if vcs["type"] not in _SYSTEMS:
        raise RuleError(f"{package}: “{printable(vcs['type'], 40)}” is no version control system")
    if not _COMMIT.fullmatch(vcs["commit-id"]):
        raise RuleError(f"{package}: “{printable(vcs['commit-id'], 60)}” is no commit")
    if vcs.get("requested-revision", "").startswith("-"):
        raise RuleError(f"{package}: “{printable(vcs['requested-revision'], 60)}” is no revision")
    _check_place(package, vcs, _REPOSITORIES)
    _check_below(package, vcs)


def _check_directory(package: str, tree: Mapping[str, Any], directory: str) -> None:
    path = tree["path"]
    if os.path.isabs(path) or path.startswith("-"):
        raise RuleError(f"{package}: the path {printable(path, 120)} is not relative")
    _check_below(package, tree)
    if not directory:
        return
    place = os.path.join(directory, path, tree.get("subdirectory", ""))
    if not any(os.path.isfile(os.path.join(place, name)) for name in _PROJECT):
        raise RuleError(f"{package}: there is no project in {printable(path, 120)}")
    owner = os.stat(place).st_uid
    if owner not in {os.geteuid(), os.stat(directory).st_uid}:
        raise RuleError(f"{package}: {printable(path, 120)} is another user's")


def _check_place(package: str, source: Mapping[str, Any], schemes: tuple[str, ...]) -> None:
    url, path = source.get("url", ""), source.get("path", "")
    if url and not url.startswith(schemes):
        raise RuleError(f"{package}: {printable(url, 120)} is no address of a file")
    if not url and (not path or path.startswith("-")):
        raise RuleError(f"{package}: it isn't said where {file_name(source) or 'it'} is")


def _check_below(package: str, tree: Mapping[str, Any]) -> None:
    below = tree.get("subdirectory", "")
    if os.path.isabs(below) or ".." in below.split("/"):
        raise RuleError(f"{package}: {printable(below, 120)} leads out of its tree")


def file_name(file: Mapping[str, Any]) -> str:
    """Return the name of a lock's file, from where it is if it isn't said."""
    if file.get("name"):
        return str(file["name"])
    if file.get("path"):
        return os.path.basename(str(file["path"]))
    url = str(file.get("url", ""))
    scheme, _, rest = url.partition("://")
    if scheme == "https" and _PLAIN.issuperset(rest):
        return rest.partition("/")[2].rpartition("/")[2]
    from urllib.parse import unquote, urlsplit  # which is some of what a start costs

    return unquote(urlsplit(url).path).rpartition("/")[2]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)

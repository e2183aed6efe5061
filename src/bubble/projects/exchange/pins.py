"""Pins written down: as a standard lock file (PEP 751), or as constraints with hashes.

A lock file says where each file lies; where the source doesn't know that, there are constraints,
which hold the versions until an index has been asked.
"""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.package import canonical_name
from bubble.model.text import printable, without_userinfo
from bubble.projects.tomltext import text as _text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bubble.projects.exchange.taken import File, Pin, Tree

_STRONG = ("sha256", "sha384", "sha512", "blake2b")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,200}[a-z0-9])?")  # canonical: PEP 503
_HASH = re.compile(r"([a-z0-9]+):([0-9a-f]{32,128})")
# files of a distribution that no installer of today takes
_OLD = (".egg", ".exe", ".rpm", ".msi", ".dmg", ".deb", ".tar.bz2", ".tar.xz", ".tar.z", ".tgz")


def is_placed(pins: Sequence[Pin]) -> bool:
    """Whether the source says of every file where it lies."""
    return all(pin.tree or (pin.files and all(f.url or f.path for f in pin.files)) for pin in pins)


def pylock(pins: Sequence[Pin], requires_python: str, itself: str = "") -> str:
    """Return the packages' part of a lock file, validated.

    `itself` is the name of the project where that is installed editable. Raises BubbleError(usage)
    for a pin that isn't whole: without a file, a hash, or with a marker that is none.
    """
    lines = ['lock-version = "1.0"']
    if requires_python:
        lines.append(f"requires-python = {_text(specifier(requires_python))}")
    lines.append('created-by = "bubble"')
    blocks = [_block(pin) for pin in pins]
    if itself:
        name = canonical_name(itself)
        here = 'directory = { path = ".", editable = true }'
        blocks.append((name, "", [f"name = {_text(name)}", here]))
    if not blocks:
        lines.append("packages = []")
    for _, _, block in sorted(blocks):
        lines += ["", "[[packages]]", *block]
    text = "".join(f"{line}\n" for line in lines)
    _validate(text)
    return text


def constraints(pins: Iterable[Pin]) -> list[str]:
    """Return the lines of a constraints file: one a pin, its hashes below it."""
    lines = []
    for pin in sorted(pins, key=lambda p: (p.name, p.version, p.marker)):
        if pin.tree or not pin.version:
            continue
        hashes = sorted({_checked(pin, h) for h in (*pin.hashes, *_of_files(pin))})
        words = [f"{pin.name}=={_version(pin)}" + (f" ; {_marker(pin)}" if pin.marker else "")]
        words += [f"    --hash={value}" for value in hashes]
        lines.append(" \\\n".join(words))
    return lines


def known_hashes(pins: Iterable[Pin]) -> dict[tuple[str, str], set[str]]:
    """Return the hashes that a source allows, by canonical name and version."""
    found: dict[tuple[str, str], set[str]] = {}
    for pin in pins:
        if not pin.tree:
            known = found.setdefault((pin.name, _version(pin)), set())
            known.update(_checked(pin, h) for h in (*pin.hashes, *_of_files(pin)))
    return found


def require_name(pin: Pin) -> None:
    """Raise BubbleError(usage) for a pin whose name is none: it would be a line of another file."""
    if not _NAME.fullmatch(pin.name):
        raise _wrong(pin, "that is no name of a distribution")


def require_whole(pin: Pin) -> None:
    """Raise BubbleError(usage) for a pin without a hash, which could be any bytes."""
    hashes = [*pin.hashes, *_of_files(pin)]
    if pin.tree is None and not any(_checked(pin, h).split(":")[0] in _STRONG for h in hashes):
        raise _wrong(pin, "it has no sha256")


def _of_files(pin: Pin) -> list[str]:
    return [h for file in pin.files for h in file.hashes]


def _block(pin: Pin) -> tuple[str, str, list[str]]:
    lines = [f"name = {_text(pin.name)}"]
    version = _version(pin) if pin.version else ""
    if version and (not pin.tree or pin.tree.kind == "archive"):
        lines.append(f"version = {_text(version)}")
    if pin.marker:
        lines.append(f"marker = {_text(_marker(pin))}")
    if pin.requires_python:
        lines.append(f"requires-python = {_text(specifier(pin.requires_python))}")
    if pin.tree:
        lines.append(f"{pin.tree.kind} = {_tree(pin, pin.tree)}")
        return pin.name, version, lines
    if pin.index:
        lines.append(f"index = {_text(pin.index)}")
    sdists, wheels = _sorted(pin)
    if not (sdists or wheels):
        raise _wrong(pin, "it has no file that can be installed")
    if sdists:
        lines.append(f"sdist = {_file(pin, sdists[0])}")
    if wheels:
        lines.append("wheels = [")
        lines += [f"    {_file(pin, file)}," for file in wheels]
        lines.append("]")
    return pin.name, version, lines


def _sorted(pin: Pin) -> tuple[list[File], list[File]]:
    """Return a pin's source distributions and wheels: those that are of this name and version."""
    from packaging.utils import parse_sdist_filename, parse_wheel_filename

    sdists: list[File] = []
    wheels: list[File] = []
    for file in pin.files:
        if file.name.lower().endswith(_OLD):
            continue
        is_wheel = file.name.endswith(".whl")
        try:
            parsed = (
                parse_wheel_filename(file.name) if is_wheel else parse_sdist_filename(file.name)
            )
        except ValueError:
            raise _wrong(pin, f"{printable(file.name, 120)} is no name of a file of it") from None
        if parsed[0] != pin.name or str(parsed[1]) != _version(pin):
            raise _wrong(pin, f"{printable(file.name, 120)} is a file of something else")
        (wheels if is_wheel else sdists).append(file)
    return sorted(sdists, key=lambda f: f.name), sorted(wheels, key=lambda f: f.name)


def _file(pin: Pin, file: File) -> str:
    pairs = []
    place = file.url or file.path
    if os.path.basename(place) != file.name:
        pairs.append(f"name = {_text(file.name)}")
    pairs.append(f"{'url' if file.url else 'path'} = {_text(place)}")
    if file.size > 0:
        pairs.append(f"size = {file.size}")
    pairs.append(f"hashes = {_hashes(pin, file.hashes)}")
    return f"{{ {', '.join(pairs)} }}"


def _tree(pin: Pin, tree: Tree) -> str:
    pairs = []
    if tree.kind == "vcs":
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", tree.commit):
            raise _wrong(pin, "it comes from a repository, and no commit of it is said")
        pairs += [f"type = {_text(tree.system)}", f"url = {_text(tree.url)}"]
        if tree.revision:
            pairs.append(f"requested-revision = {_text(tree.revision)}")
        pairs.append(f"commit-id = {_text(tree.commit)}")
    elif tree.kind == "directory":
        pairs.append(f"path = {_text(tree.path)}")
        pairs += ["editable = true"] if tree.editable else []
    else:
        pairs.append(f"url = {_text(tree.url)}" if tree.url else f"path = {_text(tree.path)}")
        pairs.append(f"hashes = {_hashes(pin, tree.hashes)}")
    if tree.subdirectory:
        if tree.subdirectory.startswith("/") or ".." in tree.subdirectory.split("/"):
            raise _wrong(pin, "its subdirectory leads out of it")
        pairs.append(f"subdirectory = {_text(tree.subdirectory)}")
    return f"{{ {', '.join(pairs)} }}"


def _hashes(pin: Pin, hashes: Sequence[str]) -> str:
    pairs = dict(_checked(pin, value).split(":") for value in hashes)
    if not any(name in _STRONG for name in pairs):
        raise _wrong(pin, "a file of it has no sha256")
    return f"{{ {', '.join(f'{name} = {_text(pairs[name])}' for name in sorted(pairs))} }}"


def _checked(pin: Pin, value: str) -> str:
    value = value.lower()
    found = _HASH.fullmatch(value)
    if not found or (found[1] == "sha256" and len(found[2]) != 64):
        raise _wrong(pin, f"“{printable(value, 40)}” is no hash")
    return value


def _version(pin: Pin) -> str:
    from packaging.version import Version

    try:
        return str(Version(pin.version))
    except ValueError:  # also for numbers of more digits than int() reads
        raise _wrong(pin, f"“{printable(pin.version, 40)}” is no version") from None


def _marker(pin: Pin) -> str:
    from packaging.markers import Marker

    try:
        return str(Marker(pin.marker))
    except ValueError:
        raise _wrong(pin, f"“{printable(pin.marker, 80)}” is no marker") from None


def specifier(text: str) -> str:
    """Return a range of versions in its usual form; raises BubbleError(usage) for none."""
    from packaging.specifiers import SpecifierSet

    try:
        return str(SpecifierSet(text))
    except ValueError:
        raise BubbleError(
            "usage",
            f"“{without_userinfo(printable(text, 80))}” is no range of versions",
            hint="lock again with the tool that wrote it",
        ) from None


def _validate(text: str) -> None:
    import tomllib

    from packaging.pylock import Pylock, PylockValidationError

    try:
        Pylock.from_dict(tomllib.loads(text))
    except (PylockValidationError, ValueError) as error:
        raise BubbleError(
            "usage",
            f"what it pins makes no standard lock: {printable(str(error), 200)}",
            hint="lock again with the tool that wrote it",
        ) from None


def _wrong(pin: Pin, why: str) -> BubbleError:
    return BubbleError(
        "usage",
        without_userinfo(
            f"the lock can't be taken over: {printable(pin.name, 80)} "
            f"{printable(pin.version, 40)}: {why}"
        ),
        hint="lock again with the tool that wrote it",
    )

"""A lock file as other tools get it: its packages, whole or for one platform alone."""

from __future__ import annotations

import os
import re

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.text import printable
from bubble.projects.exchange.machines import environment, tags
from bubble.projects.exchange.texts import read_toml
from bubble.projects.lockfile import Lock, read_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bubble.model.platform import Platform

_LARGEST = 64 << 20  # bytes of a lock
_HARMLESS = re.compile(r"[^\s\"'\\`$;#]+")  # of a path or URL in a line of another tool's file


class LockFile(Record):
    """A lock file that was read and found to be one (PEP 751): its absolute `path`, and its parts.

    `whole` is what it says, as `tomllib` has it; `lock` what bubble's own table in it says.
    """

    path: str
    whole: Mapping[str, Any]
    lock: Lock

    @property
    def packages(self) -> list[dict[str, Any]]:
        """Its packages' tables."""
        return list(self.whole.get("packages", []))


def read_lock_file(path: str) -> LockFile:
    """Return the lock file at `path` (absolute); raise BubbleError (usage, lock)."""
    from packaging.pylock import Pylock, PylockValidationError

    whole = read_toml(path, _LARGEST)
    try:
        Pylock.from_dict(whole)
    except (PylockValidationError, ValueError) as error:
        raise BubbleError(
            "lock",
            f"{printable(path, 500)} is no lock file: {printable(str(error), 200)}",
            hint="make it anew: bubble lock",
        ) from None
    lock = read_lock(path)
    assert lock is not None  # it was read above
    found = LockFile(path=path, whole=whole, lock=lock)
    for package in found.packages:
        for place in _places(package):
            _require_harmless(place, package["name"], path)
    return found


def narrowed(lock: LockFile, platform: Platform) -> LockFile:
    """Return a lock with what one platform needs alone: packages, wheels and interpreter.

    Raises BubbleError(usage) where the lock doesn't say which Python it is for.
    """
    from packaging.markers import Marker

    markers = environment(platform, version_of(lock))
    fit = set(tags(platform, version_of(lock)))
    packages = []
    for package in lock.packages:
        marker = package.get("marker")
        if marker and not Marker(marker).evaluate(markers, context="lock_file"):
            continue
        kept = {key: value for key, value in package.items() if key != "marker"}
        if "wheels" in kept:
            kept["wheels"] = [w for w in kept["wheels"] if _fits(w, fit)]
            if not (kept["wheels"] or "sdist" in kept):
                raise BubbleError(
                    "lock",
                    f"{printable(kept['name'], 80)} has neither a wheel for {platform} nor sources",
                    hint="lock another version of it, or export for another platform",
                )
        packages.append(kept)
    machine = markers["platform_machine"]
    condition = f"sys_platform == '{markers['sys_platform']}' and platform_machine == '{machine}'"
    builds = tuple(b for b in lock.lock.builds if b.key.endswith(f"-{platform}"))
    whole = {
        "lock-version": lock.whole["lock-version"],
        "environments": [condition],
        **{k: v for k, v in lock.whole.items()
           if k not in {"lock-version", "environments", "packages"}},
        "packages": packages,
    }  # fmt: skip
    return lock.replace(whole=whole, lock=lock.lock.replace(builds=builds))


def version_of(lock: LockFile) -> str:
    """Return the version of the interpreter that a lock is for; raise BubbleError(usage)."""
    if lock.lock.version:
        return lock.lock.version
    raise BubbleError(
        "usage",
        f"{printable(lock.path, 500)} doesn't say which Python it is for",
        hint="lock it with bubble: bubble lock; or leave --platform out",
    )


def _fits(wheel: Mapping[str, Any], tags: set[str]) -> bool:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    name = wheel.get("name") or os.path.basename((wheel.get("url") or wheel["path"]).split("#")[0])
    try:
        found = parse_wheel_filename(_unquoted(name))[3]
    except InvalidWheelFilename:
        return False
    return any(str(tag) in tags for tag in found)


def _unquoted(name: str) -> str:
    from urllib.parse import unquote

    return unquote(name)


def _places(package: Mapping[str, Any]) -> list[str]:
    """Return all that a package's table says of where something lies, or which commit it is."""
    tables = [package.get(key) for key in ("vcs", "directory", "archive", "sdist")]
    tables += package.get("wheels", [])
    return [
        str(table[key])
        for table in tables
        if table
        for key in ("url", "path", "subdirectory", "commit-id", "type", "name")
        if table.get(key)
    ]


def _require_harmless(place: str, name: str, path: str) -> None:
    """Raise BubbleError(lock) for what would be more than a word in another tool's file."""
    if _HARMLESS.fullmatch(place) and place.isprintable() and not place.startswith("-"):
        return
    raise BubbleError(
        "lock",
        f"{printable(path, 500)} says of {printable(name, 80)} that it is at "
        f"“{printable(place, 120)}”, which no other tool's file can say",
        hint="lock it from somewhere else",
    )

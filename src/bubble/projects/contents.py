"""Whether a staged environment is what its lock says, before it takes the place of the old one."""

from __future__ import annotations

import os

from bubble.envs.exchange.export import distributions
from bubble.envs.knowing.editables import site_packages
from bubble.envs.knowing.recorded import recorded
from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.system.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bubble.envs.exchange.export import Distribution
    from bubble.system.copies import Copier

_SHOWN = 5


def installed(root: str) -> dict[str, str]:
    """Return what an environment has, versions by canonical names; its own pip left out.

    What bubble put there is no part of a lock.
    """
    return {d.canonical: d.version for d in distributions(root) if not _is_our_pip(d)}


def require_exact(root: str, expected: Mapping[str, str]) -> None:
    """Raise BubbleError(verify) unless a staged environment has just what is expected, whole.

    Every package with its version and no other, and of each what its RECORD lists, in the size
    that stands there.
    """
    # bubble's own pip is listed in the store, and was looked at as it was copied
    theirs = [d for d in distributions(root) if not _is_our_pip(d)]
    present = {d.canonical: d.version for d in theirs}
    wrong = [
        f"{name} {expected[name]}".rstrip() + " is missing"
        for name in sorted(expected.keys() - present.keys())
    ]
    wrong += [f"{name} is not in the lock" for name in sorted(present.keys() - expected.keys())]
    wrong += [
        f"{name} is {present[name]}, not {version}"
        for name, version in sorted(expected.items())
        if name in present and version and not _is_same(present[name], version)
    ]
    wrong = wrong or [what for d in theirs for what in _damage(root, d)]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if wrong[_SHOWN:] else ""
        raise BubbleError(
            "verify",
            "what was installed is not what the lock says: "
            f"{printable('; '.join(wrong[:_SHOWN]), 800)}{more}",
            hint="nothing was changed; try again, or lock again: bubble lock",
        )


def _is_our_pip(distribution: Distribution) -> bool:
    installer = read_text(f"{distribution.metadata}/INSTALLER", 64) or ""
    return distribution.canonical == "pip" and installer.strip() == "bubble"


def _is_same(first: str, second: str) -> bool:
    if first == second:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(first) == Version(second)
    except InvalidVersion:
        return False


def _damage(root: str, distribution: Distribution) -> Iterator[str]:
    """Yield the files of a distribution that aren't what its RECORD says."""
    for path, digest, size in recorded(root, distribution) or ():
        try:
            found = os.stat(path).st_size
        except OSError:
            yield f"{distribution.name} has lost {os.path.relpath(path, root)}"
            continue
        if digest and size and found != int(size):
            yield f"{distribution.name} has a damaged {os.path.relpath(path, root)}"


def carry(old: str, root: str, expected: Mapping[str, str]) -> list[str]:
    """Copy into the staged environment at `root` what the one at `old` has beyond the lock.

    By their RECORDs, byte for byte; returns their names. Raises BubbleError(environment) for what
    can't be taken along: made for another minor version, or without a RECORD.
    """
    from bubble.system.copies import Copier

    copier = Copier()
    done = []
    same = site_packages(old) == site_packages(root)
    for distribution in distributions(old):
        if distribution.canonical in expected or _is_our_pip(distribution):
            continue
        files = [path for path, _, _ in recorded(old, distribution) or ()]
        if not same or not files:
            why = "it has no RECORD" if same else "it was made for another Python"
            raise BubbleError(
                "environment",
                f"{printable(distribution.name)} can't be kept: {why}",
                hint="put it into the manifest, or sync without --inexact",
            )
        for path in files:
            _copy(path, f"{root}{path.removeprefix(old)}", copier)
        done.append(distribution.canonical)
    return done


def _copy(source: str, target: str, copier: Copier) -> None:
    """Copy a file, unless the lock's packages have it already, or it is none any more."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        reading = os.open(source, flags)
    except OSError:
        return  # what it has lost, or a link
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _write(reading, target, copier)
    finally:
        os.close(reading)


def _write(reading: int, target: str, copier: Copier) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        writing = os.open(target, flags, os.fstat(reading).st_mode & 0o777)
    except FileExistsError:
        return
    try:
        copier.content(reading, writing)
    finally:
        os.close(writing)

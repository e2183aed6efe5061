"""Looking after what is installed: remove, upgrade, verify, repair."""

from __future__ import annotations

import errno
import os

from bubble.model.download import Download
from bubble.model.errors import BubbleError
from bubble.model.platform import runs_on
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.model.text import printable
from bubble.pythons.installed import store
from bubble.pythons.installed.shared import not_ours
from bubble.pythons.installed.shelf import require_not_bubbles
from bubble.pythons.installing.batch import Batch, install_downloads, open_fresh, require_python
from bubble.pythons.probing.probe import check, probe
from bubble.system.sweep import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bubble.model.key import Key
    from bubble.model.request import Request
    from bubble.pythons.catalogue import Catalogue
    from bubble.pythons.installed.manifest import Problem
    from bubble.pythons.installed.store import Installation
    from bubble.pythons.installing.progress import Progress
    from bubble.system.machine import Machine

    # a full key → who uses that installation now, in words
    Users = Callable[[str], Sequence[str]]


class Verified(Record):
    """One installation held against its manifest; `problems` is empty when it is whole.

    `failure` says why it doesn't run, or is "".
    """

    installation: Installation
    problems: tuple[Problem, ...]
    failure: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not (self.problems or self.failure)


class Upgraded(Record):
    """What an upgrade installed, which older installations went, and which stayed for whom."""

    batch: Batch
    removed: tuple[Installation, ...]
    kept: tuple[tuple[Installation, tuple[str, ...]], ...]


def named(request: Request, machine: Machine) -> Installation:
    """Return the one installation that a request names.

    Raises BubbleError(not_installed), (request) when several satisfy the request, or (permission)
    when only the system's store has one.
    """
    require_python(request)
    found = store.own_matching(machine.layout, request, machine.platform)
    if not found:
        require_own(request, machine)
        store.finish_changes(machine.layout, machine.platform)  # an uninstall that was killed
        raise store.not_installed(machine.layout, request, machine.platform).replace_hint(
            "bubble python list --installed"
        )
    if len(found) > 1:
        names = ", ".join(i.key.name for i in found)
        raise BubbleError(
            "request",
            f"“{request}” means {len(found)} installed Pythons: {names}",
            hint=f"name one: bubble python uninstall {found[-1].key.name}",
        )
    return found[0]


def require_own(request: Request, machine: Machine) -> None:
    """Raise BubbleError(permission) if what is asked for is the system's: users leave it alone."""
    for installation in store.matching(machine.layout, request, machine.platform):
        if machine.layout.is_beneath(installation.prefix):
            raise not_ours(installation.key.name, machine.layout)


def remove(installation: Installation, machine: Machine, users: Users | None = None) -> list[str]:
    """Remove an installation: gone in one step, with the links to it; its bytes afterwards.

    While `users` names anybody, nothing is done but to return them. Raises BubbleError(in_use) for
    the Python that bubble itself runs on, whoever asks.
    """
    key = str(installation.key)
    with store.key_lock(machine.layout, key, machine.env):
        using = list(users(key)) if users else []
        if using:
            return using
        require_not_bubbles(installation, machine.layout)
        sweep(machine.layout)
        if not os.path.lexists(installation.prefix):  # another process was faster
            store.publish_changes(machine.layout, machine.platform)
        else:
            store.withdraw(machine.layout, machine.platform, key)
    return []


def failure_of(error: BubbleError | OSError) -> BubbleError:
    """Return what kept one of several from being removed, for the user; the others go on."""
    if isinstance(error, BubbleError):
        return error
    from bubble.system.trouble import from_os_error

    return from_os_error(error)


def upgrade(
    minors: Sequence[Request],
    machine: Machine,
    progress: Progress,
    *,
    prune: Users | None = None,
) -> Upgraded:
    """Install the newest patch release of each installed minor, or of those that are named.

    With `prune`, the older installations go, be they of an upgrade that was made before; those
    that it names users of stay.
    """
    catalogue = open_fresh(machine)
    wanted: dict[str, Download] = {}
    newest: list[Key] = []
    errors: list[BubbleError] = []
    present = [i for i in store.installations(machine.layout) if not i.is_adopted]
    for request in minors or _installed_minors(present, machine):
        try:
            require_python(request)
            mine = [
                i for i in present if request.matches(i.key, machine.platform, prereleases=True)
            ]
            if not mine:
                require_own(request, machine)
                raise store.not_installed(machine.layout, request, machine.platform)
            best = _newest_of(mine[0].key, catalogue)
            if best is not None:
                wanted.setdefault(str(best.key), best)
            newest.append(best.key if best else mine[0].key)
        except BubbleError as error:
            errors.append(error)
    batch = install_downloads(list(wanted.values()), machine, progress)
    store.finish_changes(machine.layout, machine.platform)
    removed: list[Installation] = []
    kept: list[tuple[Installation, tuple[str, ...]]] = []
    there = [key for key in newest if store.installation_at(machine.layout, str(key))]
    old = [i for i in present if any(_is_older(i.key, key) for key in there)]
    for installation in old if prune else ():
        using: list[str] = []
        try:
            using = remove(installation, machine, prune)
        except (BubbleError, OSError) as error:
            errors.append(failure_of(error))
            if os.path.lexists(installation.prefix):
                continue  # else only bytes of it are left, which nobody can delete
        if using:
            kept.append((installation, tuple(using)))
        else:
            removed.append(installation)
    return Upgraded(
        batch=batch.replace(errors=tuple(errors) + batch.errors, warning=catalogue.warning),
        removed=tuple(removed),
        kept=tuple(kept),
    )


def verify(installation: Installation, machine: Machine) -> Verified | None:
    """Hold every file of an installation against its manifest, and run it.

    Returns None if another process has removed it since it was listed: what isn't there isn't
    damaged. Nobody replaces or removes it meanwhile, if the store can be written.
    """
    import contextlib

    with contextlib.ExitStack() as held:
        key = str(installation.key)
        try:
            held.enter_context(store.key_lock(machine.layout, key, machine.env, shared=True))
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
        if not os.path.lexists(installation.prefix):
            return None
        return _verified(installation, machine)


def _verified(installation: Installation, machine: Machine) -> Verified:
    problems: tuple[Problem, ...] = ()
    failure = ""
    try:
        receipt = store.read_receipt(installation.prefix)
        if installation.is_adopted:
            failure = _failure_of_adopted(installation, receipt, machine)
        else:
            from bubble.pythons.installed import manifest

            problems = manifest.verify(installation.prefix, sha256=receipt.manifest_sha256)
            check(installation.prefix, installation.key, env=machine.env)
            if made := store.made_for(installation):
                failure = f"it was moved: its sysconfig still names {printable(made, 500)}"
    except BubbleError as error:
        failure = error.message
    return Verified(installation=installation, problems=problems, failure=failure)


def _failure_of_adopted(
    installation: Installation, receipt: store.Receipt, machine: Machine
) -> str:
    """Return how an adopted interpreter differs from what was adopted, or ""."""
    key = installation.key
    found = probe(installation.executable, env=machine.env, imports=())
    now = (found.implementation, found.version, found.variant)
    if now != (key.implementation, key.version, key.variant):
        return f"{receipt.executable} is now {found.implementation} {found.version}"
    if os.path.realpath(found.prefix) != os.path.realpath(receipt.prefix):
        return f"its prefix is {found.prefix}, and was {receipt.prefix}"
    return ""


def repair(broken: Sequence[Verified], machine: Machine, progress: Progress) -> Batch:
    """Install broken installations anew, from the same archive wherever it can be had.

    With nothing broken, what a repair that was killed left behind goes.
    """
    if not broken:
        sweep(machine.layout)
        return Batch(installed=(), errors=())
    try:
        catalogue = open_fresh(machine)
    except BubbleError:  # what is in the cache needs none
        catalogue = None
    downloads: list[Download] = []
    errors: list[BubbleError] = []
    for item in broken:
        if machine.layout.is_beneath(item.installation.prefix):
            errors.append(not_ours(item.installation.key.name, machine.layout))
            continue
        found = _archive_of(item.installation, catalogue, machine)
        if isinstance(found, BubbleError):
            errors.append(found)
        else:
            downloads.append(found)
    batch = install_downloads(downloads, machine, progress, replace=True)
    return batch.replace(errors=tuple(errors) + batch.errors)


def _archive_of(
    installation: Installation, catalogue: Catalogue | None, machine: Machine
) -> Download | BubbleError:
    """Return what to install a damaged installation from: its own archive, else its key's."""
    key = installation.key
    if installation.is_adopted:
        return BubbleError(
            "verify",
            f"{key.name} can't be repaired here: something else installed it",
            hint=f"repair it where it comes from, or: bubble python uninstall {key}",
        )
    listed = next(
        (
            d
            for d in (catalogue.downloads(key.platform) if catalogue else ())
            if d.key == key and d.is_installable
        ),
        None,
    )
    try:
        receipt = store.read_receipt(installation.prefix)
    except BubbleError:
        receipt = None
    if receipt and receipt.sha256 and not (listed and listed.sha256 == receipt.sha256):
        kept = os.path.exists(f"{machine.layout.downloads}/{receipt.sha256}")
        if kept or not listed:
            return Download(key=key, url=receipt.origin, sha256=receipt.sha256, build=receipt.build)
    return listed or BubbleError(
        "unavailable",
        f"{key.name} can't be repaired: nothing tells where its archive is",
        hint=f"bubble python install --reinstall --from ARCHIVE {key}",
    )


def _newest_of(key: Key, catalogue: Catalogue) -> Download | None:
    """Return the newest available build of a key's minor, variant and platform, if newer than it.

    Pre-releases count only for what is one itself.
    """
    minor = parse_request(key.minor)
    newer = [
        d
        for d in catalogue.downloads(key.platform)
        if minor.matches(d.key, key.platform, prereleases=key.version.is_prerelease)
        and d.is_installable
        and d.key.version > key.version
    ]
    return max(newer, key=lambda d: d.key.rank, default=None)


def _installed_minors(present: Sequence[Installation], machine: Machine) -> list[Request]:
    minors = {(i.key.minor, i.key.platform): None for i in present}
    return [
        parse_request(minor).replace(platform=platform)
        for minor, platform in minors
        if runs_on(platform, machine.platform)
    ]


def _is_older(key: Key, newest: Key) -> bool:
    """Whether a key is an earlier patch release of the same minor and platform."""
    return (key.minor, key.platform) == (newest.minor, newest.platform) and (
        key.version < newest.version
    )

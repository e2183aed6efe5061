"""Looking after what is installed: uninstall, upgrade, verify, repair."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.model.request import parse_request
from bubble.pythons import store
from bubble.pythons.batch import Batch, install_downloads, open_fresh, require_python
from bubble.pythons.probe import check, probe
from bubble.system.staging import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.model.download import Download
    from bubble.model.key import Key
    from bubble.model.request import Request
    from bubble.pythons.install import Machine
    from bubble.pythons.manifest import Problem
    from bubble.pythons.progress import Progress
    from bubble.pythons.store import Installation


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


def uninstall(request: Request, machine: Machine) -> Installation:
    """Remove the one installation that a request names, and return what it was.

    Raises BubbleError(not_installed), or (request) when several satisfy the request.
    """
    require_python(request)
    found = store.matching(machine.layout, request, machine.platform)
    if not found:
        store.settle(machine.layout, machine.platform)  # an uninstall that was killed
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
    remove(found[0], machine)
    return found[0]


def remove(installation: Installation, machine: Machine) -> None:
    """Remove an installation: gone in one step, with the links to it; its bytes afterwards."""
    with store.key_lock(machine.layout, str(installation.key)):
        sweep(machine.layout)
        if not os.path.lexists(installation.prefix):  # another process was faster
            store.publish_changes(machine.layout, machine.platform)
            return
        store.withdraw(machine.layout, machine.platform, str(installation.key))


def upgrade(
    minors: Sequence[Request], machine: Machine, progress: Progress, *, prune: bool
) -> tuple[Batch, tuple[Installation, ...]]:
    """Install the newest patch release of each installed minor, or of those that are named.

    Returns what was installed and, with `prune`, the older installations that were removed, be
    they of an upgrade that was made before.
    """
    catalogue = open_fresh(machine)
    wanted: dict[str, Download] = {}
    newest: list[Key] = []
    errors: list[BubbleError] = []
    present = [i for i in store.installations(machine.layout) if not i.is_adopted]
    for request in minors or _installed_minors(present, machine):
        try:
            require_python(request)
            mine = [i for i in present if request.matches(i.key, machine.platform)]
            if not mine:
                raise store.not_installed(machine.layout, request, machine.platform)
            minor = parse_request(mine[0].key.minor).replace(platform=mine[0].key.platform)
            best = catalogue.select(minor, machine.platform)
            if best.key.version > mine[0].key.version:
                wanted.setdefault(str(best.key), best)
                newest.append(best.key)
            else:
                newest.append(mine[0].key)
        except BubbleError as error:
            errors.append(error)
    batch = install_downloads(list(wanted.values()), machine, progress)
    store.settle(machine.layout, machine.platform)
    removed: list[Installation] = []
    for key in dict.fromkeys(newest) if prune else ():
        if store.installation_at(machine.layout, str(key)):
            removed += _prune(key, present, machine)
    batch = batch.replace(errors=tuple(errors) + batch.errors, warning=catalogue.warning)
    return batch, tuple(removed)


def verify(installation: Installation, machine: Machine) -> Verified:
    """Hold every file of an installation against its manifest, and run it."""
    problems: tuple[Problem, ...] = ()
    failure = ""
    try:
        receipt = store.read_receipt(installation.prefix)
        if installation.is_adopted:
            failure = _failure_of_adopted(installation, receipt, machine)
        else:
            from bubble.pythons import manifest

            problems = manifest.verify(installation.prefix, sha256=receipt.manifest_sha256)
            check(installation.prefix, installation.key, env=machine.env)
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
    """Install broken installations anew, from the same archive wherever it can be had."""
    catalogue = None
    downloads: list[Download] = []
    errors: list[BubbleError] = []
    for item in broken:
        key = item.installation.key
        catalogue = catalogue or open_fresh(machine)
        found = [d for d in catalogue.downloads(key.platform) if d.key == key and d.is_installable]
        if item.installation.is_adopted:
            errors.append(
                BubbleError(
                    "verify",
                    f"{key.name} can't be repaired here: something else installed it",
                    hint=f"bubble python uninstall {key.name}, or repair it where it comes from",
                )
            )
            continue
        if found:
            downloads.append(found[0])
            continue
        errors.append(
            BubbleError(
                "unavailable",
                f"{key.name} can't be repaired: the catalogue doesn't have it",
                hint=f"bubble python install --reinstall --from ARCHIVE {key.name}",
            )
        )
    batch = install_downloads(downloads, machine, progress, replace=True)
    return batch.replace(errors=tuple(errors) + batch.errors)


def _installed_minors(present: Sequence[Installation], machine: Machine) -> list[Request]:
    minors = {i.key.minor: None for i in present if i.key.platform == machine.platform}
    return [parse_request(minor) for minor in minors]


def _prune(newest: Key, present: Sequence[Installation], machine: Machine) -> list[Installation]:
    old = [
        i
        for i in present
        if i.key.minor == newest.minor
        and i.key.platform == newest.platform
        and i.key.version < newest.version
    ]
    for installation in old:
        remove(installation, machine)
    return old

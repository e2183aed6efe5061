"""Several requests in one call: what each means now, and all of them carried out at once."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.record import Record
from bubble.pythons.installed import store
from bubble.pythons.installing.install import Installed, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bubble.model.download import Download
    from bubble.model.request import Request
    from bubble.pythons.catalogue import Catalogue
    from bubble.pythons.installing.progress import Progress, Task
    from bubble.system.machine import Machine

WORKERS = 4  # installs at once: two cores unpack while two connections wait


class Batch(Record):
    """What came of several requests: what is there now, and what failed."""

    installed: tuple[Installed, ...]
    errors: tuple[BubbleError, ...]
    warning: str = ""


def install_requests(
    requests: Sequence[Request],
    machine: Machine,
    progress: Progress,
    *,
    reinstall: bool = False,
    upgrade: bool = False,
) -> Batch:
    """Install what satisfies each request; what is installed already satisfies it, too.

    `upgrade` installs the newest available one even where an older one would do; `reinstall`
    replaces what is there, or installs one of this store's own beside the system's. A request that
    fails doesn't keep the others from being carried out. What came of the others is in their order,
    one for each.
    """
    done: list[Installed | str] = []  # what is there, or the key of what is to come
    errors: list[BubbleError] = []
    wanted: dict[str, Download] = {}
    catalogue: Catalogue | None = None
    for request in requests:
        try:
            require_python(request)
            within = store.own_matching if reinstall else store.matching
            present = within(machine.layout, request, machine.platform)
            if present and not (reinstall or upgrade):
                store.finish_changes(machine.layout, machine.platform)
                done.append(Installed(installation=present[0], status="present"))
                continue
            if catalogue is None:
                catalogue = open_fresh(machine)
            download = _choose(request, catalogue, machine, present if reinstall else [])
            there = store.stands_at(machine.layout, str(download.key))
            if there and not reinstall:
                store.finish_changes(machine.layout, machine.platform)
                done.append(Installed(installation=there[0], status="present"))
                continue
            wanted.setdefault(str(download.key), download)
            done.append(str(download.key))
        except BubbleError as error:
            errors.append(error)
    finished = install_downloads(list(wanted.values()), machine, progress, replace=reinstall)
    come = {str(installed.installation.key): installed for installed in finished.installed}
    each = (come.get(one) if isinstance(one, str) else one for one in done)
    return Batch(
        installed=tuple(one for one in each if one is not None),
        errors=tuple(errors) + finished.errors,
        warning=catalogue.warning if catalogue else "",
    )


def install_downloads(
    downloads: Sequence[Download], machine: Machine, progress: Progress, *, replace: bool = False
) -> Batch:
    """Install several builds at once; a failure of one leaves the others alone."""
    if len(downloads) <= 1:
        outcomes = [_install_one(d, machine, progress, replace=replace) for d in downloads]
    else:
        outcomes = _install_several(downloads, machine, progress, replace=replace)
    return Batch(
        installed=tuple(o for o in outcomes if isinstance(o, Installed)),
        errors=tuple(o for o in outcomes if isinstance(o, BubbleError)),
    )


def open_fresh(machine: Machine) -> Catalogue:
    """Return the catalogue, asked anew where it lies on a server."""
    from bubble.pythons.catalogue import open_catalogue

    return open_catalogue(machine.layout, machine.env, refresh=True)


def require_python(request: Request) -> None:
    """Raise BubbleError(request) for a path, a name or `system`, which no build satisfies."""
    if request.kind == "path":
        import shlex

        raise BubbleError(
            "request",
            f"{request} is a path: it names an interpreter that something else installed",
            hint=f"to have bubble know it: bubble python adopt {shlex.quote(str(request))}",
        )
    if request.kind == "system":
        raise BubbleError(
            "request",
            "“system” is whichever Python PATH has beside bubble's: it belongs to the system",
            hint="where it is chosen: bubble use system",
        )
    if not request.is_python:
        raise BubbleError(
            "request",
            f"“{request}” is no version that a build could have",
            hint="see what there is: bubble python list --available",
        )


def _choose(
    request: Request, catalogue: Catalogue, machine: Machine, present: list[store.Installation]
) -> Download:
    if present:  # a reinstall is of what is there, even when something newer has come out
        for download in catalogue.downloads(present[0].key.platform):
            if download.key == present[0].key and download.is_installable:
                return download
    return catalogue.select(request, machine.platform)


def _install_one(
    download: Download, machine: Machine, progress: Progress, *, replace: bool
) -> Installed | BubbleError:
    task = progress.task(download.key.name)
    try:
        outcome: Installed | BubbleError = install(download, machine, replace=replace, task=task)
    except BubbleError as error:
        outcome = error
    except BaseException as error:
        task.finish("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    task.finish(_ending(outcome))
    return outcome


def _install_several(
    downloads: Sequence[Download], machine: Machine, progress: Progress, *, replace: bool
) -> list[Installed | BubbleError]:
    from bubble.pythons.installing.crew import carry_out

    tasks: dict[int, Task] = {}
    outcomes: dict[int, Installed | BubbleError | Exception] = {}

    def work(number: int, task: Task) -> dict[str, object]:
        installed = install(downloads[number], machine, replace=replace, task=task)
        said = installed.as_dict()
        del said["installation"]
        return said

    def task_of(number: int) -> Task:
        tasks[number] = progress.task(downloads[number].key.name)
        return tasks[number]

    def ended(number: int, outcome: dict[str, Any] | Exception) -> None:
        if isinstance(outcome, dict):
            key = downloads[number].key
            there = store.Installation(key=key, prefix=machine.layout.python(str(key)))
            outcomes[number] = Installed(installation=there, **outcome)
        elif isinstance(outcome, OSError):
            from bubble.system.trouble import from_os_error

            outcomes[number] = from_os_error(outcome, machine.env)
        else:
            outcomes[number] = outcome
        tasks[number].finish(_ending(outcomes[number]))

    carry_out(len(downloads), WORKERS, work, task_of, ended)
    results: list[Installed | BubbleError] = []
    for _, outcome in sorted(outcomes.items()):
        if not isinstance(outcome, (Installed, BubbleError)):
            raise outcome
        results.append(outcome)
    return results


def _ending(outcome: Installed | Exception) -> str:
    """Return what a task ends with; of what was there already the command itself tells."""
    if not isinstance(outcome, Installed):
        return "failed"
    return "" if outcome.status == "present" else f"{outcome.status} in {outcome.seconds:.1f} s"

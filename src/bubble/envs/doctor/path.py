"""PATH: whether the shims are on it, once, and before what they stand for."""

from __future__ import annotations

import os
from shlex import quote

from bubble.envs.doctor.finding import NOTE, WARNING, Finding, Patient, counted
from bubble.model.text import printable
from bubble.pythons.installed import store
from bubble.selection import choice
from bubble.selection.path import identity, is_shim_directory
from bubble.selection.registry import environments
from bubble.selection.shims import is_current
from bubble.system.files import names_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# what is in the path of each manager's shims
_MANAGERS = (("pyenv", "pyenv"), ("mise", "mise"), ("rtx", "rtx"), ("asdf", "asdf"))
_SHOWN = 4


def shims(patient: Patient) -> Iterator[Finding]:
    """Look at the shims themselves."""
    if _is_used(patient) and not is_current(patient.layout, patient.python):
        yield Finding(
            id="shims.outdated",
            severity=WARNING,
            what="the shims are not those of what is installed now, or of this bubble",
            where=patient.layout.shims,
            fix="bubble rehash",
            automatic=True,
        )


def order(patient: Patient) -> Iterator[Finding]:
    """Look at where the shims are on PATH."""
    if not _is_used(patient):
        return
    ours = identity(patient.layout.shims)
    entries = [entry for entry in _entries(patient) if not choice.read(entry)]  # `exec`'s
    places = [n for n, entry in enumerate(entries) if ours and identity(entry) == ours]
    fix = _export([patient.layout.shims, *(e for n, e in enumerate(entries) if n not in places)])
    if not places:
        yield Finding(
            id="path.no-shims",
            severity=WARNING,
            what=f"the shims are not on {_whose(patient)}: python isn't what the directory selects",
            where="PATH",
            fix=f'export PATH={quote(patient.layout.shims)}:"$PATH"',
        )
        return
    if len(places) > 1:
        yield Finding(
            id="path.twice",
            severity=NOTE,
            what=f"the shims are on PATH {len(places)} times",
            where="PATH",
            fix=_export([e for n, e in enumerate(entries) if n not in places[1:]]),
        )
    yield from _before(patient, entries[: places[0]], fix)


def _whose(patient: Patient) -> str:
    """Return whose PATH lacks the shims: this shell's alone, where a start-up file is set up."""
    if any(name.startswith("init.") for name in names_in(patient.layout.home)):
        return "this shell's PATH (a new one has them)"
    return "PATH (for good, in new shells: bubble init --install)"


def _before(patient: Patient, entries: list[str], fix: str) -> Iterator[Finding]:
    active = identity(f"{patient.env['VIRTUAL_ENV']}/bin") if _active(patient) else None
    ours = {name for name in names_in(patient.layout.shims) if not name.startswith(".")}
    ours.discard("bubble")  # any other is as good
    for directory in dict.fromkeys(entries):
        if active and identity(directory) == active:
            continue  # an activated environment comes first: that is what activation is for
        try:
            names = sorted(ours.intersection(os.listdir(directory)))
        except OSError:
            continue
        if not names:
            continue
        shown = ", ".join(printable(name, 40) for name in names[:_SHOWN])
        shown += f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN)
        where = printable(directory, 500)
        if is_shim_directory(directory):
            yield Finding(
                id="path.other-manager",
                severity=WARNING,
                what=f"{_manager(directory)} shims come before bubble's: {shown}",
                where=where,
                fix=fix,
            )
        else:
            yield Finding(
                id="path.shadowed",
                severity=WARNING,
                what=f"in {where}, {counted(len(names), 'command')} before the shims: {shown}",
                where=where,
                fix=fix,
            )


def _is_used(patient: Patient) -> bool:
    """Whether there is anything that shims would be for."""
    return bool(store.usable(patient.layout) or environments(patient.layout))


def _active(patient: Patient) -> bool:
    return os.path.isabs(patient.env.get("VIRTUAL_ENV", ""))


def _manager(directory: str) -> str:
    return next((f"{name}'s" for mark, name in _MANAGERS if mark in directory), "another manager's")


def _entries(patient: Patient) -> list[str]:
    return patient.env.get("PATH", "").split(":")


def _export(entries: list[str]) -> str:
    return f"export PATH={quote(':'.join(entries))}"

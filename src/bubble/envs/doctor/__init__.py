"""The doctor: what is wrong on this machine with what bubble does, and how to mend it.

Each check is a small function that yields findings. None changes anything; only those in
`runtime` start processes. docs/doctor.md explains every finding.
"""

from __future__ import annotations

import os
from shlex import quote

from bubble.envs.doctor import environments, here, path, pythons, runtime, scraps
from bubble.envs.doctor.finding import ERROR, SEVERITIES, Finding, Patient
from bubble.envs.doctor.mend import Mended, mend
from bubble.model.text import printable
from bubble.system.layout import is_everybodys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Finding", "Mended", "Patient", "examine", "mend"]

# in the order in which mending makes sense: a repair needs space and whole interpreters
CHECKS: tuple[Callable[[Patient], Iterable[Finding]], ...] = (
    pythons.owners,
    pythons.space,
    pythons.locks,
    scraps.scratch,
    pythons.receipts,
    pythons.interpreters,
    pythons.moved,
    pythons.seeds,
    pythons.tools,
    runtime.running,
    scraps.links,
    environments.states,
    environments.shared,
    environments.editables,
    environments.strangers,
    environments.stranded,
    environments.kernel_specs,
    scraps.memos,
    scraps.locks,
)
OF_A_USER = (path.shims, path.order, here.variables, here.choice)


def examine(patient: Patient) -> list[Finding]:
    """Return everything that is wrong, errors first. A check that can't look says so itself."""
    found: dict[tuple[str, str, str], Finding] = {}
    misshapen = _look(pythons.shape, patient)
    if misshapen:
        return misshapen  # nothing can be said about the rest
    mendable = not pythons.is_anothers(patient)
    # nobody's shell runs the shims of a store that is everybody's
    whose = () if is_everybodys(patient.layout, patient.env) else OF_A_USER
    for check in (*CHECKS, *whose):
        for finding in _look(check, patient):
            # another's store isn't mended with bubble's commands: they would only be refused
            told = finding.replace(automatic=finding.automatic and mendable)
            found.setdefault((told.id, told.where, told.what), told)
    return sorted(found.values(), key=lambda finding: SEVERITIES.index(finding.severity))


def _look(check: Callable[[Patient], Iterable[Finding]], patient: Patient) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check(patient))
    except OSError as error:
        where = os.fsdecode(error.filename) if error.filename else patient.layout.home
        user, shown = os.geteuid(), quote(where)
        # not `chmod -R u+rwX`: what nobody is to write to in a Python stays so
        mend = "-type d -exec chmod u+rwx {} ';' -o -exec chmod u+r {} +"
        own = f"chown -R {user} {shown} && find {shown} {mend}"
        fix = f"sudo sh -c {quote(own)}" if user else own
        own_places = (f"{patient.layout.home}/", f"{patient.layout.cache}/")
        if pythons.is_anothers(patient):
            fix = pythons.own_store(patient)
        elif not f"{where}/".startswith(own_places):
            fix = f"ls -ld {shown}"  # whose it is, and whether it's this user's at all
        found.append(
            Finding(
                id="store.unreadable",
                severity=ERROR,
                what=f"{printable(where, 500)}: {(error.strerror or str(error)).lower()}",
                where=where,
                fix=fix,
            )
        )
    return found

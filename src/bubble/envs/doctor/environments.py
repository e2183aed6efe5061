"""Environments as the registry knows them against what lies on disk, and their kernels."""

from __future__ import annotations

import os
from shlex import quote

from bubble.envs.changing.unshare import is_shared
from bubble.envs.doctor.finding import ERROR, NOTE, WARNING, Finding, Patient
from bubble.envs.kernel import kernels
from bubble.envs.knowing.editables import astray
from bubble.envs.knowing.inspect import CONDITIONS, Status, look_at_all
from bubble.envs.knowing.locate import DEFAULT
from bubble.envs.knowing.others import environments_of_others
from bubble.envs.knowing.ownership import claim
from bubble.envs.making.adopt import is_stranded
from bubble.model.text import printable, shell_word
from bubble.selection.identity import is_itself, reached
from bubble.selection.known import known_directories
from bubble.selection.registry import environments as registered
from bubble.system.gone import barred, is_gone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# state (inspect.MENDING) → severity, what is said of it, whether mending it is safe unasked: it
# never is where something would be registered that isn't
_STATES = {
    "broken": (ERROR, "its link to its interpreter, or its configuration, is gone", True),
    "interpreter missing": (ERROR, "its interpreter {python} is gone", True),
    "missing": (WARNING, "it is registered, and its directory is gone", False),
    "closed": (ERROR, "this user may not look into {detail}", False),
    "moved": (ERROR, "it was moved to {detail}", False),
    "copied": (WARNING, "it is a copy of {detail}, and runs that one's commands", False),
    "replaced": (WARNING, "another environment lies where it was", False),
    "unregistered": (WARNING, "it was made here, and has no record", False),
}


def states(patient: Patient) -> Iterator[Finding]:
    """Look at every environment."""
    for status in look_at_all(patient.layout, patient.cwd):
        if status.state in _STATES:
            yield _finding(status, patient)


def shared(patient: Patient) -> Iterator[Finding]:
    """Look for environments that share files which somebody may write to, or owns, beside them."""
    for environment in registered(patient.layout):
        if environment.maker == "bubble" and is_shared(environment.path):
            title = environment.title
            yield Finding(
                id="env.shared",
                severity=WARNING,
                what=f"{printable(title, 500)} shares files with other environments: who owns or "
                "edits one of them changes all",
                where=environment.path,
                fix=f"bubble repair {quote(title)}",
                automatic=True,
            )


def editables(patient: Patient) -> Iterator[Finding]:
    """Look for editable installs that don't run their project's code."""
    for environment in registered(patient.layout):
        if os.path.isdir(environment.path) and is_itself(environment, patient.layout):
            for it in astray(environment.path):
                yield Finding(
                    id="env.editable",
                    severity=WARNING,
                    what=f"{printable(environment.title, 500)}: {it.said}",
                    where=environment.path,
                    fix=it.command(environment),
                )


def strangers(patient: Patient) -> Iterator[Finding]:
    """Look for an environment in this directory that the store knows nothing of."""
    path = f"{patient.cwd.rstrip('/')}/{DEFAULT}"
    if not os.path.lexists(f"{path}/pyvenv.cfg"):
        return
    if path in {environment.path for environment in registered(patient.layout)}:
        return
    if reached(path, patient.layout):
        return  # by a link or a mount
    found = claim(path, patient.layout)
    if found.is_ours:
        return  # reported as what it is
    yield Finding(
        id="env.not-adopted",
        severity=NOTE,
        what=f"this directory's environment {found.said}: the shims pass it over",
        where=path,
        fix=found.command,
        condition=found.condition,
    )


def stranded(patient: Patient) -> Iterator[Finding]:
    """Look for environments that other tools made of an interpreter that the store had."""
    layout = patient.layout
    known = {environment.path for environment in registered(layout)}
    directories = dict.fromkeys([*known_directories(layout), patient.cwd or "/"])
    others = environments_of_others(directories, patient.env, (layout.home, layout.cache))
    for path in dict.fromkeys(others):
        if path in known or not is_stranded(path, layout):
            continue
        found = claim(path, layout)
        if found.is_ours:
            continue  # reported as what it is
        word = shell_word(path)
        yield Finding(
            id="env.stranded",
            severity=WARNING,
            what=f"{printable(path, 500)}, which {found.says} made, has lost its interpreter: it "
            "was one of this store",
            where=path,
            fix=f"bubble adopt {word} && bubble repair {word}",
            condition=found.condition,
        )


def kernel_specs(patient: Patient) -> Iterator[Finding]:
    """Look for kernels of ours that can't start."""
    titles = {e.identity: e.title for e in registered(patient.layout) if e.maker == "bubble"}
    for kernel in kernels(patient.layout, patient.env):
        if kernel.is_ours and not os.path.exists(kernel.python) and not barred(kernel.python):
            gone = is_gone(kernel.environment, patient.layout.home)
            title = titles.get(kernel.identity, "") if gone else ""
            name = quote(kernel.name)
            fix = f"bubble kernel remove {name}"
            if title:
                fix = f"bubble kernel install {quote(title)} --name {name}"
            yield Finding(
                id="kernel.python",
                severity=WARNING,
                what=f"the Jupyter kernel {printable(kernel.name)} can't start: "
                f"{printable(kernel.python, 500)} is gone",
                where=kernel.path,
                fix=fix,
                automatic=gone,
            )


def _finding(status: Status, patient: Patient) -> Finding:
    severity, said, automatic = _STATES[status.state]
    environment = status.environment
    title = printable(environment.title, 500)
    details = {"python": printable(status.python), "detail": printable(status.detail, 500)}
    automatic = automatic and environment.maker == "bubble"  # what another made, another mends
    fix = status.mend or f"ls -ld {quote(status.detail)}"
    if status.state == "missing" and is_gone(environment.path, patient.layout.home):
        fix, automatic = "bubble gc --only records", True
    if status.state == "interpreter missing":  # not from one that may be back tomorrow
        automatic = is_gone(environment.interpreter, patient.layout.home)
    directory, key = os.path.split(environment.interpreter)
    if status.state == "interpreter missing" and directory == patient.layout.pythons:
        fix = f"bubble python install {quote(key)}"  # back in its place, it serves as before
    return Finding(
        id=f"env.{status.state.replace(' ', '-')}",
        severity=severity,
        what=f"{title}: {said.format(**details)}",
        where=environment.path,
        fix=fix,
        automatic=automatic,
        condition=CONDITIONS.get(status.state, ""),
    )

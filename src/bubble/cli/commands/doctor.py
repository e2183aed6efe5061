"""`bubble doctor`."""

from __future__ import annotations

import sys

from bubble import __version__
from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence

    from bubble.envs.doctor import Finding, Mended, Patient
    from bubble.envs.tools.found import Uv
    from bubble.program.origin import Origin
    from bubble.system.layout import Layout

EXAMPLES = (
    ("bubble doctor", "what is wrong, and the command that mends it"),
    ("bubble doctor --fix", "run those commands that are bubble's own"),
    ("bubble doctor --json", "for a script"),
)
DETAILS = (
    "Looks at PATH, the shims, the store, interpreters, environments, kernels, and what this\n"
    "directory selects. It changes nothing without --fix, and never anything outside bubble's\n"
    "own directories. The exit status is 1 while there is an error."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--fix", action="store_true", help="mend what bubble can mend itself")


def execute(options: Namespace, context: Context) -> Outcome:
    """Examine; with `--fix` mend, and examine again."""
    from bubble.envs.doctor import Patient, examine, mend
    from bubble.envs.tools.found import find_uv
    from bubble.program.origin import origin

    patient = Patient(**context.world().as_dict(), python=sys.executable)
    own = _configuration(context.env)
    findings = [*own, *examine(patient)]
    before = findings
    mended: list[Mended] = []
    if options.fix and any(finding.automatic for finding in findings):
        mended = mend(findings, patient)
        findings = [*own, *examine(patient)]
    gone = [f.as_dict() for f in before if f not in findings]
    uv = find_uv(patient.env, patient.layout)
    came = origin(patient.env)
    findings = [f.replace(fix=context.output.proposed(f.fix)) for f in findings]
    errors = [f for f in findings if f.severity == "error"]
    return Outcome(
        data={
            "findings": [finding.as_dict() for finding in findings],
            "mended": [{"command": m.command, "failure": m.failure or None} for m in mended],
            "gone": gone,
            "uv": uv.as_dict() if uv else None,
            "bubble": {"version": __version__, "kind": came.kind, "upgrade": came.upgrade},
        },
        lines=(*_mending(mended), *(_lines(findings) or (_healthy(patient),))),
        # where there are errors, the store may not even be readable
        notes=(
            *_closed(context.layout),
            *(_notes(findings, fixed=options.fix) or (() if errors else _first_step(patient))),
            *(() if errors else (*_installer(uv), *_upkeep(came))),
        ),
        errors=(_error(errors),) if errors else (),
    )


def _mending(mended: Sequence[Mended]) -> list[str]:
    return [
        f"ran      {m.command}" + (f": it failed: {m.failure}" if m.failure else "") for m in mended
    ]


def _lines(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in findings:
        lines.append(f"{finding.severity.ljust(8)} {_printable(finding.what)}  [{finding.id}]")
        lines.append(f"         mend: {_printable(finding.advice)}")
    return lines


def _healthy(patient: Patient) -> str:
    from bubble.envs.doctor.finding import counted
    from bubble.pythons.installed.store import usable
    from bubble.selection.registry import environments, shared_environments

    layout = patient.layout
    pythons = counted(len(usable(layout)), "Python")
    bubbles = counted(len(environments(layout)) + len(shared_environments(layout)), "environment")
    return f"nothing is wrong: {pythons}, {bubbles}"


def _first_step(patient: Patient) -> tuple[str, ...]:
    from bubble.pythons.installed.store import usable

    if usable(patient.layout):
        return ()
    return ("no Python is installed yet: bubble python install 3",)


def _closed(layout: Layout) -> tuple[str, ...]:
    from bubble.pythons.installed.shared import is_closed

    if not is_closed(layout):
        return ()
    return (f"the system's store, {_printable(layout.system)}, is closed to you",)


def _notes(findings: Sequence[Finding], *, fixed: bool) -> tuple[str, ...]:
    own = sum(finding.automatic for finding in findings)
    if not findings:
        return ()
    if fixed:
        return ("what is left is for you to mend: the commands are above",)
    return (f"bubble doctor --fix runs {own} of these commands",) if own else ()


def _installer(uv: Uv | None) -> tuple[str, ...]:
    if uv is None:
        return ("packages are installed by pip: no uv is beside bubble, on PATH or in the store",)
    place = {"beside": "beside bubble", "path": "on PATH", "store": "bubble's own"}[uv.place]
    return (f"packages are installed by uv: {_printable(uv.path)}, {place}",)


def _upkeep(came: Origin) -> tuple[str, ...]:
    return (f"bubble {__version__} came by {came.kind}; a newer one: {_printable(came.upgrade)}",)


def _configuration(env: Mapping[str, str]) -> list[Finding]:
    """Return what is wrong with the user's configuration file."""
    from bubble.cli.configuration import read
    from bubble.envs.doctor.finding import Finding
    from bubble.system.layout import configuration_file

    path = configuration_file(env)
    try:
        unknown = read(env).unknown
    except BubbleError as error:
        return [
            Finding(
                id="configuration", severity="error", what=error.message, where=path, fix=error.hint
            )
        ]
    return [
        Finding(
            id="configuration",
            severity="warning",
            what=text,
            where=path,
            fix="correct the key, or take it out",
        )
        for text in unknown
    ]


def _error(errors: Sequence[Finding]) -> BubbleError:
    from bubble.envs.doctor.finding import counted

    return BubbleError(
        "store", f"{counted(len(errors), 'error')} found", hint=f"for the first: {errors[0].advice}"
    )


def _printable(text: str) -> str:
    from bubble.model.text import printable

    return printable(text, 4000)

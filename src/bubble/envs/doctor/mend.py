"""Running the mending commands that are bubble's own."""

from __future__ import annotations

from bubble.model.record import Record
from bubble.pythons.probing.isolation import MAIN, for_bubble, own_options
from bubble.system import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from bubble.envs.doctor.finding import Finding, Patient

_TIMEOUT = 3600.0  # seconds: an interpreter may have to be downloaded


class Mended(Record):
    """A command that was run; `failure` is what it said if it failed, else ""."""

    command: str
    failure: str


def mend(findings: Iterable[Finding], patient: Patient) -> list[Mended]:
    """Run each automatic finding's command once, in the order of the findings."""
    commands = dict.fromkeys(finding.fix for finding in findings if finding.automatic)
    return [_run(command, patient) for command in commands]


def _run(command: str, patient: Patient) -> Mended:
    from shlex import split

    words = split(command)
    assert words[0] == "bubble", command
    try:
        done = process.run(
            [patient.python, *own_options(), "-c", MAIN, *words[1:]],
            env=for_bubble(patient.env),
            timeout=_TIMEOUT,
            cwd=patient.cwd or "/",
        )
    except OSError as error:
        return Mended(command=command, failure=str(error))
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    failure = ""
    if done.status:
        failure = said[-1].removeprefix("error: ") if said else f"it ended with {done.status}"
    return Mended(command=command, failure=failure)

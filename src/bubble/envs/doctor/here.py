"""This shell and this directory: variables that mislead, and a choice that can't be made."""

from __future__ import annotations

import os
from shlex import quote

from bubble.envs.doctor.finding import ERROR, NOTE, WARNING, Finding, Patient
from bubble.model.errors import BubbleError
from bubble.model.text import printable
from bubble.selection.answers import an_installed
from bubble.selection.path import identity
from bubble.selection.resolve import select
from bubble.selection.sources import VARIABLE
from bubble.selection.worktree import lonely

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def variables(patient: Patient) -> Iterator[Finding]:
    """Look for variables that break interpreters or name what is gone."""
    env = patient.env
    if env.get("PYTHONHOME"):
        yield Finding(
            id="variable.pythonhome",
            severity=ERROR,
            what="PYTHONHOME makes every interpreter use another one's standard library",
            where="PYTHONHOME",
            fix="unset PYTHONHOME",
        )
    active = env.get("VIRTUAL_ENV", "")
    if active and not os.path.exists(f"{active}/bin/python"):
        yield Finding(
            id="variable.virtual-env",
            severity=WARNING,
            what=f"VIRTUAL_ENV names {printable(active, 500)}, where no environment is",
            where="VIRTUAL_ENV",
            fix="unset VIRTUAL_ENV",
        )
    elif active and not _is_on_path(active, env):
        yield Finding(
            id="variable.virtual-env",
            severity=WARNING,
            what=f"VIRTUAL_ENV names {printable(active, 500)}, whose commands aren't on PATH: "
            "tools take it for active, and python is another (tmux and login shells inherit it so)",
            where="VIRTUAL_ENV",
            fix="unset VIRTUAL_ENV",
        )
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = env.get(name, "")
        if path and not os.path.exists(path):
            yield Finding(
                id="variable.certificates",
                severity=ERROR,
                what=f"{name} names {printable(path, 500)}, which isn't there: HTTPS fails",
                where=name,
                fix=f"unset {name}",
            )


def _is_on_path(environment: str, env: Mapping[str, str]) -> bool:
    """Whether an environment's commands (absolute) are found by their names."""
    there = identity(f"{environment}/bin")
    return any(identity(entry) == there for entry in env.get("PATH", "").split(":") if entry)


def choice(patient: Patient) -> Iterator[Finding]:
    """Look whether what this directory and this shell select can be had."""
    if not patient.cwd:
        return
    try:
        selection = select(patient)
    except BubbleError as error:
        where, condition = patient.cwd, ""
        if patient.env.get(VARIABLE, "").strip():
            fix, where = f"unset {VARIABLE}", VARIABLE
        else:
            fix = _command(error.hint) if error.kind != "version_file" else ""
            condition = _condition(error.hint) if fix else ""
        yield Finding(
            id="choice.impossible",
            severity=ERROR,
            what=error.message,
            where=where,
            fix=fix or f"bubble use {an_installed(patient, 'system')}",
            condition=condition,
        )
        return
    alone = lonely(selection.source, patient)
    if alone:
        yield Finding(
            id="choice.worktree",
            severity=NOTE,
            what=alone.said,
            where=alone.directory,
            fix=alone.command,
        )
    for entry in selection.missing:
        text = printable(entry.text, 60)
        yield Finding(
            id="choice.missing",
            severity=WARNING,
            what=f"{selection.source} also asks for “{text}”, which is not installed",
            where=str(selection.source),
            fix=f"bubble python install {quote(entry.text)}",
        )


def _condition(hint: str) -> str:
    """Return what a hint says before its command that the user must know: `if you …`."""
    _, found, said = hint.partition("bubble ")[0].rpartition("if you ")
    return f"{found}{said}".rstrip(" :") if found else ""


def _command(hint: str) -> str:
    """Return the command in a hint: `bubble …` up to what is said behind it."""
    _, found, rest = hint.partition("bubble ")
    return f"bubble {rest.partition(';')[0].partition(', or')[0]}" if found else ""

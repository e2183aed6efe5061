"""Scraps of the store: what dead processes left, locks, crooked links, old memos."""

from __future__ import annotations

import os
import time
from shlex import quote

from bubble.envs.discarding.gc.memos import ANSWER, FORMAT, useless_memos
from bubble.envs.discarding.gc.plan import crooked_links
from bubble.envs.discarding.gc.scratch import leftovers
from bubble.envs.doctor.finding import ERROR, NOTE, WARNING, Finding, Patient, counted
from bubble.model.text import printable, size
from bubble.system.lock import holder, is_held
from bubble.system.removal import cure
from bubble.system.trees import obstacle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG = 900.0  # seconds after which other processes stop waiting for a lock


def scratch(patient: Patient) -> Iterator[Finding]:
    """Look for staging, trash and temporary files of dead processes."""
    items = []
    for item in leftovers(patient.layout):
        if found := obstacle(item.path):
            yield Finding(
                id="store.undeletable",
                severity=WARNING,
                what=f"bubble can't delete what it has thrown away: {found.why}",
                where=found.path,
                fix=cure(item.path),
            )
        else:
            items.append(item)
    if items:
        freed = sum(item.size for item in items)
        yield Finding(
            id="store.leftovers",
            severity=NOTE,
            what=f"processes that died left {counted(len(items), 'thing')} behind ({size(freed)})",
            where=items[0].path,
            fix="bubble gc --only scratch",
            automatic=True,
        )


def links(patient: Patient) -> Iterator[Finding]:
    """Look at the minor links, which environments stand on."""
    for item in crooked_links(patient):
        yield Finding(
            id="store.minor-link",
            severity=WARNING if os.path.exists(item.path) else ERROR,
            what=f"the link {os.path.basename(item.path)}: {item.why}",
            where=item.path,
            fix="bubble gc --only links",
            automatic=True,
        )


def memos(patient: Patient) -> Iterator[Finding]:
    """Look for memos by which a shim would run something else, or takes the slow way."""
    old = []
    for fault, item in useless_memos(patient):
        if fault == FORMAT:
            old.append(item)
        if fault == ANSWER:
            yield Finding(
                id="store.contradiction",
                severity=ERROR,
                what=f"the shims would run another Python than the one that is chosen: {item.why}",
                where=item.path,
                fix="bubble gc --only memos",
                automatic=True,
            )
    if old:
        yield Finding(
            id="store.memo-format",
            severity=NOTE,
            what=f"{counted(len(old), 'memo')} of another bubble's format",
            where=old[0].path,
            fix="bubble gc --only memos",
            automatic=True,
        )


def locks(patient: Patient) -> Iterator[Finding]:
    """Look for locks that somebody holds."""
    for directory in (patient.layout.locks, patient.layout.download_locks):
        try:
            names = sorted(os.listdir(directory))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            path = f"{directory}/{name}"
            if is_held(path):
                yield _held(path)


def _held(path: str) -> Finding:
    process = holder(path)
    program = _program(process) if process else ""
    held = time.time() - os.stat(path).st_mtime
    who = f"process {process} ({program})" if program else "a process that can't be seen from here"
    return Finding(
        id="store.lock",
        severity=WARNING if held > _LONG else NOTE,
        what=f"{who} holds the lock {os.path.basename(path)}, for {held:.0f} s now",
        where=path,
        fix=f"kill {process}" if program else f"fuser -k {quote(path)}",
    )


def _program(process: int) -> str:
    """Return the command line of a process, "" when there is no such process."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            words = file.read(400).split(b"\0")
    except OSError:
        try:
            os.kill(process, 0)
        except (OSError, OverflowError):
            return ""
        return "running"
    return printable(" ".join(os.fsdecode(word) for word in words if word), 100) or "ending"

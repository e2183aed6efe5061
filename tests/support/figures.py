"""What harnesses tried, how often, and what held: for the tables of docs/reliability.md.

    record("kills of an install", tried=report.points, held=report.killed)
    caught("unpack at the destination", by="the kill sweep")

A call adds a line of JSON to the file that BUBBLE_TEST_FIGURES names (`scripts/faults` reads it);
without that variable it does nothing. Lines are appended in one write each, so that tests may run
side by side. Lines of the same words, from shares of one test, are added up by the reader.
"""

from __future__ import annotations

import json
import os

VARIABLE = "BUBBLE_TEST_FIGURES"


def record(what: str, *, tried: int, held: int, note: str = "") -> None:
    """Note that `what` was tried so often, and that everything held so often of these."""
    assert 0 <= held <= tried, (what, tried, held)
    _add({"what": what, "tried": tried, "held": held, "note": note})


def caught(bug: str, *, by: str) -> None:
    """Note that a harness saw a planted bug; call it after the assertion that it did."""
    _add({"bug": bug, "by": by})


def _add(figure: dict[str, object]) -> None:
    path = os.environ.get(VARIABLE)
    if not path:
        return
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
    line = json.dumps({"test": test, **figure}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)

"""What came of a run of the harnesses: pytest's own report, and what they recorded."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field

from reliability.parts import PARTS, Part, part_of
from support.needs import NOT_HERE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Row:
    """One thing that was tried; `held` counts the times at which everything held."""

    what: str
    tried: int = 0
    held: int = 0
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether it held every time."""
        return self.held == self.tried > 0


@dataclass
class Outcome:
    """What one part gave; `seconds` are of its tests, added up, however many ran at once."""

    part: Part
    passed: int = 0
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    rows: dict[str, Row] = field(default_factory=dict)
    caught: dict[tuple[str, str], None] = field(default_factory=dict)

    def wrong(self, *, full: bool, whole: bool) -> list[str]:
        """Return why this part can't be said to hold.

        `full`: this was the long form, and what can be had for the tests was to be had. `whole`:
        no test of this part was left out on purpose.
        """
        found = [f"failed: {name}" for name in self.failed]
        if full:
            lacking = [reason for reason in self.skipped if not reason.startswith(NOT_HERE)]
            found += [f"not tried: {reason}" for reason in lacking]
        found += [f"{r.what}: {r.held} of {r.tried}" for r in self.rows.values() if not r.holds]
        if whole and not self.passed and not self.skipped:
            found.append("not one test ran")
        if whole and (not self.skipped or (full and self.passed)):
            missing = self.part.bugs - len(self.caught)
            found += [f"{missing} planted bugs weren't caught"] if missing > 0 else []
        return found


def outcomes(names: Sequence[str], junit: str, figures: str) -> list[Outcome]:
    """Return the outcomes of the parts called `names` from pytest's XML and the figures' file."""
    found = {part.name: Outcome(part) for part in PARTS if part.name in names}
    for case in ET.parse(junit).getroot().iter("testcase"):
        # `tests.faults.test_x`, and the class if there is one; of a broken file, only `name`
        words = (case.get("classname") or case.get("name") or "").split(".")
        file = "/".join(words[words.index("tests") + 1 :][:2]) if "tests" in words else ""
        outcome = found[part_of(f"{file}.py").name]
        outcome.seconds += float(case.get("time") or 0)
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed.append(f"{file}.py::{case.get('name')}")
        elif skip is not None:
            outcome.skipped[(skip.get("message") or "").removeprefix("Skipped: ")] += 1
        else:
            outcome.passed += 1
    for figure in _figures(figures):
        outcome = found[part_of(str(figure["test"]).removeprefix("tests/")).name]
        if "bug" in figure:
            outcome.caught[str(figure["bug"]), str(figure["by"])] = None
            continue
        row = outcome.rows.setdefault(str(figure["what"]), Row(str(figure["what"])))
        row.tried += int(figure["tried"])
        row.held += int(figure["held"])
        row.note = str(figure["note"]) or row.note
    return list(found.values())


def _figures(path: str) -> list[dict[str, str]]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]

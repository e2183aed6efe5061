"""What bats reports: TAP lines, read into one result a test. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE = re.compile(r"(not )?ok \d+ (.*?)(?: # skip(?: (.*))?)?$")


class Result(NamedTuple):
    """One test: its title, whether it passed, why it was skipped ("": it ran), what it said."""

    title: str
    passed: bool
    skipped: str
    said: tuple[str, ...]


def parse(lines: Iterable[str]) -> list[Result]:
    """Return the results of a TAP report; `# …` lines belong to the test above them."""
    found: list[Result] = []
    for line in lines:
        match = _LINE.match(line)
        if match:
            skipped = line.partition(" # skip")[2].strip() or "-" if " # skip" in line else ""
            found.append(Result(match[2], not match[1], skipped, ()))
        elif line.startswith("# ") and found:
            found[-1] = found[-1]._replace(said=(*found[-1].said, line[2:]))
    return found

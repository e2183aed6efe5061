"""The tables of the harnesses: for the terminal, and for docs/reliability.md between its marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.page import machine, markdown, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reliability.outcome import Outcome

BEGIN = "<!-- tried: scripts/faults --full writes this -->"


def summary(outcomes: Sequence[Outcome], wrong: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a table with a line for each part."""
    head = ["harness", "tests", "tried", "planted bugs caught", "not here", "minutes", "holds"]
    rows = [
        [
            f"{outcome.part.title} (`{outcome.part.name}`)",
            str(outcome.passed),
            f"{sum(row.tried for row in outcome.rows.values()):,}",
            str(len(outcome.caught)),
            str(sum(outcome.skipped.values()) or ""),
            f"{outcome.seconds / 60:.1f}",
            _verdict(outcome, wrong[outcome.part.name]),
        ]
        for outcome in outcomes
    ]
    return markdown(head, rows)


def _verdict(outcome: Outcome, wrong: Sequence[str]) -> str:
    if wrong:
        return "**no**"
    return "yes" if outcome.passed else "not tried"


def details(outcomes: Sequence[Outcome]) -> list[str]:
    """Return, for each part, what it tried and which bugs it was held against."""
    lines: list[str] = []
    for outcome in outcomes:
        lines += ["", f"### {outcome.part.title}", ""]
        rows = [
            [
                row.what,
                f"{row.tried:,}",
                f"{row.held:,}" if row.holds else f"**{row.held:,}**",
                row.note,
            ]
            for row in sorted(outcome.rows.values(), key=lambda row: row.what)
        ]
        if rows:
            lines += markdown(["tried", "times", "held", ""], rows)
        if outcome.caught:
            lines += ["", "Planted, and caught:", ""]
            lines += [f"- {bug} ({by})" for bug, by in sorted(outcome.caught)]
        if outcome.skipped:
            lines += ["", "Not on this machine:", ""]
            lines += [f"- {why} ({n})" for why, n in sorted(outcome.skipped.items())]
    return lines


def write(
    path: str,
    outcomes: Sequence[Outcome],
    wrong: Mapping[str, Sequence[str]],
    about: Mapping[str, str],
) -> None:
    """Replace the part of the page between the marks."""
    lines = [f"- {name}: {value}" for name, value in {**machine(), **about}.items()]
    lines += ["", *summary(outcomes, wrong), *details(outcomes)]
    failures = [f"- {name}: {what}" for name, found in wrong.items() for what in found]
    if failures:
        lines += ["", "### What failed in this run", "", *failures]
    replace(path, BEGIN, lines)

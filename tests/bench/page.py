"""The tables: for the terminal, for docs/performance.md (between their marks), and as JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import platform
import re
from typing import TYPE_CHECKING, Any

from bench import plot
from bench.measure import spread
from bench.results import Absent, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BEGIN, END = "<!-- measured ({}): scripts/bench writes this -->", "<!-- end -->"
FORMAT = 2


def write(
    path: str,
    sections: Mapping[str, Sequence[Result | Absent]],
    about: Mapping[str, str],
    *,
    every: bool = True,
) -> None:
    """Replace the measured parts of a page that `sections` has; write samples and plots beside it.

    A page that isn't there is begun, with these parts alone.

    Sections that aren't given stay as they are, in the page and in its JSON, and so does what the
    page's head says of the last run of `every` section.
    """
    if not os.path.exists(path):
        _save(path, _new(["about", *sections]))
    stem = os.path.splitext(path)[0]
    document = _document(f"{stem}.json")
    for name, rows in sections.items():
        document["sections"][name] = {
            "about": dict(about),
            "results": [row.as_dict() for row in rows if isinstance(row, Result)],
            "not_here": [row.as_dict() for row in rows if isinstance(row, Absent)],
        }
        replace(path, BEGIN.format(name), [_stamp(about), "", *shown(rows)])
    with open(path, encoding="utf-8") as file:
        text = file.read()
    order = sorted(document["sections"], key=lambda name: text.find(BEGIN.format(name)))
    document["sections"] = {name: document["sections"][name] for name in order}
    if every:
        head = [f"- {name}: {value}" for name, value in about.items()]
        replace(path, BEGIN.format("about"), head)
    _save(f"{stem}.json", json.dumps(document, indent=1) + "\n")
    _save(f"{stem}.svg", plot.ratios(document))
    _save(f"{stem}-scale.svg", plot.curves(document))


def unwritable(path: str, names: Sequence[str]) -> str:
    """Return why the sections can't be written to the page at `path` (absolute), "" where they can.

    So that nobody measures for minutes, and is told at the end.
    """
    if not os.path.lexists(path):
        directory = os.path.dirname(path)
        return "" if os.path.isdir(directory) else f"{directory} is no directory"
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        return f"{path}: {error}"
    missing = [name for name in names if BEGIN.format(name) not in text]
    return f"{path} has no marks for: {', '.join(missing)}" if missing else ""


def _new(names: Sequence[str]) -> str:
    marks = [f"{BEGIN.format(name)}\n\n{END}\n" for name in names]
    return "\n".join(["# Measured by scripts/bench\n", *marks])


def shown(rows: Sequence[Result | Absent]) -> list[str]:
    """Return the lines of one section: its table, and what isn't here."""
    results = [row for row in rows if isinstance(row, Result) and not row.curve]
    points = [row for row in rows if isinstance(row, Result) and row.curve]
    absent = [f"- not here: {row.what} ({row.why})" for row in rows if isinstance(row, Absent)]
    parts = [table(results) if results else [], curves(points) if points else [], absent]
    lines = [line for part in parts if part for line in [*part, ""]]
    return lines[:-1]


def table(results: Sequence[Result]) -> list[str]:
    """Return the lines of a Markdown table, with a column for each contestant."""
    names = list(dict.fromkeys(name for result in results for name in result.samples))
    head = ["what", *names, "ratio", "paired", "asked for", "reached"]
    rows = [
        [
            result.what,
            *(_cell(result, name) for name in names),
            _share(result.ratio),
            _share(result.paired),
            _limit(result),
            {True: "yes", False: "**no**", None: ""}[result.holds],
        ]
        for result in results
    ]
    return markdown(head, rows)


def curves(points: Sequence[Result]) -> list[str]:
    """Return the lines of a Markdown table of medians: a line a curve and contestant.

    The exponent is that of the last step: 1 for what takes ten times as long for ten times as many.
    """
    counts = sorted({point.at for point in points})
    found: dict[tuple[str, str], dict[int, float]] = {}
    unit = points[0].unit
    for point in points:
        for name, series in point.samples.items():
            found.setdefault((point.curve, name), {})[point.at] = spread(series).median
    head = ["what", "who", *(f"{count:,}" for count in counts), "exponent"]
    rows = [
        [
            *key,
            *(f"{_n(line[count])} {unit}" if count in line else "" for count in counts),
            exponent(line),
        ]
        for key, line in found.items()
    ]
    return markdown(head, rows)


def exponent(line: Mapping[int, float]) -> str:
    """Return the slope of a curve's last step on logarithmic scales, "" where there is none."""
    if len(line) < 2:
        return ""
    first, last = sorted(line)[-2:]
    if min(line[first], line[last]) <= 0:
        return ""
    return f"{math.log(line[last] / line[first]) / math.log(last / first):.2f}"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def replace(path: str, begin: str, lines: Sequence[str]) -> None:
    """Replace what a page has between the mark `begin` and the next END."""
    text = "\n".join([begin, "", *lines, "", END])
    with open(path, encoding="utf-8") as file:
        page = file.read()
    changed, count = re.subn(
        f"{re.escape(begin)}.*?{re.escape(END)}", lambda _: text, page, flags=re.DOTALL
    )
    if count != 1:
        raise RuntimeError(f"{path}: the marks for the measured part are missing: {begin}")
    _save(path, changed)


def machine() -> dict[str, str]:
    """Return when and on what this is measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{_processor()}, {os.cpu_count()} CPUs, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def _document(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            document: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        document = {}
    return document if document.get("format") == FORMAT else {"format": FORMAT, "sections": {}}


def _save(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _stamp(about: Mapping[str, str]) -> str:
    said = [about[name] for name in ("date", "bubble", "command") if name in about]
    return f"({', '.join(said)})"


def _limit(result: Result) -> str:
    if result.limit is None:
        return ""
    if not result.reference:
        return f"≤ {result.limit:g} {result.unit}"
    limit = f"1/{1 / result.limit:.0f}" if result.limit < 0.5 else f"{result.limit:g}"
    return f"≤ {limit} of {result.reference}"


def _share(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2g}" if abs(value) < 0.1 else f"{value:.2f}"


def _cell(result: Result, name: str) -> str:
    if name not in result.samples:
        return ""
    s = spread(result.samples[name])
    return f"{_n(s.median)} {result.unit} ({_n(s.first)}-{_n(s.third)}, min {_n(s.low)})"


def _n(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"

"""The table: for the terminal, for docs/performance.md (between its marks), and as JSON."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import re
from typing import TYPE_CHECKING

from bench.measure import spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.results import Result

BEGIN, END = "<!-- measured{}: scripts/bench writes this -->", "<!-- end -->"


def table(results: Sequence[Result]) -> list[str]:
    """Return the lines of a Markdown table, with a column for each contestant."""
    names = list(dict.fromkeys(name for result in results for name in result.samples))
    head = ["what", *names, "ratio", "paired", "asked for", "reached"]
    rows = [head, ["---"] * len(head)]
    for result in results:
        ratio, pairs = result.ratio, result.paired
        limit = f"1/{1 / result.limit:.0f}" if result.limit < 0.5 else f"{result.limit:g}"
        against = f"≤ {limit} of {result.reference}" if result.reference else ""
        rows.append(
            [
                result.what,
                *(_cell(result, name) for name in names),
                f"{ratio:.2g}" if ratio and ratio < 0.1 else f"{ratio:.2f}" if ratio else "",
                f"{pairs:.2g}" if pairs and pairs < 0.1 else f"{pairs:.2f}" if pairs else "",
                against or f"≤ {result.limit:g} {result.unit}",
                "yes" if result.holds else "**no**",
            ]
        )
    return ["| " + " | ".join(row) + " |" for row in rows]


def write(path: str, results: Sequence[Result], about: Mapping[str, str], part: str = "") -> None:
    """Replace a measured part of the page, and write its samples beside it."""
    document = {"about": dict(about), "results": [result.as_dict() for result in results]}
    stem = os.path.splitext(path)[0] + (f"-{part}" if part else "")
    begin = BEGIN.format(f" ({part})" if part else "")
    with open(f"{stem}.json", "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    lines = [*(f"- {name}: {value}" for name, value in about.items()), "", *table(results)]
    text = "\n".join([begin, "", *lines, "", END])
    with open(path, encoding="utf-8") as file:
        page = file.read()
    changed, count = re.subn(
        f"{re.escape(begin)}.*?{re.escape(END)}", lambda _: text, page, flags=re.DOTALL
    )
    if count != 1:
        raise RuntimeError(f"{path}: the marks for the measured part are missing")
    with open(path, "w", encoding="utf-8") as file:
        file.write(changed)


def machine() -> dict[str, str]:
    """Return when and on what this is measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{_processor()}, {os.cpu_count()} CPUs, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _cell(result: Result, name: str) -> str:
    if name not in result.samples:
        return ""
    s = spread(result.samples[name])
    return f"{_n(s.median)} {result.unit} ({_n(s.first)}-{_n(s.third)}, min {_n(s.low)})"


def _n(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"

"""`scripts/bench`: everything from setting up to the page."""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench import page
from bench.context import Bench, Rounds, say
from bench.place import CHECKOUT, Place, file_system, scratch
from bench.results import Result
from bench.sections import SECTIONS, measured

if TYPE_CHECKING:
    from bench.results import Absent

NAMES = tuple(section.name for section in SECTIONS)


def main() -> int:
    """Measure, show, write; 1 when something that was asked for isn't reached, or has failed."""
    options = _options()
    started = time.monotonic()
    path = os.path.abspath(options.directory) if options.directory else scratch()
    os.makedirs(path, exist_ok=True)
    try:
        place = Place(path)
        if os.path.exists(place.bubble):
            place.renew()
        else:
            say(f"setting up in {path}: bubble as a wheel, its peers by their names")
            place.set_up()
        about = {**page.machine(), **place.versions(), **_about(place, options)}
        found, whole = _measure(Bench(place, _rounds(options), quick=options.quick), options)
    finally:
        os.chdir(CHECKOUT)
        if not options.directory:  # by rm: it may be deeper than Python's own recursion
            subprocess.run(["rm", "-rf", path], check=False)
    about["minutes"] = f"{(time.monotonic() - started) / 60:.0f}"
    for rows in found.values():
        print("\n".join([*page.shown(rows), ""]))
    if options.output:
        page.write(options.output, found, about, every=not options.only)
    reached = all(
        row.holds is not False for rows in found.values() for row in rows if isinstance(row, Result)
    )
    return 0 if reached and whole else 1


def _measure(
    bench: Bench, options: argparse.Namespace
) -> tuple[dict[str, list[Result | Absent]], bool]:
    """Return the rows of each section that was asked for, and whether all came to their end."""
    for name, why in bench.place.missing.items():
        say(f"not here: {name}: {why}")
    found: dict[str, list[Result | Absent]] = {}
    whole = True
    for section in SECTIONS:
        if section.name in (options.only or NAMES):
            found[section.name], ended = measured(section, bench)
            whole = whole and ended
    return found, whole


def _rounds(options: argparse.Namespace) -> Rounds:
    few = options.runs or (3 if options.quick else 15)
    many = min(15 if options.quick else 60, 10 * few)
    return Rounds(few=few, slow=min(few, 2 if options.quick else 5), many=many)


def _about(place: Place, options: argparse.Namespace) -> dict[str, str]:
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words = ["scripts/bench", *(["--quick"] if options.quick else [])]
    words += [f"-n {options.runs}"] if options.runs else []
    words += [f"--only {name}" for name in options.only or ()]
    return {
        "store": f"on {file_system(place.path) or 'an unknown file system'}",
        "smallest peak that can be seen": f"{floor:.0f} MiB (the harness's own)",
        "command": " ".join(words),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measure bubble beside its peers."
    )
    parser.add_argument("--quick", action="store_true", help="few runs, no huge archive")
    parser.add_argument("-n", dest="runs", type=int, help="rounds of each install (15)")
    parser.add_argument("--directory", metavar="DIR", help="scratch that is kept and used again")
    parser.add_argument(
        "--only",
        action="append",
        choices=NAMES,
        metavar="NAME",
        help=f"only this section (may be repeated): {', '.join(NAMES)}",
    )
    parser.add_argument(
        "--output",
        metavar="PAGE",
        help="the page to write, or to begin (docs/performance.md; with --quick or -n: none)",
    )
    options = parser.parse_args()
    if options.output is None and not (options.quick or options.runs):
        options.output = f"{CHECKOUT}/docs/performance.md"
    elif options.output:
        options.output = os.path.abspath(options.output)
    if options.output and (why := page.unwritable(options.output, options.only or NAMES)):
        parser.error(f"--output: {why}")
    return options


if __name__ == "__main__":
    sys.exit(main())

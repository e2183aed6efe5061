"""`scripts/bench`: everything from setting up to the page."""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
from typing import TYPE_CHECKING

from bench import builds, environments, installs, page, shims, starts
from bench.place import CHECKOUT, Place, file_system, scratch

if TYPE_CHECKING:
    from bench.results import Result

PARTS = ("cold", "slow", "interrupted", "memory", "start", "shims", "environments")


def main() -> int:
    """Measure, show, write; 1 when something that was asked for isn't reached."""
    options = _options()
    path = os.path.abspath(options.directory) if options.directory else scratch()
    os.makedirs(path, exist_ok=True)
    try:
        place = Place(path)
        if os.path.exists(place.uv):
            place.renew()
        else:
            _say(f"setting up in {path}: bubble as a wheel, uv by its name")
            place.set_up()
        results, made = _measure(place, options)
        about = {**page.machine(), **place.versions(), **_about(place, options)}
    finally:
        if not options.directory:
            shutil.rmtree(path, ignore_errors=True)
    for name, rows in (("", results), ("environments", made)):
        if rows:
            print("\n".join(page.table(rows)))
        if rows and options.output:
            page.write(options.output, rows, about, name)
    return 0 if all(result.holds for result in (*results, *made)) else 1


def _measure(place: Place, options: argparse.Namespace) -> tuple[list[Result], list[Result]]:
    """Return what was measured of interpreters and the program, and of environments."""
    few = options.runs or (3 if options.quick else 15)
    many = 15 if options.quick else 60
    parts = options.only or list(PARTS)
    packed = builds.packed(place)
    real = builds.real(place, packed)
    small = [packed, real] if real else [packed]
    results: list[Result] = []
    made: list[Result] = []
    for part in parts:
        _say(f"measuring: {part}")
        if part == "cold":
            results += installs.cold(place, small, few)
        elif part == "slow":
            results += installs.slow(place, small, min(few, 5))
        elif part == "interrupted":
            results += installs.interrupted(place, small, min(few, 3))
        elif part == "memory" and not options.quick:
            for window_log in (23, 27):
                huge = builds.huge(place, packed, window_log)
                results.append(installs.memory(place, huge, min(few, 3)))
                os.unlink(f"{place.mirror}/{huge.file}")
        elif part == "start":
            results += starts.starts(place, small, many)
        elif part == "shims":
            results += shims.shims(place, many)
        elif part == "environments":
            made += environments.environments(place, packed, many // 2, min(few, 5))
    return results, made


def _about(place: Place, options: argparse.Namespace) -> dict[str, str]:
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "store": f"on {file_system(place.path) or 'an unknown file system'}",
        "smallest peak that can be seen": f"{floor:.0f} MiB (the harness's own)",
        "command": f"scripts/bench{' --quick' if options.quick else ''}",
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure bubble beside uv.")
    parser.add_argument("--quick", action="store_true", help="few runs, no huge archive")
    parser.add_argument("-n", dest="runs", type=int, help="rounds of each install (15)")
    parser.add_argument("--directory", metavar="DIR", help="scratch that is kept and used again")
    parser.add_argument(
        "--only",
        action="append",
        choices=PARTS,
        help="only this part (may be repeated); of these, only environments alone are written",
    )
    options = parser.parse_args()
    partial = options.quick or options.only not in (None, ["environments"])
    options.output = "" if partial else f"{CHECKOUT}/docs/performance.md"
    return options


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""`scripts/faults`: run the harnesses, add up what they tried, say what held, write the page."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

from bench.place import CHECKOUT
from reliability import page
from reliability.outcome import outcomes
from reliability.parts import PARTS
from support.figures import VARIABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; 1 when something doesn't hold or wasn't tried."""
    options = _options(arguments)
    names = options.only or [part.name for part in PARTS]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bubble-faults-") as scratch:
        junit, figures = f"{scratch}/junit.xml", f"{scratch}/figures"
        status = _pytest(names, options, junit, figures)
        if not os.path.exists(junit):
            return status or 1
        found = outcomes(names, junit, figures)
    minutes = (time.monotonic() - started) / 60
    whole = not options.rest
    wrong = {o.part.name: o.wrong(full=options.full, whole=whole) for o in found}
    print("\n".join(["", *page.summary(found, wrong), ""]))
    for name, what in ((name, what) for name, every in wrong.items() for what in every):
        print(f"{name}: {what}")
    print(f"{minutes:.1f} minutes")
    if options.full and not (options.only or options.rest):
        about = {
            "bubble": _commit(),
            "command": "scripts/faults --full",
            "took": f"{minutes:.0f} minutes, {options.jobs} tests at a time",
        }
        page.write(f"{CHECKOUT}/docs/reliability.md", found, wrong, about)
    return 1 if status or any(wrong.values()) else 0


def _pytest(names: Sequence[str], options: argparse.Namespace, junit: str, figures: str) -> int:
    files = [path for part in PARTS if part.name in names for path in _files() if part.has(path)]
    env = {**os.environ, VARIABLE: figures}
    if options.full:
        env["BUBBLE_TEST_FULL"] = "1"
        if "secrets" in names and not (env.get("BUBBLE_TEST_UV") or shutil.which("uv")):
            env["BUBBLE_TEST_UV"] = _uv(os.path.dirname(junit))
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(options.jobs), f"--junitxml={junit}"]
    command += [f"tests/{path}" for path in files]
    return subprocess.run([*command, *options.rest], cwd=CHECKOUT, env=env, check=False).returncode


def _uv(scratch: str) -> str:
    """Fetch uv, for the harness that hands it secrets; "" where that fails."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", f"{scratch}/uv", "uv"]
    subprocess.run(pip, check=False)
    path = f"{scratch}/uv/bin/uv"
    return path if os.access(path, os.X_OK) else ""


def _files() -> list[str]:
    """Return every test file that a part may have, relative to tests/."""
    return [
        f"{directory}/{name}"
        for directory in ("faults", "functional")
        for name in sorted(os.listdir(f"{CHECKOUT}/tests/{directory}"))
        if name.startswith("test_") and name.endswith(".py")
    ]


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", CHECKOUT, "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "no repository"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/faults",
        description="Break bubble in every way that is known, and see what holds.",
        epilog="Further arguments go to pytest: scripts/faults --only kills -k mirror",
    )
    parser.add_argument(
        "--full", action="store_true", help="the long forms, and write docs/reliability.md"
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=[part.name for part in PARTS],
        help=f"only this (may be repeated), and write nothing: {', '.join(p.name for p in PARTS)}",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=os.cpu_count() or 2,
        help="how many tests run at once (default: one a processor)",
    )
    options, rest = parser.parse_known_args(arguments)
    options.rest = rest
    archive = os.environ.get("BUBBLE_TEST_PBS_ARCHIVE", "")
    if options.full and "real" in (options.only or ["real"]) and not os.path.isfile(archive):
        parser.error(
            "--full kills installs of a real build, and there is none: first "
            "export BUBBLE_TEST_PBS_ARCHIVE=$(scripts/fetch-real-build build/real-build)"
        )
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

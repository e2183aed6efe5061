"""`scripts/pyenv-suite`: pyenv's own tests against bubble, and the page that says how it does."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench.page import replace
from pyenv_suite import place
from pyenv_suite.judge import Reasons, judge, page, problems

if TYPE_CHECKING:
    from pyenv_suite.tap import Result

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "from-pyenv.md")
BEGIN = "<!-- pyenv's tests: scripts/pyenv-suite writes this -->"


def main() -> int:
    """Run, judge, write; 1 when something fails that nobody has explained."""
    options = _options()
    if not os.path.isfile(f"{options.checkout}/test/test_helper.bash"):
        print(f"{options.checkout} is no checkout of pyenv", file=sys.stderr)
        return 2
    with open(f"{HERE}/reasons.toml", "rb") as file:
        reasons = Reasons(tomllib.load(file))
    results = _results(os.path.abspath(options.checkout), options.files)
    verdicts = judge(results, reasons)
    wrong = problems(verdicts, reasons)
    if options.files:  # the others' tests are not there to be named
        wrong = [text for text in wrong if not text.startswith("there is no such test")]
    for found in results.values():
        for result in found:
            if any(text.endswith(f": {result.title}") for text in wrong):
                print("\n".join([f"not ok: {result.title}", *result.said]))
    print("\n".join([*wrong, *page(verdicts, _about(options.checkout))[:1]]))
    if not options.files and not options.look:
        replace(PAGE, BEGIN, page(verdicts, _about(options.checkout)))
    return 1 if wrong else 0


def _results(checkout: str, files: list[str]) -> dict[str, list[Result]]:
    scratch = tempfile.mkdtemp(prefix="bubble-pyenv-suite-")
    try:
        names = place.set_up(checkout, scratch)
        chosen = [name for name in names if not files or name in files]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(
                zip(chosen, pool.map(lambda name: place.run(scratch, name), chosen), strict=True)
            )
    finally:
        shutil.rmtree(scratch)


def _about(checkout: str) -> str:
    """Return which pyenv it was: a tag where it is one, else the version that it says."""
    done = subprocess.run(
        ["git", "-C", checkout, "describe", "--tags"], capture_output=True, text=True, check=False
    )
    text = done.stdout.strip()
    if not text:
        with open(f"{checkout}/libexec/pyenv---version", encoding="utf-8") as file:
            text = next(line for line in file if line.startswith("version=")).strip('version="\n')
    return f"The tests are those of pyenv {text.removeprefix('v')}."


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/pyenv-suite", description=__doc__)
    parser.add_argument("checkout", metavar="CHECKOUT", help="the path of a checkout of pyenv")
    parser.add_argument("files", metavar="FILE", nargs="*", help="a file of its test directory")
    parser.add_argument("--look", action="store_true", help="don't write the page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

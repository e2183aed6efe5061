"""Where everything is installed, a skipped test fails the run; elsewhere it is listed by reason."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BODIES = {
    "program": "@needs('no-such-program')\ndef test_it(): raise AssertionError",
    "call": "def test_it(): real_build()",
    "module": "pytest.skip('whatever', allow_module_level=True)",
    "not here": "def test_it(): not_here('only on the moon')",
    "xfail": "@pytest.mark.xfail(strict=True)\ndef test_it(): raise AssertionError",
}
REASONS = {
    "program": "needs no-such-program (apt install no-such-program)",
    "call": "needs a real build",
    "module": "whatever",
    "not here": "not here: only on the moon",
    "xfail": "",
}


# a worker's reports reach the controller by two ways: from running, and from collecting
RUNS = [*((body, "0") for body in BODIES), ("program", "1"), ("module", "1")]


@pytest.mark.parametrize(("body", "workers"), RUNS)
@pytest.mark.parametrize("strict", ["", "1"])
def test_a_skip_is_listed_and_fails_the_run_only_where_nothing_may_be_missing(
    body: str, workers: str, strict: str, tmp_path: Path, env: dict[str, str]
) -> None:
    file = tmp_path / "test_sample.py"
    head = "import pytest\nfrom support.needs import needs, not_here, real_build\n"
    file.write_text(f"{head}{BODIES[body]}\n")
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    env = {**env, "PYTHONPATH": TESTS, "BUBBLE_TEST_NO_SKIPS": strict}
    env.pop("BUBBLE_TEST_PBS_ARCHIVE", None)
    options = ["-q", "-p", "support.skips", "-n", workers]
    command = [sys.executable, "-m", "pytest", *options, "test_sample.py", "test_other.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    reason = REASONS[body]
    is_forbidden = bool(strict) and body in {"program", "call", "module"}
    assert done.returncode == (1 if is_forbidden else 0), done.stdout + done.stderr
    assert (f"skipped: {reason}" in done.stdout) == (bool(reason) and not is_forbidden)
    assert (f"FORBIDDEN: {reason}" in done.stdout) == is_forbidden

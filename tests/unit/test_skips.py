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


# what fails a run is tried alone; a worker reports to the controller in two ways: from running,
# and from collecting
RUNS = [
    *(((*BODIES,), "", "0"), (("program", "module"), "", "1"), (("not here", "xfail"), "1", "0")),
    *(((body,), "1", "0") for body in ("program", "call", "module")),
    *(((body,), "1", "1") for body in ("program", "module")),
]


@pytest.mark.parametrize(("bodies", "strict", "workers"), RUNS)
def test_a_skip_is_listed_and_fails_the_run_only_where_nothing_may_be_missing(
    bodies: tuple[str, ...], strict: str, workers: str, tmp_path: Path, env: dict[str, str]
) -> None:
    head = "import pytest\nfrom support.needs import needs, not_here, real_build\n"
    for number, body in enumerate(bodies):
        (tmp_path / f"test_sample_{number}.py").write_text(f"{head}{BODIES[body]}\n")
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    env = {**env, "PYTHONPATH": TESTS, "BUBBLE_TEST_NO_SKIPS": strict}
    env.pop("BUBBLE_TEST_PBS_ARCHIVE", None)
    options = ["-q", "-p", "support.skips", "-n", workers]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    is_forbidden = bool(strict) and not {"program", "call", "module"}.isdisjoint(bodies)
    assert done.returncode == (1 if is_forbidden else 0), done.stdout + done.stderr
    word = "FORBIDDEN" if is_forbidden else "skipped"
    listed = [
        line for line in done.stdout.splitlines() if line.startswith(("FORBIDDEN", "skipped"))
    ]
    expected = [f"{word}: {REASONS[body]}" for body in bodies if REASONS[body]]
    assert len(listed) == len(expected), listed
    for one in expected:
        assert any(line.startswith(one) for line in listed), listed

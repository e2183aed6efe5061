"""Windows, where bubble doesn't run yet: said once, at the start, by whatever is called."""

from __future__ import annotations

import subprocess
import sys

import pytest

# as there: these modules aren't
_SCRIPT = """
import sys
sys.platform = "win32"
for name in ("fcntl", "pwd", "grp", "resource", "termios"):
    sys.modules[name] = None
from bubble.cli.main import run
run()
"""


@pytest.mark.parametrize(
    "command", ["", "--version", "--help", "list", "python install 3.12", "init pwsh", "doctor"]
)
def test_every_command_says_that_it_does_not_run_here_and_no_more(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *command.split()],
        capture_output=True,
        text=True,
        check=False,
    )
    said = "error: bubble doesn't run on Windows yet\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)

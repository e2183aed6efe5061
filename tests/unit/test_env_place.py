"""Paths that pip can't write into a script without the shell taking a part of them for its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pip._vendor.distlib import scripts

from bubble.envs.knowing.placing import dangers

if TYPE_CHECKING:
    from pathlib import Path

PIPS: Any = scripts
LONG = "l" * 120
NAMES = (
    "plain",
    "two words",
    "$(touch ran)",
    "`touch ran`",
    "$HOME",
    "a;b",
    "two $(touch ran) words",
    "two `touch ran` words",
    "two $HOME words",
    'two "quoted" words',
    "two \\\\ words",
    "two; (words) & 'more'",
    LONG,
    f"{LONG}$(pwd)",
    f"{LONG};x",
    f"{LONG}(x)",
    f"{LONG} $x",
    f"{LONG} x",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_warned_of_exactly_when_pips_script_would_not_run_its_interpreter(
    name: str, tmp_path: Path
) -> None:
    environment = tmp_path / name
    (environment / "bin").mkdir(parents=True)
    program = environment / "bin" / "python3.10"
    program.symlink_to(sys.executable)
    maker = PIPS.ScriptMaker(None, str(tmp_path))
    script = tmp_path / "script"
    quoted = PIPS.enquote_executable(str(program))
    script.write_bytes(maker._build_shebang(os.fsencode(quoted), b""))
    script.chmod(0o755)
    done = subprocess.run([script], cwd=tmp_path, capture_output=True, check=False)
    ran = done.returncode == 0 and not (tmp_path / "ran").exists()
    assert (dangers(str(environment)) == ()) == ran

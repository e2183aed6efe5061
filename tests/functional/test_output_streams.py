"""Where the output goes: full disks, closed descriptors, readers that leave, other encodings."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from support.builds import small_mirror
from support.needs import LINUX_ONLY
from support.told import nothing_raw, one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

PROGRAM = os.path.join(os.path.dirname(sys.executable), "bubble")
USAGE, FAILED = 2, 1


def to_full(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run bubble with an output that takes nothing."""
    with open("/dev/full", "wb") as full:
        return subprocess.run(
            [PROGRAM, *words],
            env=env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


@LINUX_ONLY
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_output_is_an_error_and_no_traceback(
    options: list[str], env: dict[str, str]
) -> None:
    done = to_full("python", "dir", *options, env=env)
    assert done.returncode == FAILED
    assert "no space left" in one_error(done.stderr)[0]


@LINUX_ONLY
def test_an_error_whose_json_cannot_be_written_is_told_to_people(env: dict[str, str]) -> None:
    done = to_full("python", "find", "9.9", "--json", env=env)
    assert done.returncode == FAILED
    assert "9.9" in one_error(done.stderr)[0]


@LINUX_ONLY
@pytest.mark.parametrize("command", [["python", "dir"], ["python", "find", "9"], ["nope"]])
def test_an_unwritable_stderr_changes_no_exit_status(
    command: list[str], env: dict[str, str]
) -> None:
    expected = {"dir": 0, "9": FAILED, "nope": USAGE}[command[-1]]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [PROGRAM, *command], env=env, stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert done.returncode == expected


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors_keep_no_install_from_being_right(
    closed: str, env: dict[str, str], tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    catalogue = {"BUBBLE_CATALOG": small_mirror(str(tmp_path / "m"), ["3.12.1"])}
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$1" python install 3.12 {closed}; echo "$?" >status', "sh", PROGRAM],
        env={**env, **catalogue},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "status").read_text() == "0\n", done
    nothing_raw(done.stderr)
    assert bubble("python", "verify").status == 0


@pytest.mark.parametrize("line", ["python list --all-versions", "--help", "python install --help"])
def test_a_reader_that_goes_away_gets_silence(line: str, env: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [PROGRAM, *line.split()], env=env, stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_json_is_ascii_where_a_path_is_no_text(env: dict[str, str], tmp_path: Path) -> None:
    home = os.fsencode(tmp_path) + b"/\xff\x1b[31m"
    done = subprocess.run(
        [PROGRAM, "python", "dir", "--json"],
        env={**env, "BUBBLE_HOME": os.fsdecode(home)},
        capture_output=True,
        check=False,
    )

    assert (
        os.fsencode(json.loads(done.stdout.decode("utf-8"))["data"]["path"]) == home + b"/pythons"
    )
    plain = subprocess.run(
        [PROGRAM, "python", "dir"],
        env={**env, "BUBBLE_HOME": os.fsdecode(home)},
        capture_output=True,
        check=False,
    )
    assert plain.stdout == home + b"/pythons\n", "a path's bytes leave as they came"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_help_and_errors_are_written_in_any_encoding(
    encoding: str, bubble: Callable[..., Result]
) -> None:
    extra = {"PYTHONIOENCODING": encoding}
    shown = bubble("python", "install", "--help", env=extra)
    assert shown.status == 0
    nothing_raw(shown.err)
    wrong = bubble("python", "find", "9", env=extra)
    assert wrong.status == FAILED
    assert "no installed Python satisfies" in wrong.err

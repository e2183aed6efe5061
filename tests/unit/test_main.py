"""The program's frame: every end of a command line is one status and one error, or none."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from bubble.cli import progress as progress_module
from bubble.cli import shell_files
from bubble.cli.commands import python_dir
from bubble.cli.main import main
from bubble.cli.output import Output
from bubble.system.trouble import from_os_error
from support.told import json_error, one_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import NoReturn


def call(env: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """Run a command line in this process; return its status, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words, env)
    return status, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("number", "kind", "hint"),
    [
        (errno.ENOSPC, "no_space", "free some space"),
        (errno.EDQUOT, "no_space", "free some space"),
        (errno.EROFS, "permission", "check who may write there"),
        (errno.EMFILE, "io", "ulimit -n"),
        (errno.ENOENT, "io", "it went away"),
        (errno.ENAMETOOLONG, "io", "a shorter path"),
        (errno.ELOOP, "store", "something else lies where"),
        (errno.EIO, "io", "check the disk"),
    ],
)
def test_an_error_of_the_system_is_told_with_its_file_and_what_helps(
    number: int, kind: str, hint: str
) -> None:
    error = from_os_error(OSError(number, os.strerror(number), b"/some\nwhere"))
    assert error.kind == kind
    assert "/some\\nwhere: " + os.strerror(number).lower() in error.message
    assert hint in error.hint
    assert from_os_error(OSError(number, os.strerror(number), 7)).message.startswith(
        ("the disk is full (", os.strerror(number).lower())
    ), "a descriptor is no name"


def test_a_fault_of_bubbles_own_is_one_error_and_a_traceback_only_on_demand(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> NoReturn:
        raise ZeroDivisionError("of\x1b[31m all things")

    monkeypatch.setattr(python_dir, "execute", faulty)
    status, out, err = call(env, "python", "dir")
    assert (status, out) == (1, "")
    message, hint = one_error(err)
    assert message == "bubble itself failed: ZeroDivisionError: of\\x1b[31m all things"
    assert "BUBBLE_DEBUG=1" in hint
    assert json_error(call(env, "python", "dir", "--json")[1], 1)["kind"] == "internal"
    with pytest.raises(ZeroDivisionError):
        call({**env, "BUBBLE_DEBUG": "1"}, "python", "dir")


def frame(code: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the program with one line before it, in a process of its own."""
    program = f"import sys; from bubble.cli import main as m; {code}; m.run()"
    return subprocess.run(
        [sys.executable, "-c", program, "--version"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_interrupt_while_the_first_is_told_ends_it_without_a_word(
    env: dict[str, str],
) -> None:
    again = "m.main = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)"
    done = frame(again, env)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_what_others_do_at_the_end_of_a_process_is_done(env: dict[str, str]) -> None:
    last = "import atexit; atexit.register(sys.stdout.write, 'and that was it')"
    done = frame(last, env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nand that was it")


def test_a_question_that_nobody_can_answer_is_answered_no(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone(io.StringIO):
        def readline(self, *_: object) -> NoReturn:
            raise OSError(errno.EIO, "Input/output error")

    for stdin, answer in ((io.StringIO("Yes\n"), True), (io.StringIO(""), False), (Gone(), False)):
        monkeypatch.setattr(sys, "stdin", stdin)
        assert Output({}, json=False).ask("Really?") is answer
    assert capsys.readouterr().err == "Really? [y/N] " * 3


def test_a_warning_is_said_once_and_not_beside_json(env: dict[str, str]) -> None:
    os.makedirs(env["BUBBLE_HOME"])
    with open(f"{env['BUBBLE_HOME']}/shims", "w") as file:
        file.write("in the way")
    adopt = ("python", "adopt", os.path.realpath(sys.executable))
    status, out, err = call(env, *adopt, "--json")
    assert (status, err) == (0, "")
    assert out.startswith("{")
    status, _, err = call(env, *adopt)
    assert status == 0
    assert err.startswith(f"warning: the shims could not be renewed: {env['BUBBLE_HOME']}/shims: ")
    assert err.count("shims") == 2
    assert "Errno" not in err


def test_a_live_display_shows_the_rate_and_what_is_tried_again_above_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    now = [100.0]
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    progress = progress_module.live_progress()
    task = progress.task("cpython-3.12.1")
    task.download(1000, 5000)
    now[0] += 2
    task.download(3000, 5000)
    task.retry("the server said [red]no[/red], again")
    progress.close()
    shown = capsys.readouterr().err
    assert "cpython-3.12.1: the server said [red]no[/red], again\n" in shown
    assert "2.9 KiB of 4.9 KiB, 1000 B/s" in shown
    left_behind = progress.task("late")
    left_behind.download(1, 2)
    left_behind.step("unpacking")
    progress.close()
    assert capsys.readouterr().err == "", "an interrupt has ended the display"


def test_the_program_that_shells_call_is_beside_the_interpreter_or_what_was_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert shell_files.program() == f"{os.path.dirname(sys.executable)}/bubble"
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/bin/python3")
    monkeypatch.setattr(sys, "argv", ["tools/../bubble"])
    monkeypatch.chdir(tmp_path)
    assert shell_files.program() == f"{os.path.realpath(tmp_path)}/bubble"

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from bubble.system.process import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

SH = "/bin/sh"


def test_output_and_status_are_kept_apart() -> None:
    done = run([SH, "-c", "echo out; echo err >&2; exit 7"], env={}, timeout=60)
    assert (done.status, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_no_shell_comes_between() -> None:
    arguments = ["a b", "$HOME", "*", "", "'\"", "\n", "\udcff"]
    code = "import sys, os; os.write(1, b'|'.join(map(os.fsencode, sys.argv[1:])))"
    done = run([sys.executable, "-I", "-c", code, *arguments], env={}, timeout=60)
    assert done.stdout == "|".join(arguments[:-1]) + "|\\xff"


def test_the_environment_is_the_given_one_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INHERITED", "1")
    done = run(["/usr/bin/env"], env={"ONLY": "this"}, timeout=60)
    assert done.stdout == "ONLY=this\n"


def test_stdin_and_the_directory_are_the_given_ones(tmp_path: Path) -> None:
    done = run([SH, "-c", "cat; pwd"], env={}, timeout=60, stdin=b"in\n", cwd=str(tmp_path))
    assert done.stdout == f"in\n{tmp_path}\n"


def test_stdin_is_empty_if_none_is_given() -> None:
    assert run([SH, "-c", "cat"], env={}, timeout=60).stdout == ""


def test_a_signal_is_a_negative_status() -> None:
    assert run([SH, "-c", "kill -9 $$"], env={}, timeout=60).status == -signal.SIGKILL


def test_a_program_that_is_not_there_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run([str(tmp_path / "none")], env={}, timeout=60)


def test_a_time_out_kills_the_child_and_all_that_it_started(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")
    # the grandchild holds the fifo: the reader below sees its end when it is dead
    script = f"sh -c 'exec 3>\"{tmp_path}/held\"; echo on >&3; sleep 600' & wait"
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append((tmp_path / "held").read_bytes()))
    reader.start()
    with pytest.raises(TimeoutError, match="within 2 seconds"):
        run([SH, "-c", script], env={"PATH": os.environ["PATH"]}, timeout=2)
    reader.join(60)
    assert seen == [b"on\n"]


def test_an_interrupt_kills_the_child_too() -> None:
    code = (
        "import sys; from bubble.system.process import run\n"
        "try: run(['/bin/sh', '-c', 'echo $$ >&2; kill -INT $PPID; exec sleep 600'],"
        " env={'PATH': '/usr/bin:/bin'}, timeout=600)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "interrupted\n"


def test_much_output_on_both_pipes_is_no_deadlock() -> None:
    script = "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero"
    done = run([SH, "-c", script], env={"PATH": os.environ["PATH"]}, timeout=60)
    assert len(done.stdout) == len(done.stderr) == 300000


def test_an_interrupt_before_anything_was_read_ends_the_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = subprocess.Popen._communicate  # type: ignore[attr-defined]
    children = []

    def interrupted(child: subprocess.Popen[bytes], *arguments: object) -> object:
        children.append(child)
        if len(children) == 1:  # a double for a signal that comes just then
            raise KeyboardInterrupt
        return real(child, *arguments)

    monkeypatch.setattr(subprocess.Popen, "_communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run([SH, "-c", "sleep 600"], env={"PATH": os.environ["PATH"]}, timeout=60)
    assert children[0].returncode == -signal.SIGKILL


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Return what fills with the children that are started: once for each wait for one."""
    real = subprocess.Popen._communicate  # type: ignore[attr-defined]
    seen: list[subprocess.Popen[bytes]] = []

    def communicate(child: subprocess.Popen[bytes], *arguments: object) -> object:
        seen.append(child)
        return real(child, *arguments)

    monkeypatch.setattr(subprocess.Popen, "_communicate", communicate)
    return seen


@pytest.mark.parametrize("refusal", [PermissionError, ProcessLookupError])
def test_a_child_whose_group_can_not_be_killed_is_killed_alone(
    monkeypatch: pytest.MonkeyPatch,
    children: list[subprocess.Popen[bytes]],
    refusal: type[OSError],
) -> None:
    def killpg(*_: int) -> None:  # a double for a child that has become another user's
        raise refusal

    monkeypatch.setattr(os, "killpg", killpg)
    with pytest.raises(TimeoutError):
        run([SH, "-c", "exec sleep 600"], env={"PATH": os.environ["PATH"]}, timeout=0.1)
    assert children[0].returncode == -signal.SIGKILL


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_child_that_can_not_be_killed_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, children: list[subprocess.Popen[bytes]], interrupted: bool
) -> None:
    """A double for one that hangs in the kernel, as programs on a dead file server do."""
    kill, wait = os.killpg, subprocess.Popen._communicate  # type: ignore[attr-defined]

    def interrupt(child: subprocess.Popen[bytes], *_: object) -> object:
        monkeypatch.setattr(subprocess.Popen, "_communicate", wait)
        children.append(child)
        raise KeyboardInterrupt

    if interrupted:
        monkeypatch.setattr(subprocess.Popen, "_communicate", interrupt)
    monkeypatch.setattr(os, "killpg", lambda *_: None)
    monkeypatch.setattr("bubble.system.process.GRACE", 0.05)
    argv, env = [SH, "-c", "exec sleep 600"], {"PATH": os.environ["PATH"]}
    files = len(os.listdir("/dev/fd"))
    with pytest.raises(KeyboardInterrupt if interrupted else TimeoutError):
        run(argv, env=env, timeout=0.05, stdin=bytes(1 << 20))
    assert len(os.listdir("/dev/fd")) == files, "a pipe is left open"
    assert children[0].poll() is None, "the double was killed"
    kill(children[0].pid, signal.SIGKILL)
    children[0].wait()


def test_input_that_a_child_never_read_leaves_no_pipe_open() -> None:
    env = {"PATH": os.environ["PATH"]}
    files = len(os.listdir("/dev/fd"))
    with pytest.raises(TimeoutError):
        run([SH, "-c", "exec sleep 600"], env=env, timeout=0.1, stdin=bytes(1 << 20))
    assert run([SH, "-c", "exit 3"], env={}, timeout=60, stdin=bytes(1 << 20)).status == 3
    assert len(os.listdir("/dev/fd")) == files

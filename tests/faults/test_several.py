"""Several installs by one command: each in a process of its own, none of which is left alone."""

from __future__ import annotations

import glob
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from bubble.model.errors import BubbleError
from bubble.pythons.installing.crew import carry_out
from bubble.pythons.installing.progress import Task
from support.fault_handlers import sequence, status
from support.fault_server import serve
from support.needs import LINUX_ONLY
from support.patience import PATIENCE
from support.stalling import stall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from conftest import Result
    from support.fault_server import FaultServer

pytestmark = LINUX_ONLY

PROGRAM = os.path.join(os.path.dirname(sys.executable), "bubble")
VERSIONS = ("3.11.9", "3.12.1", "3.13.0")


@pytest.fixture
def shop(tmp_path: Path, env: dict[str, str]) -> Iterator[FaultServer]:
    """Serve three builds, of which 3.12.1 stops half-way until `server.go` is set."""
    with serve() as server:
        env["BUBBLE_CATALOG"] = stall(server, tmp_path, VERSIONS, ["3.12.1"])
        yield server


def until(it_is: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not it_is():
        assert time.monotonic() < end
        time.sleep(0.01)


def workers_of(process: int) -> list[int]:
    """Return the processes that a process has forked and not waited for."""
    with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def is_there(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def begun(env: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    argv = [PROGRAM, "python", "install", *VERSIONS]
    return subprocess.Popen(argv, env=env, cwd=cwd, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("name", ["KILL", "TERM", "INT", "HUP"])
def test_whoever_ends_the_command_ends_its_workers(
    shop: FaultServer, env: dict[str, str], tmp_path: Path, bubble: Callable[..., Result], name: str
) -> None:
    """The signal goes to the command alone, as a service manager or a script sends it."""
    with begun(env, tmp_path) as process:
        assert shop.held.wait(PATIENCE)
        workers = workers_of(process.pid)
        assert len(workers) == 3
        process.send_signal(getattr(signal, f"SIG{name}"))
        process.communicate(timeout=PATIENCE)
    until(lambda: not any(map(is_there, workers)))
    shop.go.set()
    again = bubble("python", "install", *VERSIONS)
    assert again.status == 0, again.err
    assert bubble("python", "verify").status == 0
    assert os.listdir(f"{env['BUBBLE_HOME']}/staging") == []


def test_a_worker_that_is_killed_costs_its_own_install_alone(
    shop: FaultServer, env: dict[str, str], tmp_path: Path, bubble: Callable[..., Result]
) -> None:
    with begun(env, tmp_path) as process:
        assert shop.held.wait(PATIENCE)
        home = f"{env['BUBBLE_HOME']}/pythons"
        for version in ("3.11.9", "3.13.0"):
            until(lambda: glob.glob(f"{glob.escape(home)}/cpython-{version}-*"))  # noqa: B023
        for worker in workers_of(process.pid):
            holds = os.listdir(f"/proc/{worker}/fd")
            paths = [os.readlink(f"/proc/{worker}/fd/{n}") for n in holds]
            if any(path.endswith(".part") for path in paths):
                os.kill(worker, signal.SIGKILL)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "was killed" in err
    assert "Traceback" not in err
    assert len(out.splitlines()) == 2
    shop.go.set()
    again = bubble("python", "install", *VERSIONS)
    assert again.status == 0, again.err


def test_what_each_one_says_is_said_in_its_name(
    shop: FaultServer, bubble: Callable[..., Result]
) -> None:
    """A retry, a refusal and what is there come through as from one process."""
    shop.go.set()
    assert bubble("python", "install", "3.13.0").status == 0
    for path, handler in list(shop._handlers.items()):
        if "3.11.9" in path:
            shop.put(path, status(403))
        elif "3.12.1" in path:
            shop.put(path, sequence(status(503), handler))
    done = bubble("python", "install", *VERSIONS)
    assert done.status == 1
    assert "cpython-3.12.1: " in done.err
    assert "503; trying again (2 of 5)" in done.err
    assert "the server answered 403" in done.err
    assert re.findall(r"cpython-([\d.]+)-", done.out) == ["3.12.1", "3.13.0"]


def deaf() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def test_who_is_started_without_news_of_children_hears_of_them(
    shop: FaultServer, env: dict[str, str], tmp_path: Path
) -> None:
    """As some supervisors start everything: the system then keeps no child's end for its parent."""
    shop.go.set()
    argv = [PROGRAM, "python", "install", *VERSIONS]
    how: dict[str, Any] = {"env": env, "cwd": tmp_path, "text": True, "preexec_fn": deaf}
    done = subprocess.run(argv, **how, capture_output=True, check=False)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 3), done.stderr
    # a child that fails has failed; and what bubble becomes starts as it would without bubble
    fake = tmp_path / "python3.12"
    fake.write_text("#!/bin/sh\nexit 7\n")
    fake.chmod(0o755)
    argv = [PROGRAM, "python", "adopt", str(fake)]
    heard = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    done = subprocess.run(argv, **how, capture_output=True, check=False)
    assert heard.returncode != 0
    assert (done.returncode, done.stderr) == (heard.returncode, heard.stderr)
    argv = [PROGRAM, "exec", "--", "grep", "SigIgn", "/proc/self/status"]
    done = subprocess.run(argv, **how, capture_output=True, check=False)
    assert int(done.stdout.split()[1], 16) >> signal.SIGCHLD - 1 & 1, done.stderr


ONE_WITHOUT_FILES = """
import sys
from bubble.cli.main import run
from bubble.pythons.installing import batch

real = batch.install

def install(download, *args, **kwargs):
    if "3.12.1" in str(download.key):
        raise OSError(24, "Too many open files", "there")
    return real(download, *args, **kwargs)

batch.install = install
run()
"""


def test_what_the_system_denies_one_keeps_nobody_from_hearing_of_the_others(
    shop: FaultServer, env: dict[str, str], tmp_path: Path
) -> None:
    shop.go.set()
    argv = [sys.executable, "-c", ONE_WITHOUT_FILES, "python", "install", *VERSIONS]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "too many open files" in done.stderr
    assert "raise the limit" in done.stderr
    assert re.findall(r"cpython-([\d.]+)-", done.stdout) == ["3.11.9", "3.13.0"]


class Noted(Task):
    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, text: str) -> None:
        self.steps.append(text)


EXPECTED: list[Callable[[Any, int], bool]] = [
    lambda one, number: one == {"number": number},
    lambda one, number: (
        (one.kind, one.message, one.hint, one.details)
        == ("probe", "it\nbroke", "try", {"n": [number]})
    ),
    lambda one, number: isinstance(one, FileNotFoundError) and one.filename == f"/no/{number}",
    lambda one, _: "ValueError" in str(one) and "in work\n" in one.__notes__[0],
    lambda one, _: isinstance(one, BubbleError) and "killed" in one.message,
]


def test_each_number_is_done_once_whatever_becomes_of_the_others() -> None:
    """Twenty numbers, three workers: results, errors of each kind, and deaths, in any order."""

    def work(number: int, task: Task) -> dict[str, Any]:
        task.step(f"{number} begins")
        match number % 5:
            case 1:
                raise BubbleError("probe", "it\nbroke", hint="try", details={"n": [number]})
            case 2:
                raise FileNotFoundError(2, "No such file", f"/no/{number}")
            case 3:
                raise ValueError(number)
            case 4:
                os.kill(os.getpid(), signal.SIGKILL)
        return {"number": number}

    tasks: dict[int, Noted] = {}
    came: list[int] = []
    outcomes: dict[int, Any] = {}

    def task_of(number: int) -> Task:
        assert number not in tasks
        tasks[number] = Noted()
        return tasks[number]

    def ended(number: int, outcome: object) -> None:
        came.append(number)
        outcomes[number] = outcome

    carry_out(20, 3, work, task_of, ended)
    assert sorted(came) == list(range(20))
    assert all(tasks[number].steps == [f"{number} begins"] for number in range(20))
    for number, outcome in outcomes.items():
        assert EXPECTED[number % 5](outcome, number), (number, outcome)
    assert workers_of(os.getpid()) == []


def test_where_no_more_processes_may_be_fewer_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fork = os.fork
    forks = [fork, fork]

    def limited() -> int:
        if not forks:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return forks.pop()()

    monkeypatch.setattr(os, "fork", limited)
    done: list[object] = []

    def work(number: int, _: Task) -> dict[str, Any]:
        return {"number": number}

    def ended(_: int, outcome: object) -> None:
        done.append(outcome)

    carry_out(7, 4, work, lambda _: Task(), ended)
    assert sorted(map(str, done)) == [str({"number": number}) for number in range(7)]
    with pytest.raises(BlockingIOError):
        carry_out(2, 2, work, lambda _: Task(), ended)
    assert workers_of(os.getpid()) == []


INTERRUPTED = """
import os, signal, sys
from bubble.pythons.installing.crew import carry_out
from bubble.pythons.installing.progress import Task

fork = os.fork

def forked():
    process = fork()
    if not process:
        os.kill(os.getpid(), signal.SIGINT)
    return process

os.fork = forked
try:
    carry_out(3, 2, lambda n, _: {"n": n}, lambda _: Task(), lambda n, one: print(n, one))
finally:
    print("over")
"""


def test_an_interrupt_that_finds_a_worker_newly_born_is_its_parents_alone() -> None:
    """Else it would clean up and say so like its parent, and kill the other workers."""
    argv = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == [*(f"{n} {{'n': {n}}}" for n in range(3)), "over"]

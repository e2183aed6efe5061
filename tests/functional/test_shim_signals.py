"""Signals and terminals through the shim; and pip, which runs as a child and must not show it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from bubble.selection.shims import rehash
from support.needs import LINUX_ONLY, ROOT_ONLY, needs, not_here, which
from support.patience import PATIENCE
from support.realshims import WAYS, RealShims, run
from support.shimworld import counted, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = LINUX_ONLY

# what stands for pip: says who it is, counts the signals that it gets, ends as it is told
PIP = """
import os, signal, sys, time
got = []
def note(number, frame):
    got.append(number)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, note)
signal.signal(signal.SIGCONT, lambda *_: os.write(1, b"goes on\\n"))
verb, *rest = sys.argv[1:]
if verb == "exit":
    sys.exit(int(rest[0]))
if verb == "die":
    signal.signal(int(rest[0]), signal.SIG_DFL) if int(rest[0]) != 9 else None
    os.kill(os.getpid(), int(rest[0]))
print("ready", os.getpid(), os.getppid(), flush=True)
deadline = time.monotonic() + 300
while not got and time.monotonic() < deadline:
    time.sleep(0.005)
time.sleep(0.1)  # a second delivery would come at once
print("got", *[int(n) for n in got], flush=True)
sys.exit(7)
"""


@pytest.fixture(scope="module")
def shims(tmp_path_factory: pytest.TempPathFactory) -> RealShims:
    made = RealShims(str(tmp_path_factory.mktemp("shims")))
    made.env |= counted()
    write(f"{made.root}/pip.py", PIP)
    pip = f"{made.installed[0].prefix}/bin/pip3.99"  # a pip that no machine has
    write(pip, f"#!/bin/sh\nexec '{made.direct}' '{made.root}/pip.py' \"$@\"\n", 0o755)
    rehash(made.layout, sys.executable)
    return made


class Terminal:
    """A process that leads a session on a terminal of its own, and what it shows."""

    def __init__(self, argv: list[str | bytes], env: dict[str, str], cwd: str) -> None:
        self.master, slave = pty.openpty()
        attributes = termios.tcgetattr(slave)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        self.child = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**env, "TERM": "dumb"},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads
        )
        os.close(slave)
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def expect(self, text: str) -> str:
        """Wait until `text` is shown; return what came before it, and go on behind it."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.shown:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.master], [], [], max(left, 0))
            assert ready, f"{text!r} never came, but {self.shown!r}"
            try:
                self.shown += os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                pytest.fail(f"the terminal closed before {text!r} came: {self.shown!r}")
        before, _, self.shown = self.shown.partition(text)
        return before

    def end(self) -> None:
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        os.close(self.master)


@pytest.fixture
def terminal(shims: RealShims) -> Iterator[Terminal]:
    """An interactive shell with job control and the shims on PATH."""
    shell: list[str | bytes] = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
    made = Terminal(shell, {**shims.env, "PS1": "> "}, shims.tree)
    yield made
    made.end()


@pytest.mark.parametrize("way", WAYS)
def test_an_interactive_python_works_and_outlives_ctrl_c(shims: RealShims, way: str) -> None:
    shims.take(way)
    made = Terminal(shims.argv("python", "-q"), shims.env, shims.tree)
    try:
        made.expect(">>> ")
        made.type("import sys; 6 * 7, sys.stdin.isatty()\n")
        made.expect("(42, True)")
        made.expect(">>> ")
        # no sleep: a signal just before it would be seen only after it
        made.type("print('bu' + 'sy', flush=True); all(1 for _ in iter(int, 1))\n")
        made.expect("busy")
        made.type("\x03")
        made.expect("KeyboardInterrupt")
        made.expect(">>> ")
        made.type("raise SystemExit(5)\n")
        assert made.child.wait(PATIENCE) == 5
    finally:
        made.end()


@needs("bash")
@pytest.mark.parametrize("way", WAYS)
def test_ctrl_z_stops_and_fg_goes_on_and_ctrl_c_ends(
    shims: RealShims, terminal: Terminal, way: str
) -> None:
    shims.take(way)
    code = (
        "print('be'+'gun', flush=True); input(); print('go'+'ne on', flush=True);"
        "all(1 for _ in iter(int, 1))"
    )
    terminal.expect("> ")
    terminal.type(f'python -c "{code}"\n')
    terminal.expect("begun")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect("> ")
    terminal.type("fg\n")
    terminal.expect("python -c")
    terminal.type("\n")
    terminal.expect("gone on")
    terminal.type("\x03")
    terminal.expect("KeyboardInterrupt")
    terminal.type("echo status=$?\n")
    terminal.expect("status=130")


@needs("bash")
def test_pip_in_a_terminal_gets_one_ctrl_c_and_stops_at_ctrl_z(terminal: Terminal) -> None:
    terminal.expect("> ")
    terminal.type("pip3.99 wait\n")
    terminal.expect("ready")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.expect("> ")
    terminal.type("fg\n")
    terminal.expect("goes on")
    terminal.type("\x03")
    terminal.expect(f"got {int(signal.SIGINT)}\r\n")
    terminal.type("echo status=$?\n")
    terminal.expect("status=7")


def start_pip(
    shims: RealShims, *arguments: str, before: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [*before, *shims.argv("pip3.99", *arguments)],
        env=shims.env,
        cwd=shims.tree,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdout is not None
    words = child.stdout.readline().split()
    assert words[0] == b"ready"
    assert int(words[2]) == child.pid, "pip runs as the child of the process that was started"
    return child


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_for_pip_reaches_it_once_and_its_status_comes_back(
    shims: RealShims, name: str
) -> None:
    child = start_pip(shims, "wait")
    child.send_signal(signal.Signals[name])
    out, _ = child.communicate(timeout=PATIENCE)
    assert out.split() == [b"got", str(int(signal.Signals[name])).encode()]
    assert child.returncode == 7


@pytest.mark.parametrize("status", [0, 1, 2, 127, 255])
def test_the_exit_status_of_pip_comes_back(shims: RealShims, status: int) -> None:
    assert shims.run("pip3.99", "exit", str(status)).returncode == status


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGINT", "SIGPIPE"])
def test_the_death_of_pip_is_seen_by_the_caller(shims: RealShims, name: str) -> None:
    number = signal.Signals[name]
    assert shims.run("pip3.99", "die", str(int(number))).returncode == -number


def test_what_the_caller_ignores_pip_ignores(shims: RealShims) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    child = subprocess.Popen(
        shims.argv("pip3.99", "wait"),
        env=shims.env,
        cwd=shims.tree,
        stdout=subprocess.PIPE,
        preexec_fn=ignore,  # noqa: PLW1509 - no threads
    )
    assert child.stdout is not None
    assert child.stdout.readline().startswith(b"ready")
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=PATIENCE)
    assert out.split() == [b"got", str(int(signal.SIGTERM)).encode()]
    assert child.returncode == 7


# what macOS lacks; `pip` runs as a child of the process that this is run by
WITHOUT_INFO = """
import os, signal, sys
del signal.sigwaitinfo
from bubble.selection.child import end_as, run_child
program, *arguments = sys.argv[1:]
sys.exit(end_as(run_child(program, arguments, os.environ)))
"""


def test_where_nobody_tells_who_sent_a_signal_it_is_passed_on(shims: RealShims) -> None:
    own = f"{shims.installed[0].prefix}/bin/pip3.99"
    child = start_pip(shims, "wait", before=(sys.executable, "-c", WITHOUT_INFO, own))
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=PATIENCE)
    assert out.split() == [b"got", str(int(signal.SIGTERM)).encode()]
    assert child.returncode == 7


@ROOT_ONLY
@needs("unshare")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_the_first_process_of_a_container_whom_no_signal_ends_tells_pips_by_its_status(
    shims: RealShims, name: str
) -> None:
    unshare = [str(which("unshare")), "--pid", "--fork"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        not_here("no process namespaces")
    number = int(signal.Signals[name])
    done = run([*unshare, *shims.argv("pip3.99", "die", str(number))], shims.env, shims.tree)
    assert (done.returncode, done.stderr) == (128 + number, b"")


def test_pips_result_stands_where_the_shims_cannot_be_renewed(shims: RealShims) -> None:
    os.unlink(f"{shims.shims}/python3")
    os.rename(shims.layout.locks, f"{shims.root}/locks")
    try:
        write(shims.layout.locks, "in the way")
        done = shims.run("pip3.99", "exit", "5")
        assert (done.returncode, done.stderr) == (5, b"")
        assert not os.path.exists(f"{shims.shims}/python3")
    finally:
        os.unlink(shims.layout.locks)
        os.rename(f"{shims.root}/locks", shims.layout.locks)
    assert rehash(shims.layout, sys.executable).added == ("python3",)


def test_a_pip_that_is_no_program_is_126_in_one_line(shims: RealShims) -> None:
    odd = f"{shims.installed[0].prefix}/bin/pip3.98"
    write(odd, "neither a script nor a binary", 0o755)
    rehash(shims.layout, sys.executable)
    done = shims.run("pip3.98")
    assert (done.returncode, done.stdout) == (126, b"")
    assert done.stderr.splitlines()[0] == f"error: {odd}: exec format error".encode()

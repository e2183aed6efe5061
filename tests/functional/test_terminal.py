"""What people see while they wait: a live display on a terminal, short lines elsewhere, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest

from support.builds import small_mirror
from support.fault_server import serve
from support.needs import needs, which
from support.patience import PATIENCE
from support.stalling import stall
from support.terminal import Terminal, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Result
    from support.fault_server import FaultServer

PROGRAM = os.path.join(os.path.dirname(sys.executable), "bubble")
COLOUR = re.compile(r"\x1b\[[\d;]*3\d[\d;]*m")
VERSIONS = ("3.11.9", "3.12.1")


@pytest.fixture
def terminal(env: dict[str, str], tmp_path: Path) -> Callable[..., Terminal]:
    """Return a function that starts bubble on a terminal: `terminal("list", NO_COLOR="1")`."""

    def start(*arguments: str, **variables: str) -> Terminal:
        own = {"NO_COLOR", "COLUMNS", "CI", "FORCE_COLOR"}
        base = {name: value for name, value in env.items() if name not in own}
        return Terminal(
            [PROGRAM, *arguments], {**base, "TERM": "xterm-256color", **variables}, str(tmp_path)
        )

    return start


@pytest.fixture
def stalling(tmp_path: Path, env: dict[str, str]) -> Iterator[FaultServer]:
    """Serve builds whose bytes stop half-way until `server.go` is set; `server.held` tells when."""
    with serve() as server:
        env["BUBBLE_CATALOG"] = stall(server, tmp_path, VERSIONS, VERSIONS)
        yield server


@pytest.fixture
def mirror(tmp_path: Path, env: dict[str, str]) -> None:
    env["BUBBLE_CATALOG"] = small_mirror(str(tmp_path / "mirror"), VERSIONS)


def test_a_terminal_shows_a_live_display_that_ends_in_clean_lines(
    terminal: Callable[..., Terminal], stalling: FaultServer, home: str
) -> None:
    with terminal("python", "install", *VERSIONS) as screen:
        assert stalling.held.wait(60)
        screen.read_until(" of ")  # bytes so far, of all
        stalling.go.set()
        assert screen.finish() == 0
    typed = screen.typed
    assert typed.count("\x1b[?25l") == typed.count("\x1b[?25h") > 0, "the cursor comes back"
    assert COLOUR.search(typed)
    lines = [line for line in screen.screen if line]
    assert len(lines) == 4, lines
    for line, version in zip(lines[:2], VERSIONS, strict=True):
        assert re.fullmatch(rf"cpython-{version} ━+ installed in \d+\.\d s", line)
    assert [line.startswith(f"{home}/pythons/") for line in lines[2:]] == [True, True]


@pytest.mark.parametrize(
    "variables", [{"TERM": "dumb"}, {"TERM": ""}, {"BUBBLE_NO_PROGRESS": "1"}], ids=str
)
@pytest.mark.usefixtures("mirror")
def test_short_lines_where_a_display_is_not_wanted(
    variables: dict[str, str], terminal: Callable[..., Terminal]
) -> None:
    with terminal("python", "install", "3.12", "3.99", **variables) as screen:
        assert screen.finish() == 1
    if "TERM" in variables:
        assert "\x1b" not in screen.typed
    else:
        assert "\x1b[?25l" not in screen.typed
    text = "\n".join(shown(screen.typed))
    assert "cpython-3.12.1: copying" in text
    assert "cpython-3.12.1: installed in " in text
    assert "━" not in text


@pytest.mark.usefixtures("mirror")
def test_no_colour_where_none_is_wanted(terminal: Callable[..., Terminal]) -> None:
    with terminal("python", "install", "3.12", "3.99", NO_COLOR="1") as screen:
        assert screen.finish() == 1
    assert not COLOUR.search(screen.typed)
    with terminal("python", "install", "3.99") as screen:
        assert screen.finish() == 1
    assert "\x1b[1;31merror\x1b[0m: " in screen.typed
    assert "\x1b[1;36mhint\x1b[0m: " in screen.typed


@pytest.mark.usefixtures("mirror")
def test_a_pipe_and_json_get_no_escape_sequences(bubble: Callable[..., Result]) -> None:
    plain = bubble("python", "install", *VERSIONS, env={"TERM": "xterm-256color"})
    assert "\x1b" not in plain.out + plain.err
    assert len(plain.err.splitlines()) == 4
    told = bubble("python", "install", "--reinstall", *VERSIONS, "--json", env={"TERM": "xterm"})
    assert told.err == ""


@pytest.mark.parametrize("versions", [VERSIONS[:1], VERSIONS], ids=["one", "several at once"])
def test_an_interrupt_ends_in_one_line_and_the_next_command_goes_on(
    versions: tuple[str, ...],
    terminal: Callable[..., Terminal],
    stalling: FaultServer,
    bubble: Callable[..., Result],
    home: str,
) -> None:
    with terminal("python", "install", *versions) as screen:
        assert stalling.held.wait(60)
        screen.read_until(" of ")
        screen.press(b"\x03")
        assert screen.finish(20) == 130
    typed = screen.typed
    assert "Traceback" not in typed
    assert typed.count("\x1b[?25l") == typed.count("\x1b[?25h"), "the cursor comes back"
    lines = [line for line in screen.screen if line]
    assert lines[-1] == "error: interrupted"
    assert sum("error" in line for line in lines) == 1
    assert not os.path.isdir(f"{home}/pythons") or os.listdir(f"{home}/pythons") == []

    stalling.go.set()
    again = bubble("python", "install", *versions)
    assert again.status == 0, again.err
    assert os.listdir(f"{home}/staging") == []
    assert bubble("python", "verify").status == 0


def piped(argv: list[str], env: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    """Start a command without a terminal, whose output can be read."""
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, env=env, cwd=cwd, stdout=pipe, stderr=pipe, text=True)


def test_an_interrupt_without_a_terminal_is_one_line(
    stalling: FaultServer, env: dict[str, str], tmp_path: Path
) -> None:
    with piped([PROGRAM, "python", "install", "3.12"], env, tmp_path) as process:
        assert stalling.held.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "error: interrupted"
    assert err.count("error") == 1


# what comes between a look for signals and the wait is as one that another thread gets: nothing
# wakes the wait
DEAF = """
import select, signal

class Poll:
    def __init__(self, poll=select.poll):
        self.real = poll()
        self.register, self.unregister = self.real.register, self.real.unregister

    def poll(self, timeout=None):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        print("waiting", flush=True)
        try:
            return self.real.poll(timeout)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

select.poll = Poll
from bubble.cli.main import run
run()
"""


def test_an_interrupt_just_before_a_wait_for_the_network_ends_it(
    stalling: FaultServer, env: dict[str, str], tmp_path: Path
) -> None:
    argv = [sys.executable, "-c", DEAF, "python", "install", *VERSIONS]
    with piped(argv, env, tmp_path) as process:
        assert stalling.held.wait(60)
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "again" not in err, "it waited for the network to give up"
    assert err.splitlines()[-1] == "error: interrupted"


@pytest.mark.usefixtures("mirror")
def test_a_list_on_a_terminal_of_eighty_columns_has_no_wrapped_line(
    terminal: Callable[..., Terminal],
) -> None:
    with terminal("python", "list", BUBBLE_CATALOG="") as screen:
        assert screen.finish() == 0
    assert max(map(len, screen.screen)) <= 80


def test_the_screen_of_the_tests_understands_what_a_display_writes() -> None:
    assert shown("one\r\n\x1b[31mtwo\x1b[0m\r\x1b[2K\x1b[1A\x1b[2Kthree\r\n") == ["three", ""]
    assert shown("abc\rX\x1b[K") == ["X"]


@needs("bash")
def test_init_typed_at_a_terminal_says_what_to_do_and_gives_a_pipe_the_code(
    tmp_path: Path, env: dict[str, str]
) -> None:
    bash = [str(which("bash")), "--norc", "--noprofile"]
    with Terminal([*bash, "-c", f"{PROGRAM} init bash"], env, str(tmp_path)) as terminal:
        assert terminal.finish() == 0
    said = [row for row in terminal.screen if row]
    assert said[0] == "for every new bash:  bubble init bash --install"
    assert said[1].startswith("by hand, in ~/.bashrc:  ")
    assert len(said) < 8
    by_hand = f'eval "$({PROGRAM} init bash)"; type -t bubble'
    with Terminal([*bash, "-c", by_hand], env, str(tmp_path)) as terminal:
        assert terminal.finish() == 0
    assert [row for row in terminal.screen if row] == ["function"]

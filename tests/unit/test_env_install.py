"""The installer that fills an environment: which one, what it gets, and how it ends.

uv is a **double** here, a sh script: what it is called with and how it behaves is what counts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from bubble.envs.doctor import runtime
from bubble.envs.doctor.finding import Patient
from bubble.envs.doctor.runtime import Answer
from bubble.envs.doctor.system import install_command
from bubble.envs.making.install import choose_installer
from bubble.envs.tools import running
from bubble.model.errors import BubbleError
from support.clinic import program
from support.filling import Pip, Site
from support.handmade import installation, machine, write
from support.needs import LINUX_ONLY
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from bubble.system.layout import Layout

SECRET = "hunter2-canary"


@pytest.fixture
def site(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/nothing/python")  # no uv lies beside it
    return Site(layout, f"{tmp_path}/tools")


@pytest.mark.parametrize(
    ("wanted", "beside", "on_path", "chosen"),
    [
        ("pip", True, True, ""),
        ("", False, False, ""),
        ("", False, True, "tools/uv"),
        ("", True, True, "nothing/uv"),
        ("uv", False, True, "tools/uv"),
        ("uv", True, False, "nothing/uv"),
    ],
)
def test_the_installer_is_the_one_that_is_wanted_or_uv_where_it_is(
    site: Site, tmp_path: Path, wanted: str, beside: bool, on_path: bool, chosen: str
) -> None:
    if beside:
        program(f"{tmp_path}/nothing/uv", "true")
    if on_path:
        site.uv("true")
    expected = ("uv", f"{tmp_path}/{chosen}") if chosen else ("pip",)
    assert choose_installer(wanted, {"PATH": site.tools}, site.layout) == expected


def test_a_uv_that_is_wanted_and_not_there_is_told(site: Site) -> None:
    with pytest.raises(BubbleError, match="uv is not on PATH") as caught:
        choose_installer("uv", {"PATH": site.tools}, site.layout)
    assert caught.value.kind == "usage"
    assert caught.value.hint.endswith("--installer pip")


def test_each_lock_file_is_a_call_of_its_own_and_the_rest_is_one(
    site: Site, tmp_path: Path
) -> None:
    site.uv(
        f'echo "$*" >> {site.log}; ls -A "$VIRTUAL_ENV" | grep -x .bubble-lock >> {site.log}; true'
    )
    lock, other = (write(f"{tmp_path}/{name}") for name in ("pylock.toml", "pylock.dev.toml"))
    site.install("a==1", "-r", lock, "-r", "wanted.txt", "-r", other, "b")
    head = f"pip install --python {site.root}/bin/python"
    assert site.said() == [
        f"{head} -r {lock}",
        ".bubble-lock",
        f"{head} -r {other}",
        ".bubble-lock",
        f"{head} a==1 -r wanted.txt b",
        ".bubble-lock",
    ]
    assert not os.path.exists(f"{site.root}/.bubble-lock")


def test_what_would_lead_the_installer_elsewhere_is_not_handed_on(
    site: Site, tmp_path: Path
) -> None:
    site.uv(f"env > {site.log}; pwd >> {site.log}")
    astray = {"PYTHONPATH": "/x", "PIP_TARGET": "/x", "UV_SYSTEM_PYTHON": "1", "UV_TARGET": "/x"}
    astray |= {"PYTHONHOME": "/x", "PYTHONSTARTUP": "/x", "__PYVENV_LAUNCHER__": "/x"}
    site.install("a", env={**astray, "UV_OFFLINE": "1"}, cwd=str(tmp_path))
    said = site.said()
    assert not [line for line in said if line.partition("=")[0] in astray]
    assert {f"VIRTUAL_ENV={site.root}", "UV_OFFLINE=1", str(tmp_path)} <= set(said)


def test_a_failure_ends_with_what_was_said_last_and_without_secrets(
    site: Site, tmp_path: Path
) -> None:
    site.uv(f"seq 100; echo; echo no https://me:{SECRET}@index.example/a >&2; exit 3")
    lock = write(f"{tmp_path}/pylock.toml")
    with pytest.raises(BubbleError) as caught:
        site.install("-r", lock)
    error = caught.value
    assert error.kind == "download"
    lines = " | ".join([*map(str, range(90, 101)), "no https://****@index.example/a"])
    assert error.message == f"uv could not install the packages (status 3): {lines}"
    assert not os.path.exists(f"{site.root}/.bubble-lock")
    site.uv("exit 3")
    with pytest.raises(BubbleError, match=r"\(status 3\)$"):
        site.install("a")


@pytest.mark.parametrize("terminal", [False, True])
def test_what_the_installer_says_is_shown_as_it_comes(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    terminal: bool,
) -> None:
    site.uv(f"echo resolved; echo from https://me:{SECRET}@index.example/ >&2; exit 3")
    monkeypatch.setattr(os, "isatty", lambda _: terminal)
    with pytest.raises(BubbleError, match=r"\(status 3\)$"):
        site.install("a", show=True)
    # on a terminal it is the installer's own, with its progress: nothing comes through here
    address = f"https://me:{SECRET}@index.example/" if terminal else "https://****@index.example/"
    assert capfd.readouterr() == ("", f"resolved\nfrom {address}\n")


# what is asked → what is missed when the installer ends well and has done nothing
ASKED = {
    "c": "c is",
    "C_c==1": "C_c is",
    "c[x,y]>=1,<2": "c is",
    "c @ https://example.test/c-1.tar.gz": "c is",
    "-r c d  # why\n\n# no\ne==1 \\\n    --hash=sha256:0\n-e .\n--no-index\n./f.whl\n": "e is",
    "-r c\nd==1\n": "c, d are",
    "a": "",
    "A": "",
    "c; sys_platform == 'win32'": "",
    "./c": "",
    "c-1-py3-none-any.whl": "",
    "https://example.test/c": "",
    "git+https://example.test/c": "",
    "--no-deps": "",
    "-r \n": "",
}


@pytest.mark.parametrize("asked", ASKED)
def test_an_installer_that_ends_well_and_has_installed_nothing_has_failed(
    site: Site, tmp_path: Path, asked: str
) -> None:
    site.uv("exit 0")
    words = [asked]
    if asked.startswith("-r "):
        words = ["-r", write(f"{tmp_path}/wanted.txt", asked.removeprefix("-r "))]
    if not ASKED[asked]:
        site.install(*words)
        return
    with pytest.raises(BubbleError) as caught:
        site.install(*words)
    assert caught.value.kind == "download"
    said = f"uv ended as if all were well, and {ASKED[asked]} not in the environment"
    assert caught.value.message == said


def test_what_an_interpreter_lends_need_not_be_installed(site: Site) -> None:
    site.uv("exit 0")
    with open(f"{site.root}/pyvenv.cfg", "a") as file:
        file.write("include-system-site-packages = true\n")
    site.install("c")


SHIMS = ("our shims", "another store's", "another manager's", "a link to one", "a copy of ours")


@pytest.mark.parametrize("kind", SHIMS)
@pytest.mark.parametrize("real", [True, False])
def test_no_tool_is_found_through_a_shim(
    site: Site, tmp_path: Path, kind: str, *, real: bool
) -> None:
    ours = "#!/bin/sh\n# bubble shim 1\nexit 127\n"
    first = {"our shims": site.layout.shims, "another manager's": f"{tmp_path}/pyenv/shims"}
    directory = first.get(kind, f"{tmp_path}/bin")
    for name in ("uv", "apt-get", "dnf", "cc", "gcc", "clang"):
        path = f"{directory}/{name}"
        if kind == "a link to one":
            os.makedirs(directory, exist_ok=True)
            os.symlink(program(f"{tmp_path}/mise/shims/{name}", "exit 127"), path)
        else:
            os.chmod(write(path, ours), 0o755)
    env = {"PATH": f"{directory}:{site.tools}" if real else directory}
    if real:
        for name in ("uv", "dnf", "clang"):
            program(f"{site.tools}/{name}", "true")
    uv = ("uv", f"{site.tools}/uv") if real else ("pip",)
    assert choose_installer("", env, site.layout) == uv
    command = install_command("ca", env, site.layout)
    assert ("dnf" if real else "apt-get") in command  # Debian's where nothing is known
    answer = Answer(installation=installation(site.layout), compiler="cc -pthread")
    patient = Patient(**machine(site.layout, env).as_dict(), cwd="/", python=sys.executable)
    [found] = runtime._compilers([answer], patient)
    assert found.fix == (
        "export CC=clang" if real else install_command("compiler", env, site.layout)
    )


def test_without_pip_there_must_be_uv(site: Site) -> None:
    with pytest.raises(BubbleError) as caught:
        site.install("a", installer="pip")
    assert caught.value.kind == "usage"
    assert "--installer uv" in caught.value.hint


@pytest.mark.parametrize(("script", "last"), [("echo a; echo no pip >&2", "no pip"), ("", "no wo")])
def test_a_pip_that_can_not_read_itself_is_told_and_leaves_no_scratch(
    site: Site, tmp_path: Path, script: str, last: str
) -> None:
    os.makedirs(f"{site.root}/lib/python3.11/site-packages/pip")
    program(f"{site.root}/bin/python", f"{script}\nexit 1")
    with pytest.raises(BubbleError) as caught:
        site.install("-r", write(f"{tmp_path}/pylock.toml"), installer="pip", pip=Pip())
    assert caught.value.kind == "probe"
    assert caught.value.message.partition(": ")[2].startswith(last)
    assert not os.path.exists(f"{site.root}/.bubble-lock")


# signals


def working(site: Site, name: str, *, stubborn: str = "") -> None:
    """Let uv tell its process and its child's, send a signal to bubble's process, and work on.

    `stubborn` are those of them that don't end when they are asked to.
    """
    before = "trap '' TERM\n" * bool(stubborn)
    after = "trap - TERM\n" * ("uv" not in stubborn)
    tell = f"echo $$ $! > {site.log}\nkill -{name} $PPID\nwait"
    site.uv(f"{before}sleep 600 &\n{after}{tell}")


def left(site: Site) -> list[int]:
    """Return those of the installer's processes that don't end: what dies isn't dead at once."""
    pids = [int(word) for word in site.said()[0].split()]
    deadline = time.monotonic() + PATIENCE
    while (alive := [pid for pid in pids if lives(pid)]) and time.monotonic() < deadline:
        time.sleep(0.005)
    return alive


def lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@LINUX_ONLY
@pytest.mark.parametrize("stubborn", ["", "child", "uv and child"])
def test_an_interrupt_ends_the_installer_and_what_it_started(
    site: Site, monkeypatch: pytest.MonkeyPatch, stubborn: str
) -> None:
    monkeypatch.setattr(running, "_GRACE", 0.05 if "uv" in stubborn else 30)
    working(site, "INT", stubborn=stubborn)
    with pytest.raises(KeyboardInterrupt):
        site.install("a")
    assert left(site) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@LINUX_ONLY
@pytest.mark.parametrize("name", ["TERM", "HUP", "QUIT"])
def test_another_signal_ends_the_installer_and_then_does_what_it_does(
    site: Site, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    working(site, name)
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(os, "kill", lambda *arguments: sent.append(arguments))  # it would end us
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - which one is the module's affair
        site.install("a")
    assert not isinstance(caught.value, Exception)
    number = getattr(signal, f"SIG{name}")
    assert sent == [(os.getpid(), number)]
    assert signal.getsignal(number) is signal.SIG_DFL
    assert left(site) == []


@LINUX_ONLY
@pytest.mark.parametrize("terminal", [False, True])
def test_an_interrupt_as_the_installer_is_being_started_ends_it_as_well(
    site: Site, monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: terminal)
    site.uv("sleep 600")
    started: list[int] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self.pid)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        site.install("a", show=True)
    assert started
    assert not lives(started[0])


def test_a_signal_that_is_ignored_stays_ignored(site: Site) -> None:
    site.uv(f"kill -HUP $PPID; echo done > {site.log}")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        site.install("a")
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert site.said() == ["done"]


def test_another_thread_installs_without_touching_signals(site: Site) -> None:
    site.uv(f"echo done > {site.log}")
    thread = threading.Thread(target=site.install, args=("a",))
    thread.start()
    thread.join(60)
    assert site.said() == ["done"]

"""Hostile and odd version files, variables and names: nothing hangs, nothing foreign is executed,
nothing is written outside the store, and each message is readable.

Through the real shim, first over a directory whose answer is known (the file is swapped in with an
old time, so that only its content tells), then without a memo; and through the real commands.
"""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bubble.cli.main import main
from bubble.selection.replay import replay
from support.figures import record
from support.hostile_versions import (
    COMMANDS,
    DIRECTORIES,
    MARK,
    VARIABLES,
    Case,
    cases,
    holding,
)
from support.needs import FULL, ROOT_ONLY
from support.shimworld import PLATFORM, ShimWorld, shells, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bubble.selection.resolve import World

PATIENCE = 5  # seconds for one call, on a busy machine; a guard against hanging, not a measure
BUBBLE = f"{os.path.dirname(sys.executable)}/bubble"
CASES = cases()


class Ran(NamedTuple):
    status: int
    out: bytes
    err: bytes


class Arena:
    """A store with 3.11.9 and 3.12.1, a project whose parent says 3.12.1, and traps all around.

    A trap is a program that leaves a mark; the system's python is no trap, but says so.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.shims = ShimWorld(root, slow=sys.executable)
        for name in ("cpython-3.11.9", "cpython-3.12.1"):
            self.shims.install(name)
        self.project = f"{root}/project"
        write(f"{root}/.python-version", "3.12.1\n")
        trap = f"#!/bin/sh\ntouch '{root}/{MARK}'\necho trapped\n"
        for place in ("evil", "project", "project/bin", "evil/bin", "home/evil/bin", "3.11.9/bin"):
            for name in ("python", "python3", "touch", "id"):
                write(f"{root}/{place}/{name}", trap, 0o755)
        write(f"{root}/system/python", "#!/bin/sh\necho system\n", 0o755)
        self.env: dict[str, str | bytes] = {
            "PATH": f"{self.shims.layout.shims}:{root}/system:/usr/bin:/bin",
            "HOME": f"{root}/home",
            "BUBBLE_HOME": self.shims.layout.home,
            "BUBBLE_CACHE_DIR": self.shims.layout.cache,
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *words: str, cwd: str | bytes = "", **env: str | bytes) -> Ran:
        done = subprocess.run(
            words,
            cwd=cwd or self.project,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def call(self, *words: str, cwd: str | bytes = "", **env: str | bytes) -> Ran:
        """Run the command line in this process."""
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        decoded = {name: os.fsdecode(value) for name, value in {**self.env, **env}.items()}
        with chdir(cwd or self.project), redirect_stdout(out), redirect_stderr(err):
            signal.alarm(PATIENCE)
            try:
                status = main(words, decoded)
            finally:
                signal.alarm(0)
        told = []
        for stream in (out, err):
            stream.flush()
            told.append(stream.detach().getvalue())
        return Ran(status, *told)

    def shim(self, cwd: str | bytes = "", shell: Sequence[str] = (), **env: str | bytes) -> Ran:
        return self.run(*shell, f"{self.shims.layout.shims}/python", cwd=cwd, **env)

    def world(self) -> World:
        env = {name: str(value) for name, value in self.env.items()}
        return self.shims.world(self.project, env)

    def python(self, version: str) -> str:
        return f"{self.shims.layout.python(f'cpython-{version}-{PLATFORM}')}/bin/python"

    def outside(self) -> dict[str, tuple[int, int, int]]:
        """Return what lies outside the store: path → (mode, size, mtime)."""
        found = {}
        for directory, directories, files in os.walk(self.root):
            if directory == self.root:
                directories.remove("store")
            for name in (*directories, *files):
                status = os.lstat(path := f"{directory}/{name}")
                size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
                found[path] = (status.st_mode, size, status.st_mtime_ns)
        return found


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(str(tmp_path))


def is_clean(told: bytes) -> bool:
    """Whether output is UTF-8 text that no terminal would act upon."""
    text = told.decode()
    return all(line.isprintable() for line in text.split("\n"))


def require_readable(ran: Ran, statuses: tuple[int, ...]) -> None:
    """An error is one line, one hint, and a status that says so."""
    lines = ran.err.decode().splitlines()
    assert ran.status in statuses, ran
    assert is_clean(ran.err), ran.err
    assert len(lines) == 2, lines
    assert lines[0].startswith("error: "), lines
    assert lines[1].startswith("  hint: "), lines
    assert len(lines[0]) < 1500
    assert "bubble itself failed" not in lines[0]


def require_warning(ran: Ran) -> None:
    """What was passed over is told in one line, where anything is told."""
    assert is_clean(ran.err), ran.err
    assert ran.err.count(b"\n") <= 1, ran.err
    assert not ran.err or b"pyproject.toml can't be used: " in ran.err, ran.err


def really(printed: bytes) -> str:
    """Return what a shim has run, by the name of its build."""
    path = printed.decode().strip()
    return f"{os.path.realpath(path[: -len('/bin/python')])}/bin/python" if "/" in path else path


def require_shim(ran: Ran, expect: str, arena: Arena) -> None:
    if expect == "error":
        assert ran.out == b"", ran
        require_readable(ran, (126, 127))
    elif expect == "passed over":
        assert (ran.status, really(ran.out)) == (0, arena.python(version_of(expect))), ran
        require_warning(ran)
    else:
        wanted = "system" if expect == "system" else arena.python(version_of(expect))
        assert (ran.status, really(ran.out), ran.err) == (0, wanted, b"")


def require_commands(expect: str, arena: Arena, cwd: str | bytes = "", **env: str | bytes) -> None:
    """Hold `current`, `which` and `explain` to the same answer, each readable."""
    names = {"system": "system", "error": ""}
    name = names.get(expect, f"cpython-{version_of(expect)}")
    for words in (("current",), ("which", "python"), ("explain",)):
        # one of them as a process; the others here, which takes a tenth of the time
        if words == ("explain",) or FULL:
            ran = arena.run(BUBBLE, *words, cwd=cwd, **env)
        else:
            ran = arena.call(*words, cwd=cwd, **env)
        assert is_clean(ran.out), ran.out
        if expect == "error":
            require_readable(ran, (1, 2))
        else:
            lacks_one = words == ("current",) and b"isn't installed" in ran.err
            assert ran.status == int(lacks_one), ran
            if words == ("current",):
                assert ran.out.decode().startswith(f"{name} (set by "), ran


def version_of(expect: str) -> str:
    return "3.12.1" if expect in {"parent", "passed over"} else expect


def require_no_trap_sprung(arena: Arena, before: Mapping[str, object]) -> None:
    assert not os.path.exists(f"{arena.root}/{MARK}"), "something from outside was executed"
    assert arena.outside() == before, "something was written outside the store"


def make_old(path: str) -> None:
    os.utime(path, (1, 1), follow_symlinks=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name).strip("'"))
def test_a_hostile_file(case: Case, arena: Arena) -> None:
    path = f"{arena.project}/{case.file}"
    memo = arena.shims.layout.answer(arena.project)
    if case.memo:
        known = {".tool-versions": "python 3.11.9\n"}.get(case.file, "3.11.9\n")
        if case.file == "pyproject.toml":
            known = '[project]\nrequires-python = "==3.11.9"\n'
        write(path, known)
        require_shim(arena.shim(), "3.11.9", arena)
        assert replay(arena.world()).state == "present"
        os.unlink(path)
    case.make(path)
    if case.memo and case.name == "tool: NUL":  # no sh reads that: only the time tells of it
        os.utime(path, (time.time() + 10, time.time() + 10))
    elif case.memo:
        make_old(path)
    expect = case.expect
    if case.file == "pyproject.toml" and expect == "error" and "out of reach" not in case.name:
        expect = "passed over"
    before = arena.outside()
    if case.memo:  # here sh itself compares the file: another sh for each case
        shell = list(shells().values())[CASES.index(case) % len(shells())]
        require_shim(arena.shim(shell=shell), expect, arena)
        os.unlink(memo)
    require_shim(arena.shim(), expect, arena)
    require_commands(expect, arena)
    require_no_trap_sprung(arena, before)
    record("hostile version files, variables and names", tried=1, held=1)


@pytest.mark.parametrize(("name", "value", "expect"), VARIABLES, ids=lambda v: ascii(v)[:40])
def test_a_hostile_variable(name: str, value: bytes, expect: str, arena: Arena) -> None:
    del name
    before = arena.outside()
    for _ in range(2):
        require_shim(arena.shim(BUBBLE_PYTHON=value), expect, arena)
    require_commands(expect, arena, BUBBLE_PYTHON=value)
    require_no_trap_sprung(arena, before)
    record("hostile version files, variables and names", tried=1, held=1)


@pytest.mark.parametrize("content", [b"../../evil", b"$(id)", b"\x1b[31m", b"\xff", b"/bin", b"-c"])
def test_a_hostile_global_pin(content: bytes, arena: Arena) -> None:
    os.unlink(f"{arena.root}/.python-version")
    holding(content)(arena.shims.layout.global_pin)
    before = arena.outside()
    require_shim(arena.shim(), "error", arena)
    require_commands("error", arena)
    require_no_trap_sprung(arena, before)


@pytest.mark.parametrize("name", DIRECTORIES, ids=lambda name: ascii(name)[2:40])
def test_a_hostile_directory_name(name: bytes, arena: Arena) -> None:
    directory = os.fsencode(arena.project) + b"/" + name
    os.mkdir(directory)
    pin = directory + b"/.python-version"
    holding(b"3.11.9\n")(os.fsdecode(pin))
    before = arena.outside()
    for _ in range(2):
        require_shim(arena.shim(cwd=directory, PWD=directory), "3.11.9", arena)
    if b"\n" not in name and len(name) < 255:  # a memo is lines, and its directory has a byte more
        assert os.path.exists(arena.shims.layout.answer(os.fsdecode(directory)))
    require_commands("3.11.9", arena, cwd=directory, PWD=directory)
    require_no_trap_sprung(arena, before)
    holding(b"../../evil\n")(os.fsdecode(pin))
    before = arena.outside()
    require_shim(arena.shim(cwd=directory, PWD=directory), "error", arena)
    require_commands("error", arena, cwd=directory, PWD=directory)
    require_no_trap_sprung(arena, before)


def test_a_directory_a_hundred_levels_deep(arena: Arena) -> None:
    directory = arena.project + "/and-further-down-here" * 100
    os.makedirs(directory)
    holding(b"3.11.9\n")(f"{arena.project}/.python-version")
    before = arena.outside()
    for _ in range(2):
        require_shim(arena.shim(cwd=directory, PWD=directory), "3.11.9", arena)
    require_commands("3.11.9", arena, cwd=directory, PWD=directory)
    require_no_trap_sprung(arena, before)


# not what is meant as it stands: an option, or a path that exec is asked to run
@pytest.mark.parametrize(
    "words",
    [
        *((verb, name) for verb in ("which", "whence") for name in COMMANDS),
        *(("explain", name) for name in COMMANDS if name != "--"),
        *(("exec", name) for name in COMMANDS if "/" not in name and name[:1] != "-"),
        *(("exec", "--", name) for name in COMMANDS if "/" not in name and name != "--"),
        ("exec", "../evil/bin/none"),
        ("exec", "-p", "../../evil", "python"),
        ("exec", "-p", "$(id)", "python"),
        ("exec", "-p", "\x1b[31m", "python"),
    ],
    ids=lambda words: f"{' '.join(words[:-1])} {ascii(words[-1])[1:40]}",
)
def test_a_hostile_command_name(words: tuple[str, ...], arena: Arena) -> None:
    before = arena.outside()
    ran = arena.run(BUBBLE, *words)
    require_readable(ran, (2, 126, 127))
    assert is_clean(ran.out)
    require_no_trap_sprung(arena, before)


@pytest.mark.parametrize("pwd", ["", "relative", "/", "/etc", "@/evil", "@/project/../project"])
def test_a_variable_that_lies_about_the_directory(pwd: str, arena: Arena) -> None:
    holding(b"3.11.9\n")(f"{arena.project}/.python-version")
    holding(b"../../evil\n")(f"{arena.root}/evil/.python-version")
    for _ in range(2):
        ran = arena.shim(PWD=pwd.replace("@", arena.root))
        require_shim(ran, "3.11.9", arena)


def test_a_long_line_over_a_known_directory_costs_time_and_nothing_else(arena: Arena) -> None:
    """`sh` reads a line byte for byte and can't bound it: a second for some MB, then the error."""
    path = f"{arena.project}/.python-version"
    write(path, "3.11.9\n")
    require_shim(arena.shim(), "3.11.9", arena)
    write(path, "3.11.9" * 20_000)
    make_old(path)
    require_shim(arena.shim(), "error", arena)


@ROOT_ONLY
def test_whose_directory_it_is_makes_no_difference(arena: Arena) -> None:
    path = f"{arena.project}/.python-version"
    holding(b"3.11.9\n")(path)
    for entry in (path, arena.project):
        os.chown(entry, 12345, 12345)
    for _ in range(2):
        require_shim(arena.shim(), "3.11.9", arena)
    require_commands("3.11.9", arena)
    assert os.stat(arena.shims.layout.answer(arena.project)).st_uid == 0


def test_there_are_enough_of_them() -> None:
    assert len(CASES) + len(VARIABLES) + len(DIRECTORIES) + len(COMMANDS) >= 250
    assert len({case.name for case in CASES}) == len(CASES)

"""`bubble run FILE` of the front runs what the program runs, as it runs it, or becomes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.cli.commands.run import leave_shortcut
from bubble.projects.scripts.memos import found_again
from bubble.projects.scripts.source import read_script
from bubble.selection import front, shortcuts
from support.environments import adopt_python
from support.frontworld import BECAME, SHELLS, ask, double, tick
from support.needs import LINUX_ONLY, needs, which
from support.patience import PATIENCE
from support.scripts import block, two_versions
from support.shimworld import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = [LINUX_ONLY]
SAY = "import json, os, sys\nprint(json.dumps([sys.argv, sys.executable, dict(os.environ)]))\n"
# what a shell changes by itself
OWN = {"_", "SHLVL", "OLDPWD", "A__z", "LOGNAME"}


@pytest.fixture
def script(
    bubble: Bubble,
    tmp_path: Path,
    layout: Layout,
    env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """Have a script that has run, and everything settled; return its path."""
    wheels = two_versions(f"{tmp_path}/wheels", env)
    adopt_python(bubble)
    path = f"{tmp_path}/place/say-it.py"
    write(path, block("six<2", wheels=wheels) + SAY)
    assert bubble("run", path).status == 0
    front.write(layout, double(layout))
    now = shortcuts.now
    monkeypatch.setattr(shortcuts, "now", lambda: now() + 10_000_000_000)
    leave(path, layout)
    return path


def leave(path: str, layout: Layout) -> None:
    """Leave the shortcut to a script, as `bubble run` does after it was found."""
    cwd, name = os.path.split(path)
    found = read_script(name, cwd)[0]
    assert found
    environment = found_again(found, layout)
    if environment:
        leave_shortcut(found, environment, name, cwd, layout)


def test_what_runs_is_what_the_program_runs(
    script: str, bubble: Bubble, layout: Layout, env: dict[str, str]
) -> None:
    cwd, name = os.path.split(script)
    below = f"{cwd}/below"
    os.mkdir(below)
    variables = {"PYTHONHOME": "", "ODD": "a b\n*", "VIRTUAL_ENV": "/x"}
    calls = ((cwd, name), (cwd, f"./{name}"), (below, f"../{name}"), (below, script))
    for number, (where, word) in enumerate(calls):
        words = ["run", word, "--sync", "", "a b", "*", "-p"]
        done = bubble(*words, cwd=where, env={**variables, "PWD": where})
        argv, python, seen = json.loads(done.out)
        assert argv[1:] == words[2:], done
        for shell in SHELLS.values() if not number else [SHELLS[min(SHELLS)]]:
            done_here = subprocess.run(
                [*shell, layout.front, *words],
                cwd=where,
                env={**env, **variables, "PWD": where},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=True,
            )
            assert BECAME not in done_here.stdout, (shell, word)
            found = json.loads(done_here.stdout)
            assert found[:2] == [argv, python]
            assert drop(found[2]) == drop(seen), shell


def drop(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in OWN}


def edits(script: str, layout: Layout) -> dict[str, Callable[[], object]]:
    """Return what may change what a script is to run in."""
    (key,) = os.listdir(layout.scripts)
    place = f"{layout.scripts}/{key}"
    folder = os.path.dirname(script)
    with open(script) as file:
        text = file.read()
    python = os.path.realpath(f"{place}/bin/python")
    assert python != sys.executable or os.path.exists(python)
    return {
        "what it asks for": lambda: write(script, text.replace("six<2", "six>1")),
        "the same with its old time": lambda: write_old(script, text),
        "a lock": lambda: write(f"{script}.lock", 'lock-version = "1.0"\n'),
        "no lock": lambda: os.unlink(f"{script}.lock"),
        "a pin": lambda: write(f"{folder}/.python-version", "3.8\n"),
        "no pin": lambda: os.unlink(f"{folder}/.python-version"),
        "a global pin": lambda: write(layout.global_pin, "3.8\n"),
        "no global pin": lambda: os.unlink(layout.global_pin),
        "no mark": lambda: os.rename(f"{place}/.bubble-environment", f"{place}/mark"),
        "the mark": lambda: os.rename(f"{place}/mark", f"{place}/.bubble-environment"),
        "no environment": lambda: os.rename(place, f"{place}.away"),
        "a link to it": lambda: os.symlink(f"{place}.away", place),
        "the environment": lambda: bring_back(place),
        "no interpreter": lambda: os.rename(f"{place}/bin/python", f"{place}/bin/p"),
        "its interpreter": lambda: os.rename(f"{place}/bin/p", f"{place}/bin/python"),
        "another script": lambda: link("x.py", script),
    }


def write_old(path: str, text: str) -> None:
    write(path, text)
    os.utime(path, (1, 1))


def bring_back(path: str) -> None:
    os.unlink(path)
    os.rename(f"{path}.away", path)


def link(target: str, path: str) -> None:
    os.unlink(path)
    os.symlink(target, path)


def test_it_runs_only_what_the_program_would_run(script: str, layout: Layout) -> None:
    cwd, name = os.path.split(script)
    write(f"{cwd}/x.py", "print('another')\n")
    shells = list(SHELLS)
    for number, (what, edit) in enumerate(edits(script, layout).items()):
        edit()
        tick(cwd)
        try:
            found = read_script(name, cwd)[0]
            runs = bool(found and found_again(found, layout))
        except OSError:
            runs = False
        said = ask(layout, cwd, "run", name, shells=[shells[number % len(shells)]])
        assert said == {BECAME} or runs, what
        if runs:
            leave(script, layout)
            assert ask(layout, cwd, "run", name) != {BECAME}, what


def test_it_is_asked_once_a_day(script: str, layout: Layout) -> None:
    cwd, name = os.path.split(script)
    (memo,) = (f"{layout.scripts_seen}/{name}" for name in os.listdir(layout.scripts_seen))
    os.utime(memo, (os.stat(memo).st_mtime - 90_000,) * 2)
    leave(script, layout)
    assert ask(layout, cwd, "run", name) != {BECAME}, "the program has just noted it"
    path = shortcuts.path_of(layout, shortcuts.RUN, script)
    with open(path) as file:
        lines = file.read().split("\n")
    lines[3] = "1"
    write(path, "\n".join(lines))
    assert ask(layout, cwd, "run", name) == {BECAME}


@pytest.mark.parametrize(
    "words",
    [["run"], ["run", "--locked", "say-it.py"], ["run", "--", "say-it.py"], ["run x", "say-it.py"],
     ["run", "place/say-it.py"], ["run", "..//place/say-it.py"], ["run", "file://say-it.py"]],
)  # fmt: skip
def test_whatever_else_is_said_becomes_the_program(
    script: str, layout: Layout, words: list[str]
) -> None:
    assert ask(layout, os.path.dirname(script), *words) == {BECAME}


@pytest.mark.parametrize(
    "variables",
    [{"BUBBLE_HOME": "/elsewhere"}, {"BUBBLE_HOME": ""}, {"BUBBLE_CACHE_DIR": "relative"},
     {"HOME": "/nowhere"}],
)  # fmt: skip
def test_another_store_home_or_directory_becomes_the_program(
    script: str, layout: Layout, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    cwd, name = os.path.split(script)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert ask(layout, cwd, "run", name) == {BECAME}


def test_a_shortcut_that_says_anything_runs_nothing(
    script: str, layout: Layout, tmp_path: Path
) -> None:
    cwd, name = os.path.split(script)
    path = shortcuts.path_of(layout, shortcuts.RUN, script)
    with open(path) as file:
        whole = file.read()
    assert ask(layout, cwd, "run", name) != {BECAME}
    lines = whole.split("\n")
    evil = f"$(touch {tmp_path}/evil)`touch {tmp_path}/evil`;touch {tmp_path}/evil"
    texts = [whole[:cut] for cut in range(0, len(whole) - 1, 211)]
    texts += [
        "\n".join([*lines[:n], evil, *lines[n + 1 :]])
        for n in range(len(lines) - 1)
        if n not in {3, 7}
    ]
    texts += [whole.replace("shortcut 1", "shortcut 2"), whole.replace(":", "::"), "\0" * 5000]
    texts.append(whole.replace("\n.\n", "\n..\n"))
    shells = list(SHELLS)
    for number, text in enumerate(texts):
        assert text != whole
        write(path, text)
        assert ask(layout, cwd, "run", name, shells=[shells[number % len(shells)]]) == {BECAME}, (
            text
        )
    assert not os.path.exists(f"{tmp_path}/evil")
    os.unlink(path)
    write(f"{path}.real", whole)
    os.symlink(f"{path}.real", path)
    assert ask(layout, cwd, "run", name) == {BECAME}


@needs("strace")
@pytest.mark.parametrize("shell", SHELLS)
def test_it_starts_one_process(script: str, layout: Layout, shell: str) -> None:
    cwd, name = os.path.split(script)
    log = f"{layout.home}.trace"
    words = [*SHELLS[shell], layout.front, "run", name]
    trace = [str(which("strace")), "-f", "-qq", "-e", "trace=process", "-o", log]
    subprocess.run(
        [*trace, *words], cwd=cwd, env={**os.environ, "PWD": cwd}, check=True, timeout=PATIENCE,
        capture_output=True,
    )  # fmt: skip
    with open(log) as file:
        lines = [
            line for line in file.read().splitlines() if line.endswith(" = 0") or "clone" in line
        ]
    own = lines[: next(n for n, line in enumerate(lines) if '/bin/python", ["' in line)]
    started = [line for line in own if " execve(" in line]
    assert len(started) == 2, started  # the shell, and `stat`
    assert "/usr/bin/stat" in started[1]
    forks = [
        line for line in own if any(f" {c}(" in line for c in ("clone", "clone3", "fork", "vfork"))
    ]
    assert len(forks) == 1, forks

"""What the front costs, counted, not timed: no process for a question, under every shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from argparse import Namespace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from bubble.cli.commands import current
from bubble.selection.resolve import select
from bubble.selection.run import environment, find_command
from support.needs import LINUX_ONLY, needs, which
from support.patience import PATIENCE
from support.shimworld import ShimWorld, shells, write

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

pytestmark = [LINUX_ONLY, needs("strace")]
SHELLS = shells()
QUESTIONS = {
    "which": (["which", "python"], "{python}\n"),
    "find": (["python", "find"], "{python}\n"),
    "current": (["current"], "cpython-3.11.7 (set by {tree}/.python-version)\n"),
    "exec": (["exec", "python", "a b"], "{python}\n"),
    "run": (["run", "site", "python", "a b"], "{home}/envs/site/bin/python\n"),
}


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    """Have all that the front recognises."""
    made = ShimWorld(str(tmp_path), slow=sys.executable)
    made.install("cpython-3.11.7")
    site = f"{made.layout.home}/envs/site"
    made.environment(site, "cpython-3.11.7", "bubble")
    made.register(site, "bubble", "site")
    made.changed()
    write(f"{made.tree}/.python-version", "3.11\n")
    env = variables(made)
    there = made.world(made.tree, env)
    context: Any = SimpleNamespace(world=lambda: there, layout=there.layout, env=env)
    current.execute(Namespace(), context)
    selection = select(there)
    path = find_command("python", selection, there)
    environment(path, selection, there, looked_up=True, chosen=False)
    return made


def variables(world: ShimWorld) -> dict[str, str]:
    path = f"{world.layout.shims}:/usr/bin:/bin"
    return {
        "PATH": path, "HOME": world.root, "BUBBLE_HOME": world.layout.home, "PWD": world.tree
    }  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_a_question_starts_no_process(world: ShimWorld, shell: str) -> None:
    log = f"{world.root}/trace"
    trace = [str(which("strace")), "-f", "-qq", "-e", "trace=process", "-o", log]
    python = f"{world.layout.pythons}/3.11/bin/python"
    for question, (words, expected) in QUESTIONS.items():
        done = subprocess.run(
            [*trace, *SHELLS[shell], world.layout.front, *words],
            env=variables(world), cwd=world.tree, capture_output=True, text=True,
            timeout=PATIENCE, check=True,
        )  # fmt: skip
        said = expected.format(python=python, tree=world.tree, home=world.layout.home)
        assert (done.stdout, done.stderr) == (said, ""), question
        with open(log) as file:
            calls = re.findall(r"^\d+ +(\w+)\((.*)", file.read(), re.MULTILINE)
        assert not {"clone", "clone3", "fork", "vfork"} & {name for name, _ in calls}, question
        started = [rest for name, rest in calls if name == "execve" and rest.endswith(" = 0")]
        # the shell; the command; the shell that the double is for
        assert len(started) == (2 if question in {"exec", "run"} else 1), question


def test_exec_and_run_give_the_variables_that_the_program_gives(world: ShimWorld) -> None:
    env = {**variables(world), "PYTHONHOME": "", "ODD": "a\nb"}
    for python in (f"{world.layout.pythons}/cpython-3.11.7-linux-x86_64-gnu/bin/python",):
        write(python, "#!/bin/sh\nexec /usr/bin/env -0\n", 0o755)
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    for words in (["exec", "python"], ["run", "site", "python"]):
        said = []
        for command in ([program], [*SHELLS[min(SHELLS)], world.layout.front]):
            done = subprocess.run(
                [*command, *words], env=env, cwd=world.tree, capture_output=True, text=True,
                timeout=PATIENCE, check=True,
            )  # fmt: skip
            pairs = (line.partition("=")[::2] for line in done.stdout.split("\0") if line)
            own = {"_", "SHLVL", "OLDPWD", "LOGNAME", "A__z"}
            said.append({name: value for name, value in pairs if name not in own})
        assert said[0] == said[1], words
        assert said[0]["PATH"] != env["PATH"]

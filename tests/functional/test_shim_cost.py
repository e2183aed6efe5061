"""What the fast path costs, counted, not timed: one `exec`, no process, few looks at files.

`scripts/bench --only shims` has the milliseconds.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from support.needs import LINUX_ONLY, needs, which
from support.shimworld import ShimWorld, shells, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [LINUX_ONLY, needs("strace")]
SHELLS = tuple(shells())
FORKS = {"clone", "clone3", "fork", "vfork"}
PINS = {
    "exact": (".python-version", "3.11.7\n"),
    "prefix": (".python-version", "3.11\n"),
    "range": (".python-version", ">=3.10,<3.12\n"),
    "several": (".python-version", "3.9\n3.11\n"),
    "python-versions": (".python-versions", "3.11\n"),
    "requires-python": ("pyproject.toml", '[project]\nrequires-python = ">=3.10,<3.12"\n'),
    "tool-versions": (".tool-versions", "nodejs 20\npython 3.11.7\n"),
    "global": ("", "3.11\n"),
    "BUBBLE_PYTHON": ("", "3.11"),
}


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable)
    made.install("cpython-3.11.7")
    made.install("cpython-3.12.1")
    return made


def pin(world: ShimWorld, kind: str) -> dict[str, str]:
    """Select 3.11.7 in one way, leave the memo; return the environment."""
    name, text = PINS[kind]
    path = f"{world.tree}/{name}" if name else world.layout.global_pin
    env = {"PATH": "/usr/bin:/bin", "PWD": world.tree}
    if kind == "BUBBLE_PYTHON":
        env["BUBBLE_PYTHON"] = text
    else:
        write(path, text)
    world.resolve("python", world.tree, env, leave=True)
    return env


def calls(
    world: ShimWorld, env: dict[str, str], shell: str, cwd: str = ""
) -> tuple[str, Counter[str]]:
    """Return what the shim ran, and its system calls by name, before it ran that."""
    log = f"{world.root}/trace"
    done = subprocess.run(
        [str(which("strace")), "-f", "-qq", "-o", log, *shells()[shell],
         f"{world.layout.shims}/python"],
        env=env, cwd=cwd or world.tree, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    with open(log) as file:
        lines = file.read().splitlines()
    started = [n for n, line in enumerate(lines) if re.search(r" execve\(.*= 0$", line)]
    # the shell with the shim, then what the shim ran
    own = lines[: started[1]]
    names = Counter(match[1] for line in own if (match := re.match(r"\d+ +(\w+)\(", line)))
    names["programs"] = len(started)
    return done.stdout.strip(), names


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("kind", PINS)
def test_the_fast_path_starts_no_process_and_runs_the_command_alone(
    world: ShimWorld, kind: str, shell: str
) -> None:
    env = pin(world, kind)
    ran, counts = calls(world, env, shell)
    exact = kind in {"exact", "tool-versions"}
    place = "cpython-3.11.7-linux-x86_64-gnu" if exact else "3.11"
    assert ran.endswith(f"/pythons/{place}/bin/python")
    assert not FORKS & counts.keys()
    assert counts["programs"] == 2  # the shell and the command (here a script of its own)


@pytest.mark.parametrize("shell", ["dash"] if "dash" in SHELLS else SHELLS[:1])
def test_the_cost_doesnt_grow_with_the_store_and_little_with_the_depth(
    world: ShimWorld, shell: str
) -> None:
    env = pin(world, "exact")
    _, before = calls(world, env, shell)
    for number in range(100):
        os.makedirs(f"{world.layout.pythons}/cpython-3.8.{number}-linux-x86_64-gnu/bin")
    for number in range(1000):
        write(world.layout.answer(f"{world.tree}/d{number}"), "x\n")
    _, after = calls(world, env, shell)
    assert after == before
    deep = world.tree + "/d" * 40
    os.makedirs(deep)
    ran, counts = calls(world, {**env, "PWD": deep}, shell, cwd=deep)
    assert ran.endswith("/cpython-3.11.7-linux-x86_64-gnu/bin/python")
    more = counts.total() - before.total()
    assert 0 < more <= 40 * 11, (
        "a level costs two looks at each of five names, and one at the record"
    )

"""The shim and the resolver choose the same, whatever a directory tree looks like.

Random trees, pins, memos (present, absent, stale, damaged) and installed sets: after every change
the shim either runs what the resolver chooses now, or asks (`slow`), and right after the resolver
left its memo the shim doesn't ask.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from bubble.selection.resolve import select
from support.needs import FULL
from support.shimworld import ShimWorld, shells, write

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = (
    "cpython-3.9.13",
    "cpython-3.11.7",
    "cpython-3.11.9",
    "cpython-3.12.1",
    "cpython-3.13.0+freethreaded",
    "cpython-3.14.0rc1",
    "pypy-3.10.16",
)
REQUESTS = (
    *("3", "3.9", "3.11", "3.11.7", "3.11.8", "3.12", "3.13", "3.13t", "3.14", "3.14.0rc1"),
    *(">=3.10,<3.12", ">= 3.11, != 3.12.*", "==3.11.*", "pypy3.10", "cpython@3.12", "312"),
    *("3.11", "3.9", "3.12 # why", "3.9:3.11", "python-3.11", "system", "../x", "$(id)"),
)
FILES = (".python-version", ".python-versions", ".tool-versions", "pyproject.toml")
WORLDS = 60 if FULL else 12
STEPS = 220  # a case is one step: a change, then shim against resolver


def content(rng: random.Random, name: str) -> str:
    requests = [rng.choice(REQUESTS) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))]
    if name == ".tool-versions":
        lines = ["nodejs 20.1", f"python {' '.join(requests)}", "# end"]
        return "\n".join(rng.sample(lines, rng.randint(1, 3))) + "\n"
    if name == "pyproject.toml":
        specifier = rng.choice((">=3.11", ">=3.9,<3.12", "==3.12.*", ">=4", "nonsense"))
        keyed = f'requires-python = "{specifier}"\n' if rng.random() < 0.7 else ""
        return f'[project]\nname = "x"\n{keyed}'
    lines = [rng.choice(("", "# note", "  ")) for _ in range(rng.randint(0, 2))] + requests
    rng.shuffle(lines)
    end = rng.choice(("\n", "\r\n"))
    return rng.choice(("", "\ufeff")) + end.join(lines) + rng.choice(("", end))


class Case:
    """One world and the random changes to it."""

    def __init__(self, rng: random.Random, root: str) -> None:
        self.rng = rng
        self.shims = ShimWorld(root)
        self.directories = [
            self.shims.tree + "".join(f"/{rng.choice('ab')}{n}" for n in range(depth))
            for depth in (0, 1, 2, 3, 5)
        ]
        for directory in self.directories:
            os.makedirs(directory, exist_ok=True)
        self.installed: set[str] = set()
        self.toggle_installation()
        self.toggle_installation()
        self.env = {"PATH": f"{self.shims.layout.shims}:/usr/bin:/bin", "HOME": root}

    def change(self) -> None:
        self.rng.choice(
            (
                *(self.edit,) * 5,
                self.delete,
                self.toggle_installation,
                self.set_variable,
                self.pin_globally,
                self.damage_memo,
                self.make_odd,
            )
        )()

    def some_file(self) -> str:
        return f"{self.rng.choice(self.directories)}/{self.rng.choice(FILES)}"

    def clear(self, path: str) -> None:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        elif os.path.lexists(path):
            os.unlink(path)

    def edit(self) -> None:
        path = self.some_file()
        self.clear(path)
        write(path, content(self.rng, os.path.basename(path)))
        # what is compared by its content may carry any time; the others keep the time of the edit
        if "python-version" in path and self.rng.random() < 0.5:
            then = time.time() - self.rng.choice((0.01, 5, 100_000))
            os.utime(path, (then, then))

    def delete(self) -> None:
        self.clear(self.some_file())

    def make_odd(self) -> None:
        path = self.some_file()
        self.clear(path)
        if self.rng.random() < 0.5:
            os.mkdir(path)
        else:
            os.symlink(self.rng.choice(("nothing", ".python-version", "../.python-version")), path)

    def toggle_installation(self) -> None:
        name = self.rng.choice(VERSIONS)
        if name in self.installed and len(self.installed) > 1:
            self.installed.remove(name)
            self.shims.remove(name)
        elif name not in self.installed:
            self.installed.add(name)
            self.shims.install(name, *self.rng.sample(("black", "mypy", "tox"), 1))

    def set_variable(self) -> None:
        self.env.pop("BUBBLE_PYTHON", None)
        if self.rng.random() < 0.4:
            self.env["BUBBLE_PYTHON"] = self.rng.choice(REQUESTS)

    def pin_globally(self) -> None:
        path = self.shims.layout.global_pin
        self.clear(path)
        if self.rng.random() < 0.7:
            write(path, content(self.rng, ".python-version"))

    def damage_memo(self) -> None:
        memo = self.shims.layout.memo(self.rng.choice(self.directories))
        if not os.path.exists(memo):
            return
        os.chmod(memo, 0o600)  # it may have been damaged before, and this may not be root
        match self.rng.randrange(4):
            case 0:
                os.unlink(memo)
            case 1:
                os.truncate(memo, self.rng.randint(0, os.path.getsize(memo)))
            case 2:
                os.chmod(memo, 0)
            case 3:  # an older bubble's: only the answer
                with open(memo) as file:
                    first = file.readline()
                write(memo, first)

    def check(self, shell: list[str]) -> tuple[str, bool]:
        """Hold shim and resolver against each other; return what ran, and whether it was fast."""
        cwd = self.rng.choice(self.directories)
        command = self.rng.choice(("python", "python3", "python3.11", "black", "tox"))
        try:
            expected = self.shims.resolve(command, cwd, self.env)
        except BubbleError:
            expected = "slow"  # only the slow path can explain
        if not os.path.exists(f"{self.shims.layout.shims}/{command}"):
            return expected, False
        before = self.run(command, cwd, shell)
        assert before in {"slow", expected}, f"{command} in {cwd}: stale answer"
        try:
            self.shims.resolve(command, cwd, self.env, looked_at=time.time_ns() + 3 * 10**9)
        except BubbleError:
            pass
        after = self.run(command, cwd, shell)
        by_itself = expected.startswith(self.shims.layout.home) and self.is_memorable(cwd, expected)
        assert after == (expected if by_itself else "slow"), f"{command} in {cwd}: with its memo"
        self.age()
        return expected, after != "slow"

    def is_memorable(self, cwd: str, expected: str) -> bool:
        """Whether the shim can know it: a plain variable, and PATH not to be searched before."""
        if set(" #$()/") & set(self.env.get("BUBBLE_PYTHON", "")):
            return False
        for answer in select(self.shims.world(cwd, self.env)).answers:
            if answer.is_system or expected.startswith(f"{answer.prefix}/"):
                return not answer.is_system
        return False

    def run(self, command: str, cwd: str, shell: list[str]) -> str:
        done = self.shims.run(command, cwd, self.env, shell)
        assert done.stderr == ""
        assert done.returncode == 0
        return done.stdout.strip()

    def age(self) -> None:
        """Set the memos' times to now, which `check` had put into the future to see them used."""
        now = time.time_ns()
        home = self.shims.layout.home
        paths = [self.shims.layout.memo(directory) for directory in (*self.directories, "/")]
        if os.path.isdir(f"{home}/aliases"):
            paths += [f"{home}/aliases/{name}" for name in os.listdir(f"{home}/aliases")]
        for path in paths:
            if os.path.exists(path) and os.stat(path).st_mtime_ns > now:
                os.utime(path, ns=(now - 20_000_000, now - 20_000_000))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_shim_and_the_resolver_choose_the_same(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    available = shells()
    name = list(available)[seed % len(available)]
    case = Case(rng, str(tmp_path))
    fast = 0
    for step in range(STEPS):
        case.change()
        try:
            fast += case.check(available[name])[1]
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {step}, {name}: {error}") from error
    assert fast > STEPS // 10, "the fast path was hardly ever taken: the test proves nothing"

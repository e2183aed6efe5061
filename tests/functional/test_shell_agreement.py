"""The hook and the shim recognise the same answers, whatever a directory tree looks like.

The hook enters exactly the environment that the shim would run from without asking, and nothing
where the shim asks (`slow`) or would run an installation.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from bubble.cli.completions import completions
from bubble.model.errors import BubbleError
from bubble.selection.shell import quoted, render_init
from support.needs import FULL
from support.shells import HOOKED, name_of
from support.shimworld import ShimWorld, write

if TYPE_CHECKING:
    from pathlib import Path

FILES = (".python-version", ".python-versions", ".tool-versions", "pyproject.toml")
TEXTS = {
    ".python-version": ("3.11\n", "3.12", "site\n", "site\n3.11\n", "# none\n", "4\n", "3.11\r\n"),
    ".python-versions": ("3.11\n", "3.12\n"),
    ".tool-versions": ("python 3.11\n", "nodejs 1\n"),
    "pyproject.toml": ('[project]\nrequires-python = ">=3.12"\n', "[tool.x]\n"),
}
VERSIONS = ("cpython-3.11.7", "cpython-3.12.1")
STEPS = 600 if FULL else 120


class Tree:
    """A store, four nested directories, and random changes to what they say."""

    def __init__(self, rng: random.Random, root: str) -> None:
        self.rng = rng
        self.shims = ShimWorld(root)
        for name in VERSIONS:
            self.shims.install(name)
        site = f"{self.shims.layout.envs}/site"
        self.shims.environment(site, VERSIONS[1], "bubble")
        self.shims.register(site, "bubble", name="site")
        self.directories = [f"{self.shims.tree}{end}" for end in ("", "/a", "/a/b", "/a/b/c d")]
        os.makedirs(self.directories[-1])
        self.env = {"PATH": f"{self.shims.layout.shims}:/usr/bin:/bin", "HOME": root}
        for directory in self.directories[:3]:
            self.make_environment(directory)

    def make_environment(self, directory: str) -> None:
        path = f"{directory}/.venv"
        shutil.rmtree(path, ignore_errors=True)
        maker = self.rng.choice(("bubble", "uv", "nobody"))
        self.shims.environment(path, self.rng.choice(VERSIONS), maker)
        if maker != "nobody":
            self.shims.register(path, maker)

    def change(self) -> None:
        path = f"{self.rng.choice(self.directories)}/{self.rng.choice(FILES)}"
        memo = self.shims.layout.answer(os.path.dirname(path))
        if os.path.lexists(path):
            os.unlink(path)
        match self.rng.randrange(12):
            case 0:
                os.symlink("nothing", path)
            case 1 if os.path.exists(memo):
                os.truncate(memo, self.rng.randint(0, os.path.getsize(memo)))
            case 2:
                self.shims.changed()
            case 3:
                self.make_environment(self.rng.choice(self.directories))
            case 4:
                shutil.rmtree(f"{self.rng.choice(self.directories)}/.venv", ignore_errors=True)
            case 5 | 6 | 7 | 8:
                write(path, self.rng.choice(TEXTS[os.path.basename(path)]))
                then = time.time() - self.rng.choice((0, 5, 100_000))
                os.utime(path, (then, then))

    def answer(self, cwd: str) -> None:
        """Leave the resolver's memos, seen from a directory."""
        try:
            self.shims.resolve("python", cwd, self.env, leave=True)
        except BubbleError:
            pass

    def shim(self, cwd: str) -> str:
        """Return the prefix that the shim runs `python` from, or `slow`."""
        done = self.shims.run("python", cwd, self.env)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip().removesuffix("/bin/python")


@pytest.mark.parametrize(("shell", "program"), HOOKED, ids=name_of)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_hook_enters_what_the_shim_would_run(
    shell: str, program: list[str], seed: int, tmp_path: Path
) -> None:
    import subprocess

    rng = random.Random(seed)
    tree = Tree(rng, str(tmp_path / "world"))
    layout = tree.shims.layout
    code = f"{tree.shims.root}/code"
    filling = completions(shell, layout)
    write(
        code,
        render_init(shell, "/program", layout, filling, hook=True, export_home=False)
        + (
            '\necho "<$VIRTUAL_ENV>"\n'
            if shell == "fish"
            else '_bubble_hook\necho "<${VIRTUAL_ENV-}>"\n'
        ),
    )
    entered = 0
    for step in range(STEPS):
        tree.change()
        if rng.random() < 0.7:
            tree.answer(rng.choice(tree.directories))
        cwd = rng.choice(tree.directories)
        ran = tree.shim(cwd)
        done = subprocess.run(
            [*program, "-c", f"{'source' if shell == 'fish' else '.'} {quoted(code, shell)}"],
            cwd=cwd,
            env={**tree.env, "PWD": cwd},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        expected = "" if ran == "slow" or ran.startswith(layout.pythons) else ran
        assert (done.stdout, done.stderr) == (f"<{expected}>\n", ""), f"seed {seed}, step {step}"
        entered += bool(expected)
    assert STEPS // 12 < entered < STEPS, "one of the two answers was hardly ever given"

"""An environment with real packages, made once for a module's tests, and its command line."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from support.builds import interpreters
from support.compiled_pip import adopted, compile_pip
from support.needs import NEEDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SCRUBBED = (
    *("PYENV_", "VIRTUAL_ENV", "PYTHON", "UV_", "BUBBLE_", "PIP_TARGET", "PIP_USER"),
    *("POETRY_", "PDM_", "HATCH_"),
)
_NO_INDEX = ("No matching distribution", "Connection", "connection")


@dataclass(frozen=True)
class Used:
    """An environment with packages at `path`, and the variables of whoever uses it."""

    root: str
    path: str
    env: dict[str, str]

    def bubble(
        self, *arguments: str, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        program = os.path.join(os.path.dirname(sys.executable), "bubble")
        return self.run(program, *arguments, cwd=cwd, env=env)

    def run(
        self, *argv: str, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            env={**self.env, **(env or {})},
            cwd=cwd or self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def says(
        self, command: str, *arguments: str, cwd: str = "", env: Mapping[str, str] | None = None
    ) -> str:
        """Return what a command of the environment prints, called by its own path."""
        done = self.run(f"{self.path}/bin/{command}", *arguments, cwd=cwd, env=env)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout


def used(root: str, home: str, name: str, packages: tuple[str, ...]) -> Used:
    """Make an environment `name` in BUBBLE_HOME `home`, with packages of the index, by pip.

    `root` is a scratch directory. All paths are absolute. Skips the calling test where there is no
    index.
    """
    clean = {n: v for n, v in os.environ.items() if not n.startswith(_SCRUBBED)}
    env = {
        **clean,
        "BUBBLE_HOME": home,
        "BUBBLE_CACHE_DIR": f"{root}/cache",
        "BUBBLE_PROGRESS_AFTER": "86400",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    made = Used(root=root, path=f"{home}/envs/{name}", env=env)
    known = [prefix for version, prefix in interpreters() if version.startswith("3.11.")]
    prefix = known[-1] if known else sys.base_prefix
    done = made.bubble("python", "adopt", prefix, "--json")
    assert done.returncode == 0, done.stderr
    compile_pip(env, adopted(done.stdout, prefix))
    done = made.bubble("create", name, *packages, "--installer", "pip")
    if any(word in done.stderr for word in _NO_INDEX):
        pytest.skip(f"{NEEDS}the package index")
    assert done.returncode == 0, done.stderr
    return made

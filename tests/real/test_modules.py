"""The modulefiles of docs/how-to/shared-machines.md, loaded by Environment Modules itself."""

from __future__ import annotations

import os
import subprocess

import pytest

from support.builds import small_mirror
from support.clinic import write
from support.needs import LINUX_ONLY, not_here, which
from support.pages import Block, parts, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

pytestmark = LINUX_ONLY
PAGE = "docs/how-to/shared-machines.md"


class Modules:
    """The page's modulefiles, with a store of this test's in the place of /opt/bubble."""

    def __init__(self, root: Path, bubble: Callable[..., Result], env: dict[str, str]) -> None:
        self.modulecmd = which("modulecmd") or not_here("apt install environment-modules")
        self.root, self.system, self.env = str(root), f"{root}/everybodys", env
        self._bubble = bubble
        self.said = {
            "BUBBLE_CATALOG": small_mirror(f"{root}/mirror", ["3.12.1", "3.12.4"]),
            "BUBBLE_SYSTEM_HOME": self.system,
        }
        for line in ("python install 3.12.1", "create lab -p 3.12 --no-pip"):
            done = bubble("--system", *line.split(), env=self.said)
            assert done.status == 0, done.err
        texts = [
            "\n".join(b.lines)
            for b in parts(text_of(PAGE))
            if isinstance(b, Block) and b.language == "tcl"
        ]
        assert len(texts) == 2
        for name, text in zip(("python/3.12", "lab/1"), texts, strict=True):
            path = f"{root}/modulefiles/{name}"
            write(path, f"{text.replace('/opt/bubble', self.system)}\n")

    def upgrade(self) -> Result:
        return self._bubble("--system", "python", "upgrade", env=self.said)

    def run(self, script: str) -> list[str]:
        """Run a script of bash that has the function `module`; return the lines of stdout."""
        head = f'module() {{ eval "$({self.modulecmd} bash "$@")"; }}\n'
        done = subprocess.run(
            ["bash", "-ec", head + script],
            env={**self.env, "MODULEPATH": f"{self.root}/modulefiles"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout.splitlines()


@pytest.fixture
def modules(tmp_path: Path, bubble: Callable[..., Result], env: dict[str, str]) -> Modules:
    return Modules(tmp_path, bubble, env)


def test_a_module_gives_its_python_follows_an_upgrade_and_is_unloaded(modules: Modules) -> None:
    load = """
    before=$PATH
    module load python/3.12
    python -V
    command -v python
    echo "$BUBBLE_SYSTEM_HOME"
    module unload python/3.12
    [ "$PATH" = "$before" ]
    echo "${BUBBLE_SYSTEM_HOME-gone}"
    """
    python = f"{modules.system}/pythons/3.12/bin/python"
    assert modules.run(load) == ["Python 3.12.1", python, modules.system, "gone"]
    assert modules.upgrade().status == 0
    assert modules.run(load)[0] == "Python 3.12.4"


def test_a_module_enters_an_environment_and_only_one_is_loaded(modules: Modules) -> None:
    said = modules.run("""
    module load lab/1
    command -v python
    echo "$VIRTUAL_ENV"
    module unload lab/1
    echo "${VIRTUAL_ENV-gone}"
    """)
    lab = f"{modules.system}/envs/lab"
    assert said == [f"{lab}/bin/python", lab, "gone"]
    assert os.path.isdir(lab)

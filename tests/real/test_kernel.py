"""Jupyter and editors against real environments: packages from the package index, nothing doubled.

Each test is skipped where the package index can't be reached.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from support.builds import packed_mirror
from support.needs import NEEDS, needs, which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

pytestmark = pytest.mark.real

CELL = """
import json, sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="lab", startup_timeout=60)
try:
    shown = []
    def show(message):
        if message["msg_type"] == "stream":
            shown.append(message["content"]["text"])
    cell = "import sys; print(sys.prefix)\\n!python -c 'import sys; print(sys.prefix)'\\n!pip -V"
    reply = client.execute_interactive(cell, output_hook=show, timeout=60)
    print(json.dumps([reply["content"]["status"], "".join(shown).split()]))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


@pytest.fixture
def world(bubble: Callable[..., Result]) -> Callable[..., Result]:
    """Return bubble, with a real 3.11 installed."""
    catalogue = f"{packed_mirror(['3.11'])}/catalogue.json"

    def run(*arguments: str) -> Result:
        return bubble(*arguments, env={"BUBBLE_CATALOG": catalogue}, timeout=300)

    done = run("python", "install", "3.11")
    assert done.status == 0, done.err
    return run


def install(world: Callable[..., Result], name: str, *packages: str) -> str:
    """Make an environment with packages from the index, or skip; return its path."""
    made = world("create", name, "-p", "3.11")
    assert made.status == 0, made.err
    done = world("run", name, "python", "-m", "pip", "install", "--quiet", *packages)
    if done.status and any(t in done.err for t in ("ConnectionError", "No matching distribution")):
        pytest.skip(f"{NEEDS}the package index")
    assert done.status == 0, done.err
    return os.path.join(os.environ["BUBBLE_HOME"], "envs", name)


def test_a_kernel_starts_in_its_environment_and_runs_a_cell(
    world: Callable[..., Result], tmp_path: Path
) -> None:
    path = install(world, "lab", "ipykernel")
    install(world, "jupyter", "jupyter_client")
    assert world("kernel", "install", "lab").status == 0
    client = tmp_path / "client.py"
    client.write_text(CELL)
    for name in ("lab", "other"):
        if name != "lab":
            assert world("rename", "lab", name).status == 0
        root = os.path.join(os.path.dirname(path), name)
        done = world("run", "jupyter", "python", str(client))
        assert done.status == 0, done.err
        status, said = done.json
        assert status == "ok"
        assert said[:2] == [root, root], "the cell, and what it runs by `!`"
        assert any(word.startswith(f"{root}/lib") for word in said), "!pip is the kernel's"
    listed = world("run", "jupyter", "python", "-m", "jupyter_client.kernelspecapp", "list")
    assert "lab" in listed.out
    assert world("remove", "other").status == 0
    assert not (tmp_path / "home/.local/share/jupyter/kernels/lab").exists()


JEDI = """
import json, sys, jedi
found = jedi.find_virtualenvs(paths=[sys.argv[1]], safe=False, use_environment_vars=False)
print(json.dumps([[e.path, e.version_info[:2]] for e in found]))
"""


def test_named_environments_are_found_by_what_editors_use(world: Callable[..., Result]) -> None:
    path = install(world, "tools", "jedi")
    assert world("create", "second", "-p", "3.11", "--no-pip").status == 0
    home = os.path.dirname(path)
    done = world("run", "tools", "python", "-c", JEDI, home)
    assert done.status == 0, done.err
    assert sorted(done.json) == [[f"{home}/second", [3, 11]], [path, [3, 11]]]


def test_virtualenv_finds_the_directorys_python_by_the_shims(
    world: Callable[..., Result], env: dict[str, str], tmp_path: Path
) -> None:
    path = install(world, "tools", "virtualenv")
    shims = os.path.join(env["BUBBLE_HOME"], "shims")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/.python-version").write_text("3.11\n")
    for asked in ("3.11", "python3.11", f"{path}/bin/python"):
        done = subprocess.run(
            [f"{path}/bin/virtualenv", "--no-download", "--no-seed", "-p", asked, "made"],
            cwd=tmp_path / "project",
            env={**env, "PATH": f"{shims}:{env['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        ran = subprocess.run(
            [tmp_path / "project/made/bin/python", "-c", "import sys; print(sys.base_prefix)"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.startswith(f"{env['BUBBLE_HOME']}/pythons/"), asked


@needs("bash")
def test_workon_home_makes_named_environments_those_of_virtualenvwrapper(
    world: Callable[..., Result], env: dict[str, str]
) -> None:
    path = install(world, "tools", "virtualenvwrapper")
    assert world("create", "train", "-p", "3.11", "--no-pip").status == 0
    home = os.path.dirname(path)
    script = f"""
export WORKON_HOME={home} VIRTUALENVWRAPPER_PYTHON={path}/bin/python
export VIRTUALENVWRAPPER_VIRTUALENV={path}/bin/virtualenv VIRTUALENVWRAPPER_HOOK_DIR=$HOME
. {path}/bin/virtualenvwrapper.sh
lsvirtualenv -b
workon train
python -c 'import sys; print("in", sys.prefix)'
"""
    done = subprocess.run(
        [str(which("bash")), "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"tools", "train", f"in {home}/train"} <= set(done.stdout.split("\n")), done.stdout

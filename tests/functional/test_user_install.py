"""bubble as `pip install --user` leaves it: whatever starts it again must find it there.

Its files lie where that puts them; what it needs comes from this test's own environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig

import pytest

import bubble as package
from bubble.pythons.probing.isolation import MAIN, own_options
from bubble.selection.templates import template_path
from support.clinic import program
from support.handmade import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout

PYTHON = getattr(sys, "_base_executable", sys.executable)
MINOR = f"python{sys.version_info[0]}.{sys.version_info[1]}"
SOURCE = os.path.dirname(os.path.abspath(package.__file__))


class User:
    """A user whose bubble lies in his own site-packages, below `base`."""

    def __init__(self, env: dict[str, str], kind: str, base: str) -> None:
        self.env = env if kind != "elsewhere" else {**env, "PYTHONUSERBASE": base}
        packages = f"{base}/lib/{MINOR}/site-packages"
        needed = sysconfig.get_path("purelib")
        if kind == "editable":
            write(f"{packages}/_bubble.pth", f"{os.path.dirname(SOURCE)}\n{needed}\n")
        else:
            write(f"{packages}/needed.pth", f"{needed}\n")
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(SOURCE, f"{packages}/bubble", ignore=ignored)
            shims = os.path.dirname(template_path())
            shutil.copytree(shims, f"{packages}/bubble/shims", dirs_exist_ok=True)

    def run(self, *argv: str, cwd: str = "/", **more: str) -> str:
        done = subprocess.run(
            argv,
            env={**self.env, **more},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.strip()

    def bubble(self, *words: str, **more: str) -> str:
        return self.run(PYTHON, "-c", MAIN, *words, **more)


@pytest.fixture(params=["copied", "editable", "elsewhere"])
def user(request: pytest.FixtureRequest, env: dict[str, str], tmp_path: Path) -> User:
    base = f"{tmp_path}/base" if request.param == "elsewhere" else f"{env['HOME']}/.local"
    return User(env, request.param, base)


def test_its_shims_ask_it(user: User, layout: Layout, tmp_path: Path) -> None:
    user.bubble("python", "adopt", sys.base_prefix)
    version = sys.version.split()[0]
    pinned = os.path.dirname(write(f"{tmp_path}/project/.python-version", f"{version}\n"))
    for name in ("packaging", "json", "typing"):
        write(f"{pinned}/{name}/__init__.py", "raise SystemExit('of the directory')\n")
    path = f"{layout.shims}:/usr/bin:/bin"
    for shim in (f"{layout.shims}/python", f"{layout.shims}/python3"):
        asked = "import platform; print(platform.python_version())"
        assert user.run(shim, "-I", "-c", asked, cwd=pinned, PATH=path) == version


def test_a_rehash_by_its_shim_changes_nothing(user: User, layout: Layout) -> None:
    user.bubble("python", "adopt", sys.base_prefix)
    with open(layout.shim) as file:
        before = file.read()
    assert "@options@" not in before
    options = "-P" if "PYTHONUSERBASE" in user.env else "-E -P"
    again = [PYTHON, *options.split(), "-c", MAIN, "rehash"]
    user.run(*again)
    with open(layout.shim) as file:
        assert file.read() == before


def test_what_a_shell_runs_is_its_own_script(user: User, layout: Layout) -> None:
    base = user.env.get("PYTHONUSERBASE", f"{user.env['HOME']}/.local")
    script = program(f"{base}/bin/bubble", "exit 0")
    user.bubble("python", "adopt", sys.base_prefix)
    user.bubble("init", "bash", "--install")
    with open(f"{layout.home}/init.bash") as file:
        before = file.read()
    assert f"({script})" in before.partition("\n")[0]
    user.bubble("rehash")
    with open(f"{layout.home}/init.bash") as file:
        assert file.read() == before


def test_its_doctor_mends_by_it(user: User, layout: Layout) -> None:
    user.bubble("python", "adopt", sys.base_prefix)
    os.unlink(f"{layout.shims}/python3")
    path = f"{layout.shims}:/usr/bin:/bin"
    assert "rehash" in user.bubble("doctor", "--fix", PATH=path)
    assert os.path.exists(f"{layout.shims}/python3")


def test_it_goes_on_isolated_where_a_variable_misleads(user: User, tmp_path: Path) -> None:
    user.bubble("python", "adopt", sys.base_prefix)
    if "PYTHONUSERBASE" not in user.env:  # an interpreter heeds that with the others, or not at all
        write(f"{tmp_path}/led/json/__init__.py", "raise SystemExit('led')\n")
    assert "adopted" in user.bubble("python", "list", "--json", PYTHONPATH=f"{tmp_path}/led")


def test_in_an_environment_of_its_own_it_is_isolated_from_the_user() -> None:
    assert own_options() == ("-I",)


@pytest.mark.parametrize("there", ["nothing", "others", "a file"])
def test_what_a_user_has_beside_it_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: str
) -> None:
    site = sys.modules["site"]
    monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
    monkeypatch.setattr(site, "USER_SITE", f"{tmp_path}/user")
    if there == "others":
        write(f"{tmp_path}/user/x.pth", "import x\n\n/nonexistent\n")
    elif there == "a file":
        write(f"{tmp_path}/user", "")
    assert own_options() == ("-I",)

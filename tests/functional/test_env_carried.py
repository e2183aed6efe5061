"""An environment that came from another machine or another user's store: taken in, and mended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from bubble.envs.making.adopt import request_of
from bubble.selection import registry
from bubble.system.pyvenv_cfg import read_configuration
from support.clinic import PLATFORM, Clinic, write
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


def clinic_of(name: str, root: Path, env: dict[str, str], version: str) -> Clinic:
    home = root / name
    home.mkdir()
    places = {"BUBBLE_HOME": f"{home}/store", "BUBBLE_CACHE_DIR": f"{home}/cache"}
    return Clinic(str(home), {**env, **places, "HOME": str(home)}, [version])


@pytest.fixture
def alice(tmp_path: Path, env: dict[str, str]) -> Clinic:
    return clinic_of("alice", tmp_path, env, "3.11.2")


@pytest.fixture
def bob(tmp_path: Path, env: dict[str, str]) -> Clinic:
    return clinic_of("bob", tmp_path, env, "3.11.9")


def carried(alice: Clinic, bob: Clinic, *arguments: str) -> str:
    """Make alice's project's environment, copy it to bob, and return his project."""
    project = f"{alice.root}/site"
    os.mkdir(project)
    alice.run("create", "--no-pip", *arguments, cwd=project)
    shutil.copytree(project, f"{bob.root}/site", symlinks=True)
    return f"{bob.root}/site"


def attempt(clinic: Clinic, *arguments: str, cwd: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bubble", *arguments],
        env=clinic.env,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def known(clinic: Clinic, project: str) -> registry.Environment:
    found = registry.of_directory(clinic.layout, project)
    assert found is not None
    return found


def test_it_is_repaired_to_the_minor_that_it_was_made_for(alice: Clinic, bob: Clinic) -> None:
    project = carried(alice, bob, "-p", "3.11")
    shutil.rmtree(alice.root)
    refused = attempt(bob, "repair", cwd=project)
    assert f"bubble adopt {project}/.venv" in refused.stderr
    bob.run("adopt", ".", cwd=project)
    said = bob.run("repair", cwd=project)
    assert "linked it to cpython-3.11.9" in said
    environment = known(bob, project)
    assert environment.request == "3.11"
    assert environment.interpreter == f"{bob.layout.pythons}/3.11"
    assert read_configuration(environment.path)["home"] == f"{bob.layout.pythons}/3.11/bin"
    assert os.path.realpath(f"{environment.path}/bin/python").startswith(bob.key("3.11.9"))
    info = json.loads(bob.run("info", "--json", cwd=project))["data"]
    assert (info["state"], info["request"]) == ("ok", "3.11")


def test_one_for_an_exact_build_waits_for_that(alice: Clinic, bob: Clinic) -> None:
    project = carried(alice, bob, "-p", "3.11.2")
    shutil.rmtree(alice.root)
    bob.run("adopt", ".", cwd=project)
    refused = attempt(bob, "repair", cwd=project)
    assert refused.returncode == 1
    assert "bubble python install 3.11.2" in refused.stderr


def test_it_leaves_another_users_interpreter_for_ones_own(alice: Clinic, bob: Clinic) -> None:
    project = carried(alice, bob, "-p", "3.11")
    bob.run("adopt", ".", cwd=project)
    assert known(bob, project).interpreter.startswith(alice.layout.pythons)
    assert "linked it to cpython-3.11.9" in bob.run("repair", cwd=project)
    assert os.path.realpath(f"{project}/.venv/bin/python").startswith(bob.key("3.11.9"))
    assert bob.run("repair", "--json", cwd=project).count("linked") == 0
    kept = read_configuration(f"{alice.root}/site/.venv")["home"]
    assert kept == f"{alice.layout.pythons}/3.11/bin"


def test_where_no_interpreter_of_ones_own_fits_that_is_told(
    alice: Clinic, tmp_path: Path, env: dict[str, str]
) -> None:
    bob = clinic_of("bob", tmp_path, env, "3.12.4")
    project = carried(alice, bob, "-p", "3.11")
    bob.run("adopt", ".", cwd=project)
    done = attempt(bob, "repair", cwd=project)
    assert done.returncode == 0
    assert f"it runs {alice.layout.pythons}/3.11, which is not of this store" in done.stderr
    assert "bubble python install 3.11" in done.stderr
    assert os.path.realpath(f"{project}/.venv/bin/python").startswith(alice.key("3.11.2"))


@pytest.mark.parametrize(
    ("values", "request_text"),
    [
        ({"home": "/x/pythons/3.12/bin", "version_info": "3.12.9"}, "3.12"),
        ({"home": "/x/pythons/3.13+debug/bin", "version_info": "3.13.1"}, "3.13+debug"),
        ({"home": "/x/pythons/pypy3.10/bin", "version_info": "3.10.14"}, "pypy3.10"),
        ({"home": f"/x/pythons/cpython-3.12.9-{PLATFORM}/bin", "version_info": "3.12.9"}, "3.12.9"),
        ({"home": "/x/pythons/../../etc/bin", "version_info": "3.12.9"}, "3.12"),
        ({"home": "/usr/bin", "version_info": "3.12.9"}, "3.12"),
        ({"home": "/usr/bin", "version_info": "3.10.4", "implementation": "PyPy"}, "pypy3.10"),
        ({"home": "/usr/bin", "version_info": "3.12"}, "3.12"),
        ({"home": "/usr/bin"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_what_it_was_made_for_is_read_from_its_own_files(
    tmp_path: Path, values: dict[str, Any], request_text: str
) -> None:
    ours = {**values, "bubble": "0.1.0"}
    write(f"{tmp_path}/pyvenv.cfg", "".join(f"{k} = {v}\n" for k, v in ours.items()))
    assert request_of(str(tmp_path), read_configuration(str(tmp_path))) == request_text


def test_another_tools_is_taken_as_it_is(tmp_path: Path) -> None:
    write(f"{tmp_path}/pyvenv.cfg", "home = /usr/bin\nversion = 3.12.9\n")
    assert request_of(str(tmp_path), read_configuration(str(tmp_path))) == "3.12.9"


@pytest.mark.parametrize("how", ["copied", "moved"])
def test_what_lies_in_anothers_place_is_mended_by_the_command_that_is_told(
    bob: Clinic, how: str
) -> None:
    first, second = (f"{bob.root}/{name}" for name in ("first", "second"))
    for project in (first, second):
        os.mkdir(project)
        bob.run("create", "--no-pip", "-p", "3.11", cwd=project)
    shutil.rmtree(first)
    if how == "copied":
        shutil.copytree(second, first, symlinks=True)
    else:
        os.rename(second, first)
    for command in ("list", "info", "which python", "doctor", "adopt ."):
        done = attempt(bob, *command.split(), cwd=first)
        assert f"bubble repair {first}/.venv" in done.stdout + done.stderr, command
        assert "bubble adopt" not in done.stdout + done.stderr, command
    bob.run("repair", f"{first}/.venv", cwd="/")
    assert json.loads(bob.run("info", "--json", cwd=first))["data"]["state"] == "ok"


def test_a_named_one_of_another_tool_that_was_moved_keeps_its_name(bob: Clinic) -> None:
    old, new = (f"{bob.root}/{name}" for name in ("old", "new"))
    write(f"{old}/pyvenv.cfg", f"home = {bob.prefix}/bin\nversion = 3.11.9\n")
    os.mkdir(f"{old}/bin")
    os.symlink(f"{bob.prefix}/bin/python", f"{old}/bin/python")
    bob.run("adopt", old, "--name", "theirs")
    os.rename(old, new)
    refused = attempt(bob, "repair", new, cwd="/")
    assert f"bubble adopt {new}" in refused.stderr
    bob.run("adopt", new)
    (only,) = json.loads(bob.run("list", "--json"))["data"]
    assert (only["name"], only["path"], only["state"]) == ("theirs", new, "foreign")

"""Editable installs of every build backend, wherever a project and its environment are carried."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess

import pytest

from support.editables import KINDS, REBUILT, plant
from support.environments import adopt_python, create, names_in, says
from support.handmade import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from support.environments import Bubble

# a space, quotes of every kind, what URLs, shells and Python escape, letters that aren't ASCII
PLACES = ("my work", "Anna's", 'do"uble', "50%20", "josé ß", "c# $x;", "back\\n", 'it\'s "both", é')
_WHERE = """
import importlib, json, os, sys
found = {}
for kind in sys.argv[1:]:
    name = "name.space.nested" if kind == "nested" else kind
    try:
        module = importlib.import_module(name)
        found[kind] = os.path.realpath(module.__file__ or list(module.__path__)[0])
    except Exception as error:
        found[kind] = repr(error)
print(json.dumps(found))
"""


@pytest.fixture
def start(bubble: Bubble, tmp_path: Path) -> str:
    """Return a project in whose `.venv` each kind is installed for editing."""
    adopt_python(bubble)
    directory = f"{tmp_path}/start"
    os.mkdir(directory)
    path = create(bubble, "", "--no-pip", cwd=directory)
    plant(path, packages_of(path), directory)
    spec = {"argv": [f"{path}/bin/python", "-m"], "env": {"PATH": f"{path}/bin:${{PATH}}"}}
    write(f"{path}/share/jupyter/kernels/mine/kernel.json", json.dumps(spec))
    by_hand = f"#!/bin/sh\nPATH='{path}/bin':$PATH\nprintf %s \"$PATH\"\n"
    os.chmod(write(f"{path}/bin/by-hand", by_hand), 0o755)
    return directory


def packages_of(path: str) -> str:
    (library,) = [n for n in os.listdir(f"{path}/lib") if n.startswith("python")]
    return f"{path}/lib/{library}/site-packages"


def found_from(path: str) -> dict[str, str]:
    """Return where each kind is imported from, by a new process."""
    done = subprocess.run(
        [f"{path}/bin/python", "-c", _WHERE, *KINDS], capture_output=True, check=True, cwd="/"
    )
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


def expected(project: str) -> dict[str, str]:
    return {kind: f"{project}/{kind}/src/{kind}/__init__.py" for kind in KINDS}


def wrong(path: str, project: str) -> dict[str, str]:
    right = expected(project)
    return {kind: place for kind, place in found_from(path).items() if place != right[kind]}


def test_each_kind_runs_the_projects_code(start: str) -> None:
    assert wrong(f"{start}/.venv", start) == {}


def test_a_project_that_moves_takes_its_code_along(bubble: Bubble, start: str) -> None:
    here = start
    parent = os.path.dirname(start)
    for place in (*PLACES, "plain"):
        before, here = here, f"{parent}/{place}"
        os.rename(before, here)
        done = bubble("repair", ".", cwd=here)
        assert done.status == 0, done.err
        path = f"{here}/.venv"
        assert set(wrong(path, here)) == set(REBUILT), place
        assert_named(done.err)
        with open(f"{path}/share/jupyter/kernels/mine/kernel.json") as file:
            spec = json.load(file)
        assert spec["argv"] == [f"{path}/bin/python", "-m"]
        assert spec["env"]["PATH"].replace("$$", "$") == f"{path}/bin:${{PATH}}"
        assert says(path, "by-hand", {"PATH": "/bin"}) == f"{path}/bin:/bin"
    for left in ("start", *PLACES):
        assert names_in(f"{here}/.venv", f"{parent}/{left}/") == []


def assert_named(said: str) -> None:
    """Whether what could not be mended is named, with the command that does it, and no more."""
    lines = [line for line in said.splitlines() if "reinstall it" in line]
    assert len(lines) == len(REBUILT), said
    for kind, line in zip(sorted(REBUILT), sorted(lines), strict=True):
        assert line.startswith(f"warning: {kind} is installed for editing, and it ")
        assert "uv pip install --python " in line
    assert "--config-settings editable_mode=strict -e " in said


@pytest.mark.parametrize("place", PLACES)
def test_a_copy_runs_its_own_code_and_the_original_its(
    bubble: Bubble, start: str, place: str
) -> None:
    copy = f"{os.path.dirname(start)}/{place}"
    shutil.copytree(start, copy, symlinks=True)
    done = bubble("repair", ".", cwd=copy)
    assert done.status == 0, done.err
    assert_named(done.err)
    assert set(wrong(f"{copy}/.venv", copy)) == set(REBUILT)
    assert wrong(f"{start}/.venv", start) == {}
    back = f"{os.path.dirname(start)}/back"
    shutil.copytree(copy, back, symlinks=True)
    assert bubble("repair", ".", cwd=back).status == 0
    assert set(wrong(f"{back}/.venv", back)) == set(REBUILT)
    again = bubble("repair", ".", cwd=back)
    assert_named(again.err)


@pytest.mark.parametrize("place", PLACES)
def test_a_clone_runs_the_code_that_the_original_runs(
    bubble: Bubble, start: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / place).mkdir()
    done = bubble("clone", f"{start}/.venv", f"{tmp_path}/{place}/.venv")
    assert done.status == 0, done.err
    assert "reinstall" not in done.err
    assert wrong(f"{tmp_path}/{place}/.venv", start) == {}
    assert names_in(f"{tmp_path}/{place}/.venv", f"{start}/.venv") == []
    record = f"{packages_of(f'{tmp_path}/{place}/.venv')}/linked-1.0.dist-info/RECORD"
    with open(record, newline="") as file:
        listed = [row[0] for row in csv.reader(file)]
    assert f"{tmp_path}/{place}/.venv/bin/linked" in listed


@pytest.mark.parametrize("place", PLACES[:2])
def test_scripts_of_a_packed_environment_get_its_python(
    bubble: Bubble, start: str, tmp_path: Path, place: str
) -> None:
    """As tools that pack environments leave them: relative activation, any python."""
    copy = f"{tmp_path}/{place}"
    shutil.copytree(start, copy, symlinks=True)
    script = write(
        f"{copy}/.venv/bin/tool", "#!/usr/bin/env python\nimport sys; print(sys.prefix)\n"
    )
    os.chmod(script, 0o755)
    other = write(f"{copy}/.venv/bin/other", "#!/usr/bin/env perl\n")
    write(f"{copy}/.venv/bin/activate", 'VIRTUAL_ENV="$(dirname "$0")/.."\n')
    assert bubble("repair", ".", cwd=copy).status == 0
    assert says(f"{copy}/.venv", "tool", {"PATH": "/nowhere"}) == f"{copy}/.venv"
    assert set(wrong(f"{copy}/.venv", copy)) == set(REBUILT)
    with open(other) as file:
        assert file.read() == "#!/usr/bin/env perl\n"


def test_a_neighbour_whose_name_begins_alike_stays(bubble: Bubble, start: str) -> None:
    """`start copy` isn't `start`: what is installed from there isn't moved along."""
    other = f"{start} copy"
    packages = packages_of(f"{start}/.venv")
    write(f"{other}/src/neighbour.py")
    write(f"{packages}/__editable__.neighbour.pth", f"{other}/src\n")
    moved = f"{os.path.dirname(start)}/moved"
    os.rename(start, moved)
    assert bubble("repair", ".", cwd=moved).status == 0
    packages = packages_of(f"{moved}/.venv")
    with open(f"{packages}/__editable__.neighbour.pth") as file:
        assert file.read() == f"{other}/src\n"


def test_projects_beside_it_that_were_moved_along_are_found_again(
    bubble: Bubble, tmp_path: Path
) -> None:
    adopt_python(bubble)
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "app").mkdir()
    app = f"{tmp_path}/all/app"
    path = create(bubble, "", "--no-pip", cwd=app)
    (tmp_path / "all" / "libs").mkdir()
    plant(path, packages_of(path), f"{tmp_path}/all/libs")
    os.rename(tmp_path / "all", tmp_path / "all of it")
    app = f"{tmp_path}/all of it/app"
    assert bubble("repair", ".", cwd=app).status == 0
    libs = f"{tmp_path}/all of it/libs"
    assert set(wrong(f"{app}/.venv", libs)) == {*REBUILT, "develop"}, "that says no project"


def test_what_was_compiled_from_a_loader_is_not_used_again(
    bubble: Bubble, start: str, tmp_path: Path
) -> None:
    """A copy of the same length, made in the same second: nothing tells the bytecode from it."""
    found_from(f"{start}/.venv")
    copy = str(tmp_path / "spare")
    assert len(copy) == len(start)
    shutil.copytree(start, copy, symlinks=True)
    loaders = [f"{packages_of(f'{root}/.venv')}/_editable_impl_mapped.py" for root in (start, copy)]
    assert bubble("repair", ".", cwd=copy).status == 0
    info = os.stat(loaders[0])
    os.utime(loaders[1], ns=(info.st_atime_ns, info.st_mtime_ns))
    assert found_from(f"{copy}/.venv")["mapped"] == expected(copy)["mapped"]


def test_an_editable_install_whose_project_is_gone_is_named(bubble: Bubble, start: str) -> None:
    shutil.rmtree(f"{start}/finder")
    done = bubble("repair", ".", cwd=start)
    assert done.status == 0
    assert f"finder is installed for editing, and its project is gone: {start}/finder" in done.err
    found = {f["id"]: f for f in bubble("doctor", "--json", cwd=start).json["data"]["findings"]}
    assert "-e PATH" in found["env.editable"]["fix"]

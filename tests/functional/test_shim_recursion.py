"""No arrangement of PATH and links makes a shim run itself for ever: an answer, at once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.selection.become import DEPTH
from bubble.selection.shims import rehash
from support.needs import LINUX_ONLY, needs, not_here, which
from support.patience import PATIENCE
from support.realshims import WAYS, RealShims
from support.shimworld import counted, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [LINUX_ONLY, needs("strace")]
WHERE = ("-c", "import sys; print(sys.prefix)")
_MOST = 24  # processes and programs that one call may come to; a loop has no end


@pytest.fixture
def shims(tmp_path: Path) -> RealShims:
    return RealShims(str(tmp_path))


def call(
    shims: RealShims, path: str, *argv: str, cwd: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command with a PATH; end it, and fail, when it starts more than a few programs."""
    log = f"{shims.root}/execs"
    limits = [
        str(which("strace")),
        "-f",
        "-qq",
        "-o",
        log,
        "-e",
        "trace=execve",
        "-e",
        "signal=none",
    ]
    done = subprocess.run(
        [*limits, *(argv or ("/usr/bin/env", "python", *WHERE))],
        env={**counted(), **shims.env, "PATH": path},
        cwd=cwd or shims.tree,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    with open(log) as file:
        programs = [line for line in file if re.search(r"execve\(.* = 0$", line)]
    assert len(programs) <= _MOST, "".join(programs)
    return done


def reaches(shims: RealShims, done: subprocess.CompletedProcess[str]) -> None:
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == shims.run_direct(*WHERE).stdout.decode()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "path",
    ["{shims}:{shims}:/usr/bin:/bin", "{shims}/:{shims}/.:{shims}/../shims:/usr/bin",
     "{linked}:/bin", "/usr/bin:{shims}:{linked}", "../store/shims:/bin", "{shims}", ":{shims}:"],
)  # fmt: skip
@pytest.mark.parametrize("pin", ["version", "system"])
def test_the_shims_on_path_twice_or_in_disguise(
    shims: RealShims, way: str, path: str, pin: str
) -> None:
    os.symlink(shims.shims, f"{shims.root}/linked")
    path = path.format(shims=shims.shims, linked=f"{shims.root}/linked")
    shims.take(way)
    if pin == "version":
        name = f"python{shims.installed[0].key.minor}"
        done = call(shims, path, "/usr/bin/env", name, *WHERE)
        if not path.startswith("/usr/bin"):
            reaches(shims, done)
        return
    write(f"{shims.tree}/.python-version", "system\n")
    write(f"{shims.root}/own/python", "#!/bin/sh\necho own\n", 0o755)
    done = call(shims, f"{path}:{shims.root}/own", "/usr/bin/env", "python")
    assert done.returncode == 0 or "not found" in done.stderr
    assert "again and again" not in done.stderr


def test_a_shims_directory_that_is_named_relatively(shims: RealShims) -> None:
    done = call(
        shims, "shims:/usr/bin:/bin", "/usr/bin/env", "python", *WHERE, cwd=shims.layout.home
    )
    assert done.returncode == 0 or "not found" in done.stderr
    write(f"{shims.layout.home}/.python-version", f"{shims.installed[0].key.minor}\n")
    done = call(
        shims, "shims:/usr/bin:/bin", "/usr/bin/env", "python", *WHERE, cwd=shims.layout.home
    )
    reaches(shims, done)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["copy", "hard link", "symlink", "symlink to a copy"])
def test_a_shim_in_the_place_of_the_interpreter_is_an_error(
    shims: RealShims, way: str, how: str
) -> None:
    program = f"{shims.installed[0].prefix}/bin/python"
    os.unlink(program)
    shim = f"{shims.shims}/python"
    match how:
        case "copy":
            shutil.copy2(shim, program)
        case "hard link":
            os.link(shim, program)
        case "symlink":
            os.symlink(shim, program)
        case _:
            shutil.copy2(shim, f"{shims.root}/copy")
            os.symlink(f"{shims.root}/copy", program)
    shims.take(way)
    done = call(shims, shims.env["PATH"])
    assert done.returncode == 126
    # by the name that the request leads to, which is a link to that
    named = f"{shims.layout.pythons}/{shims.installed[0].key.minor}/bin/python"
    assert f"{named} is a shim" in done.stderr or f"{program} is a shim" in done.stderr


@pytest.mark.parametrize("script", ['exec python "$@"', 'python "$@"', 'exec env python "$@"'])
def test_a_wrapper_of_the_system_that_calls_python_again_ends_with_an_error(
    shims: RealShims, script: str
) -> None:
    write(f"{shims.root}/local/bin/python", f"#!/bin/sh\n{script}\n", 0o755)
    write(f"{shims.tree}/.python-version", "system\n")
    done = call(shims, f"{shims.shims}:{shims.root}/local/bin:/usr/bin:/bin")
    assert done.returncode == 126
    assert "leads back to bubble's shims again and again" in done.stderr
    assert done.stderr.count("error:") == 1


def test_programs_of_the_system_may_call_each_other_through_shims_as_deep_as_they_like(
    shims: RealShims,
) -> None:
    """What no wrapper does: each process is another program's child, and none is a script."""
    write(f"{shims.tree}/.python-version", "system\n")
    name = f"{shims.root}/local/bin/python"
    os.makedirs(os.path.dirname(name))
    os.symlink(os.path.realpath(sys.executable), name)
    code = (
        "import os, subprocess, sys; n = int(sys.argv[2]);"
        "print(n, os.environ.get('BUBBLE_SHIM_DEPTH'), flush=True);"
        "n and subprocess.run(['python', '-c', sys.argv[1], sys.argv[1], str(n - 1)], check=True)"
    )
    done = subprocess.run(
        [f"{shims.shims}/python", "-c", code, code, "6"],
        env={**shims.env, "PATH": f"{shims.shims}:{os.path.dirname(name)}"},
        cwd=shims.tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.splitlines() == [f"{n} None" for n in range(6, -1, -1)]


def test_the_depth_is_counted_for_scripts_of_the_system_alone(shims: RealShims) -> None:
    write(f"{shims.root}/local/bin/tool", f'#!/bin/sh\necho "depth=${DEPTH}"\n', 0o755)
    write(f"{shims.installed[0].prefix}/bin/other", f'#!/bin/sh\necho "depth=${DEPTH}"\n', 0o755)
    write(f"{shims.tree}/.python-version", "system\n")
    os.link(f"{shims.layout.shim}", f"{shims.shims}/tool")
    path = f"{shims.shims}:{shims.root}/local/bin:/usr/bin:/bin"
    assert call(shims, path, f"{shims.shims}/tool").stdout == "depth=1\n"
    write(f"{shims.tree}/.python-version", f"{shims.installed[0].key.minor}\n")
    rehash(shims.layout, sys.executable)
    assert call(shims, path, f"{shims.shims}/other").stdout == "depth=\n"


@pytest.mark.parametrize("odd", ["", "x", "-1", "99999999999999", "²", "1 2"])
def test_a_depth_that_makes_no_sense_counts_as_none(shims: RealShims, odd: str) -> None:
    write(f"{shims.root}/local/bin/python", "#!/bin/sh\necho fine\n", 0o755)
    write(f"{shims.tree}/.python-version", "system\n")
    done = call(
        shims, f"{shims.shims}:{shims.root}/local/bin:/usr/bin:/bin",
        "/usr/bin/env", f"{DEPTH}={odd}", "python",
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("fine\n", "")


@pytest.mark.parametrize("how", ["directory", "a link to it", "a copy of it"])
def test_another_stores_shims_are_no_system_python(shims: RealShims, how: str) -> None:
    other = RealShims(f"{shims.root}/other")
    place = f"{shims.root}/bin"
    match how:
        case "directory":
            os.symlink(other.shims, place)
        case "a link to it":
            os.mkdir(place)
            os.symlink(f"{other.shims}/python", f"{place}/python")
        case _:
            os.mkdir(place)
            shutil.copy2(f"{other.shims}/python", f"{place}/python")
    write(f"{shims.root}/own/python", "#!/bin/sh\necho own\n", 0o755)
    write(f"{shims.tree}/.python-version", "system\n")
    done = call(shims, f"{shims.shims}:{place}:{shims.root}/own:/usr/bin:/bin")
    assert (done.stdout, done.stderr) == ("own\n", "")


PYENV_SHIM = """#!/usr/bin/env bash
# how pyenv's shims and `pyenv exec` find what isn't theirs: PATH without their own directory
here=$(cd "${0%/*}" && pwd)
PATH=":$PATH:"
PATH=${PATH//":$here:"/:}
PATH=${PATH#:} PATH=${PATH%:}
export PATH
exec "${0##*/}" "$@"
"""


@needs("bash")
@pytest.mark.parametrize("order", ["ours first", "theirs first", "linked into a bin directory"])
def test_another_managers_shims_beside_ours(shims: RealShims, order: str) -> None:
    theirs = f"{shims.root}/pyenv/shims"
    write(f"{theirs}/python", PYENV_SHIM, 0o755)
    write(f"{shims.root}/own/python", "#!/bin/sh\necho own\n", 0o755)
    write(f"{shims.tree}/.python-version", "system\n")
    rest = f"{shims.root}/own:/usr/bin:/bin"
    if order == "linked into a bin directory":
        os.makedirs(f"{shims.root}/local")
        os.symlink(f"{theirs}/python", f"{shims.root}/local/python")
        rest = f"{shims.root}/local:{rest}"
    path = f"{theirs}:{shims.shims}" if order == "theirs first" else f"{shims.shims}:{theirs}"
    done = call(shims, f"{path}:{rest}")
    assert (done.stdout, done.stderr, done.returncode) == ("own\n", "", 0)


@pytest.mark.parametrize("order", ["ours first", "theirs first"])
@pytest.mark.parametrize("pin", ["version", "system"])
def test_real_pyenv_before_and_after_ours(shims: RealShims, order: str, pin: str) -> None:
    root = os.environ.get("BUBBLE_TEST_PYENV_ROOT") or os.path.expanduser(f"~{_user()}/.pyenv")
    if not os.access(f"{root}/shims/python", os.X_OK):
        not_here("no pyenv with shims")
    write(f"{shims.root}/own/python", "#!/bin/sh\necho own\n", 0o755)
    if pin == "system":
        write(f"{shims.tree}/.python-version", "system\n")
    directories = [shims.shims, f"{root}/shims"]
    if order == "theirs first":
        directories.reverse()
    path = ":".join([*directories, f"{root}/bin", f"{shims.root}/own", "/usr/bin", "/bin"])
    # strace would count pyenv's own dozens of programs
    done = subprocess.run(
        ["/usr/bin/env", "python", *WHERE],
        env={**shims.env, "PATH": path, "PYENV_ROOT": root},
        cwd=shims.tree,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "again and again" not in done.stderr
    if pin == "system":
        assert done.stdout == "own\n"
    elif order == "ours first":
        reaches(shims, done)


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name

"""Programs with an interpreter in them, built by what a build says of itself, where it lies now.

On paths with a space: what is printed goes through the shell once more, as make and `eval` have it.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from bubble.system.files import sha256_of
from support.builds import packed_mirror
from support.needs import LINUX_ONLY, needs, real_build, which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = [pytest.mark.real, LINUX_ONLY]

PROGRAM = """
#include <Python.h>
int main(void) {
    Py_Initialize();
    PyRun_SimpleString("import sys; print(sys.version.split()[0])");
    return Py_FinalizeEx();
}
"""


def installed(kind: str, bubble: Bubble, env: dict[str, str], home: str) -> tuple[str, str]:
    """Install a build into the store at `home`; return its minor link and version."""
    env["BUBBLE_HOME"] = home
    if kind == "upstream's":
        archive = real_build()
        words = ["3.9.13", "--from", archive, "--sha256", sha256_of(archive)]
    else:  # of the minor that the distribution has, if it is here: the wrong one wouldn't be seen
        env["BUBBLE_CATALOG"] = f"{packed_mirror(['3.11'])}/catalogue.json"
        words = ["3.11"]
    done = bubble("python", "install", *words, env=env)
    assert done.status == 0, done.err
    version = done.out.partition("/cpython-")[2].partition("-")[0]
    return f"{home}/pythons/{version.rpartition('.')[0]}", version


@needs("gcc")
@pytest.mark.parametrize("kind", ["upstream's", "packed"])
def test_a_program_that_is_built_by_what_a_build_says_runs_that_build(
    kind: str, bubble: Bubble, env: dict[str, str], tmp_path: Path
) -> None:
    link, version = installed(kind, bubble, env, f"{tmp_path}/a store #1")
    minor = version.rpartition(".")[0]
    (tmp_path / "program.c").write_text(PROGRAM)
    ways = [f'"{link}/bin/python3-config" --cflags --ldflags --embed']
    if which("pkg-config"):
        pc = f"PKG_CONFIG_PATH='{link}/lib/pkgconfig' pkg-config"
        ways.append(f"{pc} --cflags --libs python-{minor}-embed")
    for way in ways:
        script = (
            f"flags=$({way} | tr '\\n' ' ') && eval \"cc program.c $flags -o program\" && ./program"
        )
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=tmp_path,
            env={**env, "PYTHONHOME": link},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, f"{version}\n"), done.stderr
    told = subprocess.run(
        [f"{link}/bin/python3-config", "--prefix"], check=True, capture_output=True, text=True
    )
    assert told.stdout == f"{link}\n"  # no flag: as it is


@pytest.mark.parametrize("kind", ["upstream's", "packed"])
def test_a_copied_interpreter_runs_its_own_library(
    kind: str, bubble: Bubble, env: dict[str, str], tmp_path: Path
) -> None:
    """`venv --copies`, and `venv.create()`, which copies unasked; never the distribution's."""
    link, version = installed(kind, bubble, env, f"{tmp_path}/store")
    create = "import sys, venv; venv.create(sys.argv[1])"
    for path, words in (("a", ["-m", "venv", "--copies", "--without-pip"]), ("b", ["-c", create])):
        subprocess.run([f"{link}/bin/python", *words, path], cwd=tmp_path, check=True)
        python = f"{tmp_path}/{path}/bin/python"
        assert not os.path.islink(python)
        code = "import ssl, sys; print(sys.version.split()[0], sys.prefix, sys.base_prefix)"
        told = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
        assert told.stdout == f"{version} {tmp_path}/{path} {link}\n"


def test_a_store_that_was_moved_is_told_of_and_mended(
    bubble: Bubble, env: dict[str, str], tmp_path: Path
) -> None:
    before, after = f"{tmp_path}/before", f"{tmp_path}/after"
    link, version = installed("packed", bubble, env, before)
    assert bubble("python", "verify", env=env).status == 0
    shutil.move(before, after)
    env["BUBBLE_HOME"] = after
    link = link.replace(before, after)
    verified = bubble("python", "verify", env=env)
    assert verified.status == 1
    assert before in verified.err
    found = bubble("doctor", "--json", env=env).json["data"]["findings"]
    (finding,) = [one for one in found if one["id"] == "python.moved"]
    assert before in finding["what"]
    assert bubble("python", "verify", "--repair", version, env=env).status == 0
    assert bubble("python", "verify", env=env).status == 0
    libdir = "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))"
    told = subprocess.run(
        [f"{link}/bin/python", "-c", libdir], check=True, capture_output=True, text=True
    )
    assert told.stdout.startswith(after)
    assert os.path.isdir(told.stdout.strip())

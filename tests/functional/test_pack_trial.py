"""Packing a real interpreter whose libraries, headers and data lie where builds have them.

It is what this machine's interpreter gives, packed, with an extension of its own that needs a
library elsewhere, as an installer of wheels or a `configure` left it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.builds import packed_mirror
from support.needs import LINUX_ONLY, needs, not_here
from support.unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = [LINUX_ONLY, needs("cc")]
MINOR = "{}.{}".format(*sys.version_info)
LIBRARY = "int answer(void) { return 42; }\n"
EXTENSION = r"""
#include <Python.h>
int answer(void);
static PyObject *say(PyObject *self, PyObject *none) { return PyLong_FromLong(answer()); }
static PyMethodDef methods[] = {{"answer", say, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_needs", 0, -1, methods};
PyMODINIT_FUNC PyInit__needs(void) { return PyModule_Create(&module); }
"""
READING = r"""
#include <Python.h>
#include <stdio.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_reads", 0, -1, 0};
PyMODINIT_FUNC PyInit__reads(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s/etc/data", PyUnicode_AsUTF8(PySys_GetObject("prefix")));
    if (!fopen(path, "r")) return PyErr_Format(PyExc_ImportError, "no data"), NULL;
    return PyModule_Create(&module);
}
"""


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """Return a prefix of its own with an interpreter of this machine."""
    mirror = packed_mirror([MINOR])
    directory = f"{mirror}/20240726"
    (name,) = (n for n in os.listdir(directory) if n.startswith(f"cpython-{MINOR}."))
    unpack(f"{directory}/{name}", tmp_path)
    os.rename(tmp_path / "python", tmp_path / "prefix")
    root = f"{os.path.realpath(tmp_path)}/prefix"
    if not os.path.isfile(f"{root}/include/python{MINOR}/Python.h"):
        not_here(f"no headers of Python {MINOR}")
    return root


def compiled(prefix: str, name: str, source: str, *options: str) -> None:
    """Build an extension into the interpreter's own."""
    target = f"{prefix}/lib/python{MINOR}/lib-dynload/{name}.so"
    build(target, source, f"-I{prefix}/include/python{MINOR}", *options)


def build(target: str, source: str, *options: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", target, *options]
    subprocess.run(command, input=source, text=True, check=True)


def installed(bubble: Bubble, env: dict[str, str], mirror: str) -> str:
    env["BUBBLE_CATALOG"] = f"{mirror}/catalogue.json"
    done = bubble("python", "install", MINOR)
    assert done.status == 0, done.err
    return done.out.strip()


def says(program: str, code: str) -> str:
    done = subprocess.run([program, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_libraries_headers_and_data_come_along_from_wherever_they_lie(
    bubble: Bubble, env: dict[str, str], prefix: str, tmp_path: Path
) -> None:
    libs = f"{os.path.dirname(prefix)}/x.libs"
    build(f"{libs}/libneeded-1234.so.5", LIBRARY, "-Wl,-soname,libneeded-1234.so.5")
    reach = ("-Wl,-rpath,$ORIGIN/../../../../x.libs", f"{libs}/libneeded-1234.so.5")
    compiled(prefix, "_needs", EXTENSION, *reach)
    headers = f"{prefix}/include/python{MINOR}"
    shutil.move(f"{headers}/cpython", f"{os.path.dirname(prefix)}/elsewhere")
    os.symlink(f"{os.path.dirname(prefix)}/elsewhere", f"{headers}/cpython")
    done = bubble("mirror", "pack", str(tmp_path / "mirror"), prefix)
    assert done.status == 0, done.err
    assert "libneeded" not in done.err
    for gone in (prefix, libs, f"{os.path.dirname(prefix)}/elsewhere"):
        shutil.rmtree(gone)
    program = installed(bubble, env, str(tmp_path / "mirror"))
    assert says(program, "import _needs; print(_needs.answer())") == "42"
    root = os.path.dirname(os.path.dirname(program))
    assert os.path.isfile(f"{root}/include/python{MINOR}/cpython/object.h")


def test_what_works_in_its_place_alone_is_named_and_nothing_is_published(
    bubble: Bubble, env: dict[str, str], prefix: str, tmp_path: Path
) -> None:
    compiled(prefix, "_reads", READING)
    os.makedirs(f"{prefix}/etc")
    with open(f"{prefix}/etc/data", "w", encoding="ascii"):
        pass
    done = bubble("mirror", "pack", str(tmp_path / "mirror"), prefix)
    assert done.status == 1
    assert "_reads is lost: ImportError: no data" in done.err
    assert not os.path.exists(tmp_path / "mirror/catalogue.json")
    assert os.listdir(tmp_path / "mirror/.partial") == []
    assert os.listdir(f"{env['BUBBLE_HOME']}/staging") == []
    os.unlink(f"{prefix}/etc/data")  # what doesn't work in its place either isn't lost
    again = bubble("mirror", "pack", str(tmp_path / "mirror"), prefix)
    assert again.status == 0, again.err


def test_an_extension_that_crashes_in_its_place_ends_only_itself(
    bubble: Bubble, prefix: str, tmp_path: Path
) -> None:
    crash = "#include <stdlib.h>\nvoid *PyInit__crash(void) { abort(); }\n"
    compiled(prefix, "_crash", crash)
    done = bubble("mirror", "pack", str(tmp_path / "mirror"), prefix)
    assert done.status == 0, done.err

"""A real python-build-standalone build, unpacked into an awkward path and patched."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from bubble.model.key import parse_key
from bubble.model.platform import Platform
from bubble.pythons.installed import manifest
from bubble.pythons.patch import patch
from bubble.pythons.probing.probe import check, probe
from bubble.system.archive import extract
from support.needs import NEEDS_REAL_BUILD, needs, real_build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.model.key import Key
    from bubble.system.archive import Entry

pytestmark = [pytest.mark.real, NEEDS_REAL_BUILD]

MODULE = """
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, 0}, {0, 0, 0, 0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", 0, -1, methods};
PyMODINIT_FUNC PyInit_tiny(void) { return PyModule_Create(&module); }
"""
# as setuptools puts a build together, in two commands
BY_SYSCONFIG = """
import shlex, subprocess, sys, sysconfig
var = lambda name: shlex.split(sysconfig.get_config_var(name))
include = "-I" + sysconfig.get_path("include")
compile = var("CC") + var("CFLAGS") + var("CCSHARED") + [include, "-c", "tiny.c", "-o", "tiny.o"]
result = "tiny" + sysconfig.get_config_var("EXT_SUFFIX")
link = var("LDSHARED") + var("LDFLAGS") + ["tiny.o", "-o", result]
for command in compile, link:
    subprocess.run(command, check=True)
"""
SETUP = """
from setuptools import Extension, setup
setup(name="tiny", version="1", ext_modules=[Extension("tiny", ["tiny.c"])])
"""


class Build:
    """An unpacked build at its final place: `prefix`, and what is known of it."""

    def __init__(self, prefix: str, *, patched: bool) -> None:
        self.prefix = prefix
        os.makedirs(prefix, mode=0o700)
        self.entries: tuple[Entry, ...] = extract(real_build(), prefix).entries
        found = probe(f"{prefix}/bin/python3", env={"HOME": prefix})
        platform = Platform(os="linux", arch=found.platform.arch, libc=found.platform.libc)
        self.key: Key = parse_key(f"cpython-{found.version}-{platform}").replace(
            variant=found.variant
        )
        self.minor = found.version.minor
        self.changed = patch(prefix, prefix, self.key) if patched else frozenset()

    def run(
        self, *argv: str, cwd: str = "/", variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of `bin` (or any absolute one) without any other Python's settings."""
        program = argv[0] if os.path.isabs(argv[0]) else f"{self.prefix}/bin/{argv[0]}"
        environ = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **(variables or {})}
        return subprocess.run(
            [program, *argv[1:]], cwd=cwd, env=environ, capture_output=True, text=True, check=False
        )

    def out(self, *argv: str, cwd: str = "/", variables: dict[str, str] | None = None) -> str:
        """Return the output of a program that must succeed."""
        done = self.run(*argv, cwd=cwd, variables=variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return the patched build, in a path with spaces and more."""
    return Build(str(tmp_path_factory.mktemp("it is 'ü' & co") / "3 9"), patched=True)


@pytest.fixture(scope="module")
def unpatched(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return the build as it is in the archive: the control."""
    return Build(str(tmp_path_factory.mktemp("as it is") / "python"), patched=False)


def test_the_build_is_what_it_says_and_runs_its_imports(build: Build, env: dict[str, str]) -> None:
    assert check(build.prefix, build.key, env=env).prefix == build.prefix
    modules = "ssl, sqlite3, ctypes, lzma, readline, tkinter"
    build.out("python3", "-c", f"import {modules}")


def test_the_patched_build_verifies_and_nothing_else_was_touched(build: Build) -> None:
    digest = manifest.write(build.prefix, build.entries, build.changed)
    assert manifest.verify(build.prefix, sha256=digest) == ()
    manifest.write(build.prefix, build.entries, frozenset())
    different = {problem.path for problem in manifest.verify(build.prefix)}
    assert different == build.changed


def test_patching_again_changes_nothing(build: Build) -> None:
    assert patch(build.prefix, build.prefix, build.key) == frozenset()


def test_pip_runs_there_and_through_links_from_elsewhere(build: Build, tmp_path: Path) -> None:
    at = f"from {build.prefix}/lib/"
    first = os.path.join(tmp_path, "pip3")
    os.symlink(f"{build.prefix}/bin/pip3", first)
    os.symlink("pip3", os.path.join(tmp_path, "second"))
    for program in ("pip3", "pip", f"pip{build.minor}", first, os.path.join(tmp_path, "second")):
        assert at in build.out(program, "--version")
    assert at in build.out("/bin/sh", "second", "--version", cwd=str(tmp_path))


def test_unpatched_pip_fails_in_a_path_with_spaces(unpatched: Build) -> None:
    if build_is_relocatable(unpatched):
        pytest.skip("not here: this build's pip needs no patch")
    assert unpatched.run("pip3", "--version").returncode != 0


def build_is_relocatable(build: Build) -> bool:
    with open(f"{build.prefix}/bin/pip3", encoding="utf-8") as file:
        return "realpath" in file.read()


def test_every_script_of_bin_starts(build: Build) -> None:
    started = 0
    for name in sorted(os.listdir(f"{build.prefix}/bin")):
        if name.startswith(("2to3", "pip", "pydoc")):
            build.out(
                name, "-h" if name.startswith("2to3") else "--version" if "pip" in name else "sys"
            )
            started += 1
    assert started >= 4


def test_sysconfig_and_python_config_name_the_real_prefix(build: Build) -> None:
    code = (
        "import sysconfig as s; print([s.get_config_var(n) for n in ('prefix', 'LIBDIR', "
        "'INCLUDEPY', 'BINDIR')], [k for k, v in s.get_config_vars().items()"
        " if '/install' in str(v).replace('/usr/bin/install', '').replace('./install', '')])"
    )
    p = build.prefix
    wanted = [p, f"{p}/lib", f"{p}/include/python{build.minor}", f"{p}/bin"]
    assert build.out("python3", "-c", code) == f"{wanted} []"
    assert build.out("python3-config", "--prefix") == p
    # for a shell that evaluates it
    said = shlex.split(build.out("python3-config", "--includes"))
    assert f"-I{p}/include/python{build.minor}" in said
    directory = next(n for n in os.listdir(f"{p}/lib/python{build.minor}") if n[:7] == "config-")
    assert build.out(f"{p}/lib/python{build.minor}/{directory}/python-config.py", "--prefix") == p


def test_python_config_answers_through_a_link(build: Build, tmp_path: Path) -> None:
    link = os.path.join(tmp_path, "config")
    os.symlink(f"{build.prefix}/bin/python3-config", link)
    assert build.out(link, "--prefix") == build.prefix


@needs("pkg-config")
def test_pkg_config_names_the_real_prefix(build: Build, tmp_path: Path) -> None:
    # a link without quotes in its name: pkgconf itself stumbles over those, but not over spaces
    link = os.path.join(tmp_path, "a link")
    os.symlink(build.prefix, link)
    variables = {"PKG_CONFIG_PATH": f"{link}/lib/pkgconfig"}
    for package in (f"python-{build.minor}", "python3"):
        command = ("/usr/bin/pkg-config", "--variable=prefix", package)
        said = build.out(*command, variables=variables).replace("\\ ", " ")
        assert os.path.realpath(said) == os.path.realpath(build.prefix)


@needs("cc")
@pytest.mark.parametrize("how", ["sysconfig", "setuptools"])
def test_a_c_extension_builds_and_imports(how: str, build: Build, tmp_path: Path) -> None:
    done = compile_extension(build, how, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (
        build.out("python3", "-c", "import tiny; print(tiny.answer())", cwd=str(tmp_path)) == "42"
    )


@needs("cc")
@pytest.mark.parametrize("how", ["sysconfig", "setuptools"])
def test_an_unpatched_build_fails_at_a_c_extension(
    how: str, unpatched: Build, tmp_path: Path
) -> None:
    done = compile_extension(unpatched, how, str(tmp_path))
    assert done.returncode != 0
    assert "clang" in done.stderr


def compile_extension(build: Build, how: str, directory: str) -> subprocess.CompletedProcess[str]:
    for name, text in (("tiny.c", MODULE), ("setup.py", SETUP)):
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    if how == "sysconfig":
        return build.run("python3", "-c", BY_SYSCONFIG, cwd=directory)
    return build.run("python3", "setup.py", "-q", "build_ext", "--inplace", cwd=directory)


@needs("cc", "make")
def test_the_config_makefile_names_a_compiler_that_is_there(build: Build) -> None:
    library = f"{build.prefix}/lib/python{build.minor}"
    directory = next(n for n in os.listdir(library) if n.startswith("config-"))
    with open(f"{library}/{directory}/Makefile", encoding="utf-8") as file:
        text = file.read()
    text += "\nshow:\n\t@$(CC) --version >/dev/null && $(AR) --version >/dev/null\n"
    text += "\t$(info $(prefix))\n"
    done = subprocess.run(
        ["make", "-s", "-f", "-", "show"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, build.prefix), done.stderr


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    """Return a package that can be installed without any network."""
    import zipfile

    path = os.path.join(tmp_path, "tiny_wheel-1-py3-none-any.whl")
    info = "tiny_wheel-1.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny_wheel.py", "")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-wheel\nVersion: 1\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"tiny_wheel.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n")
    return path


def test_pip_refuses_to_change_the_shared_interpreter(build: Build, wheel: str) -> None:
    for arguments in (("install", "--no-index", wheel), ("uninstall", "-y", "setuptools")):
        done = build.run("pip3", *arguments)
        assert done.returncode != 0
        assert "virtualenv" in done.stderr or "externally-managed" in done.stderr
    assert not os.path.exists(f"{build.prefix}/lib/python{build.minor}/site-packages/tiny_wheel.py")


def test_pip_installs_into_environments_of_it(build: Build, wheel: str, tmp_path: Path) -> None:
    environment = os.path.join(tmp_path, "env")
    build.out("python3", "-m", "venv", environment)
    build.out(f"{environment}/bin/pip", "install", "--no-index", wheel)
    build.out(f"{environment}/bin/python", "-c", "import tiny_wheel")


def test_an_unpatched_build_lets_pip_install_into_it(unpatched: Build, wheel: str) -> None:
    unpatched.out("python3", "-m", "pip", "install", "--no-index", wheel)
    unpatched.out("python3", "-c", "import tiny_wheel")

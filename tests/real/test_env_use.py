"""What people do in an environment: pip, uv, build, pytest, C extensions, console scripts.

One environment serves all; its path has spaces and is longer than a `#!` line may be.
"""

from __future__ import annotations

import hashlib
import os

import pytest

from support.needs import needs, not_here
from support.used import Used
from support.used import used as make_used
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real

LONG = "a directory with spaces/" + "long " * 12 + "/" + "longer-" * 12 + "é"
PACKAGES = ("build", "pytest", "uv", "setuptools>=70", "wheel")


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Used:
    root = str(tmp_path_factory.mktemp("use"))
    made = make_used(root, f"{root}/{LONG}", "train", PACKAGES)
    assert len(made.path) > 127
    return made


@pytest.fixture
def package(tmp_path: Path) -> str:
    """Write a project with a console script and a test; return its directory."""
    root = tmp_path / "my project"
    (root / "src" / "greeter").mkdir(parents=True)
    (root / "src" / "greeter" / "__init__.py").write_text(
        "import sys\n\n\ndef main():\n    print('hello from', sys.prefix, *sys.argv[1:])\n"
    )
    (root / "test_greeter.py").write_text(
        "import greeter, sys\n\n\ndef test_it(capsys):\n    sys.argv = ['greeter']\n"
        "    greeter.main()\n    assert sys.prefix in capsys.readouterr().out\n"
    )
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "greeter"\nversion = "1.0"\n'
        '[project.scripts]\ngreeter = "greeter:main"\n'
        '[project.gui-scripts]\ngreeter-window = "greeter:main"\n'
    )
    return str(root)


def test_packages_are_where_pip_says_and_whole(used: Used) -> None:
    listed = used.says("pip", "list", "--format=freeze")
    assert {"build", "pytest", "uv", "pip"} <= {line.split("==")[0] for line in listed.split()}
    assert used.says("pip", "check").strip() == "No broken requirements found."
    shown = used.says("pip", "show", "-f", "pytest")
    assert f"Location: {used.path}/lib/python3.11/site-packages" in shown
    assert "../../../bin/pytest" in shown


def test_console_scripts_run_with_spaces_and_more_than_a_shebang_takes(used: Used) -> None:
    with open(f"{used.path}/bin/pytest", "rb") as file:
        assert file.read(10) == b"#!/bin/sh\n"
    assert used.says("pytest", "--version").startswith("pytest ")
    assert used.says("pip", "--version").split(" from ")[1].startswith(used.path)
    done = used.bubble("run", "train", "pytest", "--version")
    assert done.stdout.startswith("pytest "), done.stderr


def test_a_project_is_installed_editable_tested_and_uninstalled(used: Used, package: str) -> None:
    used.says("pip", "install", "--no-build-isolation", "--no-deps", "-e", package)
    assert used.says("greeter", "a b", "c").strip() == f"hello from {used.path} a b c"
    assert "1 passed" in used.says("python", "-m", "pytest", "-p", "no:cacheprovider", cwd=package)
    used.says("pip", "uninstall", "-y", "greeter")
    assert not os.path.exists(f"{used.path}/bin/greeter")


def test_a_wheel_is_built_and_installed_by_uv(used: Used, package: str) -> None:
    used.says("python", "-m", "build", "--wheel", "--no-isolation", package)
    (built,) = os.listdir(f"{package}/dist")
    uv = ("pip", "install", "--offline", "--no-deps", "--python", f"{used.path}/bin/python")
    used.says("uv", *uv, f"{package}/dist/{built}")
    assert used.says("greeter").strip() == f"hello from {used.path}"
    assert used.says("greeter-window").strip() == f"hello from {used.path}"
    listed = used.says("uv", "pip", "list", "--python", f"{used.path}/bin/python")
    assert "greeter" in listed
    used.says("pip", "uninstall", "-y", "greeter")


def test_uv_takes_a_project_environment_for_one_of_its_own(used: Used, tmp_path: Path) -> None:
    project = tmp_path / "with uv"
    project.mkdir()
    done = used.bubble("create", "--no-pip", cwd=str(project))
    assert done.returncode == 0, done.stderr
    found = used.says("uv", "python", "find", "--offline", cwd=str(project))
    assert found.strip() in {f"{project}/.venv/bin/python3", f"{project}/.venv/bin/python"}


def test_uv_fills_an_environment_from_requirements_and_a_lock(used: Used, tmp_path: Path) -> None:
    locked, plain = wheel(str(tmp_path), "locked", "1.0"), wheel(str(tmp_path), "plain", "2.0")
    with open(locked, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    lock = tmp_path / "pylock.toml"
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "a test"\n[[packages]]\nname = "locked"\n'
        'version = "1.0"\nwheels = [{ path = "locked-1.0-py3-none-any.whl", '
        f'hashes = {{ sha256 = "{digest}" }} }}]\n'
    )
    on_path = {"PATH": f"{used.path}/bin:{used.env['PATH']}", "UV_OFFLINE": "1"}
    made = used.bubble("create", "by-uv", "-r", str(lock), plain, "--installer", "uv", env=on_path)
    assert made.returncode == 0, made.stderr
    assert "Installed 1 package" in made.stderr
    assert "experimental" not in made.stderr
    exported = used.bubble("export", "by-uv").stdout
    assert [line.split("=")[0].split(" ")[0] for line in exported.splitlines()] == [
        "locked",
        "plain",
    ]
    lock.write_text('lock-version = "1.0"\nrequires-python = ">=3.99"\ncreated-by = "a test"\n')
    failed = used.bubble("create", "wrong", "-r", str(lock), "--installer", "uv", env=on_path)
    assert failed.returncode == 1
    assert "uv could not install the packages" in failed.stderr
    assert used.bubble("remove", "by-uv").returncode == 0


@needs("cc")
def test_a_c_extension_is_built_and_imported(used: Used, tmp_path: Path) -> None:
    include = used.says("python", "-c", "import sysconfig; print(sysconfig.get_path('include'))")
    if not os.path.exists(f"{include.strip()}/Python.h"):
        not_here("the interpreter's headers")
    root = tmp_path / "c project"
    root.mkdir()
    (root / "fast.c").write_text(
        "#include <Python.h>\n"
        "static PyObject *answer(PyObject *s, PyObject *a) { return PyLong_FromLong(42); }\n"
        'static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};\n'
        'static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fast", "", -1, methods};\n'
        "PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&module); }\n"
    )
    (root / "setup.py").write_text(
        "from setuptools import Extension, setup\n"
        "setup(name='fast', version='1.0', ext_modules=[Extension('fast', ['fast.c'])])\n"
    )
    used.says("pip", "install", "--no-build-isolation", "--no-deps", str(root))
    code = "import fast; print(fast.answer(), fast.__file__)"
    assert used.says("python", "-I", "-c", code).startswith(f"42 {used.path}/lib/")
    used.says("pip", "uninstall", "-y", "fast")


def test_removing_it_all_leaves_nothing(used: Used) -> None:
    done = used.bubble("create", "other", "--no-pip")
    assert done.returncode == 0, done.stderr
    assert used.bubble("remove", "other").returncode == 0
    assert os.listdir(os.path.dirname(used.path)) == ["train"]

"""Environments of a real PyPy: the distribution's, adopted, where it is installed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from support.environments import create, install, says
from support.needs import needs, which
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = [pytest.mark.real, needs("pypy3")]


@pytest.fixture(autouse=True)
def minor(bubble: Bubble) -> str:
    """Adopt the machine's PyPy; return its minor version."""
    done = bubble("python", "adopt", str(which("pypy3")), "--json")
    assert done.status == 0, done.err
    implementation, version = done.json["data"]["key"].split("-")[:2]
    assert implementation == "pypy"
    return ".".join(version.split(".")[:2])


def test_an_environment_of_pypy_has_its_names_its_pip_and_its_packages(
    bubble: Bubble, minor: str, tmp_path: Path
) -> None:
    built = wheel(str(tmp_path), "hello", "1.0", script="hello")
    path = create(bubble, "quick", "-p", "pypy3", "--installer", "pip", built)
    assert says(path, "hello") == "hello 1.0"
    code = "import sys, hello; print(sys.implementation.name, sys.prefix, hello.__file__)"
    site = f"{path}/lib/pypy{minor}/site-packages"
    for name in ("python", "python3", f"python{minor}", "pypy", f"pypy{minor}"):
        done = subprocess.run(
            [f"{path}/bin/{name}", "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["pypy", path, f"{site}/hello/__init__.py"]
    assert bubble("run", "quick", "pip", "--version").out.split(" from ")[1].startswith(site)
    assert bubble("export", "quick").status == 0
    activated = subprocess.run(
        ["sh", "-euc", f". '{path}/bin/activate'; hello; deactivate"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert activated.stdout == "hello 1.0\n"


def test_it_is_cloned_repaired_and_listed_like_any_other(
    bubble: Bubble, minor: str, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    assert bubble("use", f"pypy{minor}", cwd=project).status == 0
    path = create(bubble, cwd=str(project))
    install(bubble, path, tmp_path, "hello")
    assert bubble("which", "hello", cwd=project).out == f"{path}/bin/hello\n"
    assert bubble("clone", path, "copy").status == 0
    project.rename(tmp_path / "moved")
    assert bubble("repair", ".", cwd=tmp_path / "moved").status == 0
    assert says(f"{tmp_path}/moved/.venv", "hello") == "hello 1.0"
    assert says(f"{tmp_path}/bubble/envs/copy", "hello") == "hello 1.0"
    listed = bubble("list", "--json").json["data"]
    assert {entry["state"] for entry in listed} == {"ok"}
    refused = bubble("python", "uninstall", f"pypy{minor}")
    assert (refused.status, "used by 2 environments" in refused.err) == (1, True), refused.err

"""Poetry and PDM inside environments of ours: they use them, and theirs are made known here.

The tools come from the package index; what they install, from a server on loopback.
"""

from __future__ import annotations

import hashlib
import os

import pytest

from support.fault_handlers import Resource
from support.fault_server import serve
from support.needs import FULL_ONLY
from support.used import Used, used
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.real, FULL_ONLY]  # half a minute to install a tool, from the index


@pytest.fixture(scope="module")
def poetry(tmp_path_factory: pytest.TempPathFactory) -> Used:
    """Return an environment with Poetry."""
    return _tool(str(tmp_path_factory.mktemp("poetry")), "poetry>=2,<3")


@pytest.fixture(scope="module")
def pdm(tmp_path_factory: pytest.TempPathFactory) -> Used:
    """Return an environment with PDM."""
    return _tool(str(tmp_path_factory.mktemp("pdm")), "pdm>=2,<3")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Let Poetry remember nothing of the last test's index."""
    for name in {"poetry", "pdm"} & set(request.fixturenames):
        request.getfixturevalue(name).env["POETRY_CACHE_DIR"] = str(tmp_path / "cache")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Serve an index that has `hello` 1.0 alone; return its address."""
    path = wheel(str(tmp_path), "hello", "1.0", script="hello")
    name = os.path.basename(path)
    with open(path, "rb") as file:
        body = file.read()
    link = f"{name}#sha256={hashlib.sha256(body).hexdigest()}"
    page = f'<!DOCTYPE html><html><body><a href="{link}">{name}</a></body></html>'
    headers: dict[str, str | int] = {"Content-Type": "text/html"}
    with serve() as server:
        server.put("/simple/hello/", Resource(page.encode(), headers=headers))
        server.put(f"/simple/hello/{name}", Resource(body))
        yield f"{server.url}/simple/"


@pytest.fixture
def project(tmp_path: Path) -> str:
    root = tmp_path / "my project"
    (root / "src" / "demo").mkdir(parents=True)
    (root / "src" / "demo" / "__init__.py").write_text("")
    (root / "README.md").write_text("")
    return str(root)


def _tool(root: str, *packages: str) -> Used:
    made = used(root, f"{root}/bubble", "tool", packages)
    made.env["HOME"] = root
    made.env["POETRY_KEYRING_ENABLED"] = "false"
    made.env["PDM_CHECK_UPDATE"] = "0"
    return made


def _packages(tool: Used, environment: str) -> set[str]:
    code = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    done = tool.bubble("run", environment, "python", "-c", code)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split()) - {"pip"}


def test_poetry_uses_the_project_s_environment_and_the_active_one(
    poetry: Used, project: str, index: str
) -> None:
    poetry.says("poetry", "init", "-n", "--name", "demo", cwd=project)
    poetry.says("poetry", "source", "add", "here", index, "--priority", "primary", cwd=project)
    done = poetry.bubble("create", cwd=project)
    assert done.returncode == 0, done.stderr
    assert poetry.says("poetry", "env", "info", "-p", cwd=project).strip() == f"{project}/.venv"
    poetry.says("poetry", "add", "hello", cwd=project)
    assert _packages(poetry, f"{project}/.venv") == {"hello"}
    assert "hello" not in _packages(poetry, "tool")
    done = poetry.run(f"{project}/.venv/bin/hello")
    assert (done.returncode, done.stdout) == (0, "hello 1.0\n")

    # a named one, once the project has none
    assert poetry.bubble("remove", f"{project}/.venv").returncode == 0
    assert poetry.bubble("create", "work").returncode == 0
    program = f"{poetry.path}/bin/poetry"
    done = poetry.bubble("run", "work", program, "install", "--only", "main", cwd=project)
    assert done.returncode == 0, done.stderr
    assert _packages(poetry, "work") == {"hello", "demo"}
    assert not os.path.exists(f"{project}/.venv")
    assert poetry.bubble("run", "work", "hello").stdout == "hello 1.0\n"
    # and cleans up in it
    done = poetry.bubble("run", "work", program, "remove", "hello", cwd=project)
    assert done.returncode == 0, done.stderr
    assert _packages(poetry, "work") == {"demo"}
    assert poetry.bubble("remove", "work").returncode == 0


def test_what_poetry_made_is_adopted_and_listed_and_only_forgotten(
    poetry: Used, project: str, index: str
) -> None:
    poetry.says("poetry", "init", "-n", "--name", "demo", cwd=project)
    poetry.says("poetry", "source", "add", "here", index, "--priority", "primary", cwd=project)
    its_own = {"POETRY_VIRTUALENVS_IN_PROJECT": "1"}
    poetry.says("poetry", "add", "hello", cwd=project, env=its_own)
    path = f"{project}/.venv"
    assert poetry.bubble("which", "hello", cwd=project).returncode == 127
    done = poetry.bubble("adopt", ".venv", cwd=project)
    assert (done.returncode, "which virtualenv made" in done.stdout) == (0, True), done.stderr
    assert poetry.bubble("which", "hello", cwd=project).stdout == f"{path}/bin/hello\n"
    assert "hello" in _packages(poetry, path)
    assert "(made by virtualenv)" in poetry.bubble("list").stdout
    assert poetry.says("poetry", "env", "info", "-p", cwd=project).strip() == path
    done = poetry.bubble("remove", path)
    assert done.returncode == 0, done.stderr
    assert os.path.exists(f"{path}/bin/hello")


def test_pdm_takes_the_project_s_environment(pdm: Used, project: str) -> None:
    with open(f"{project}/pyproject.toml", "w") as file:
        file.write(
            '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
            "[tool.pdm]\ndistribution = false\n"
        )
    done = pdm.bubble("create", "--no-pip", cwd=project)
    assert done.returncode == 0, done.stderr
    prefix = pdm.says("pdm", "run", "python", "-c", "import sys; print(sys.prefix)", cwd=project)
    assert prefix.strip() == f"{project}/.venv"
    info = pdm.says("pdm", "info", "--python", cwd=project)
    assert info.strip() == f"{project}/.venv/bin/python"

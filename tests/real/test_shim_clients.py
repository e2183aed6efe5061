"""The tools that look for interpreters on PATH find the ones behind our shims, and only those.

Each client comes from the package index, by its name, into one virtual environment; that and the
store are made once for all tests and workers. What virtualenv makes has no pip where none is
needed: the interpreter that it found is what counts. PATH has the shims and the system; nothing
else leads to the interpreters that are asked for.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from bubble.pythons.installed import store
from bubble.system.layout import Layout
from bubble.system.lock import Lock
from support.builds import interpreters, packed_mirror
from support.needs import LINUX_ONLY, NEEDS, needs, not_here, real_build
from support.shimworld import write
from support.wheels import wheel

pytestmark = [pytest.mark.real, LINUX_ONLY]

CLIENTS = ("tox", "nox", "virtualenv", "uv", "pre-commit", "build")
BUBBLE = f"{os.path.dirname(sys.executable)}/bubble"
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
FOUND = interpreters()
_NO_INDEX = f"{NEEDS}the package index"
NO_SEED = {"VIRTUALENV_NO_SEED": "1"}
# a minor request is handed out as the minor's link: the installation behind it counts
WHO = "import os, sys; print('%d.%d' % sys.version_info[:2], os.path.realpath(sys.base_prefix))"


class Clients:
    """The store, and the clients' environment.

    `first` and `second` are the minors of the two interpreters. pip may write into the first: it
    is an installation of our own; the second is adopted, or the real build.
    """

    def __init__(self, root: str, shared: str, tools: str) -> None:
        self.root = root
        self.tools = tools
        self.layout = Layout(home=f"{shared}/store", cache=f"{shared}/cache")
        self.env = {
            "PATH": f"{self.layout.shims}:/usr/bin:/bin",
            "HOME": f"{root}/home",
            "BUBBLE_HOME": self.layout.home,
            "BUBBLE_CACHE_DIR": self.layout.cache,
            "UV_PYTHON_DOWNLOADS": "never",
            "LC_ALL": "C.UTF-8",
            # where this machine's package index is
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        }
        os.makedirs(self.env["HOME"])
        newest, _ = FOUND[-1]
        with Lock(f"{shared}/store.lock"):
            if not os.path.exists(f"{shared}/stocked"):
                self._stock(newest)
                write(f"{shared}/stocked", "")
        found = store.installations(self.layout)
        self.homes = {str(i.key.minor): i.prefix for i in found}
        self.first = _minor(newest)
        (self.second,) = self.homes.keys() - {self.first}

    def _stock(self, newest: str) -> None:
        """Install the newest interpreter, and adopt or install another minor."""
        others = [v for v, _ in FOUND if _minor(v) not in {_minor(newest), OWN}]
        others = others or [v for v, _ in FOUND if _minor(v) != _minor(newest)]
        mirror = packed_mirror((newest,))
        self._bubble("install", newest, BUBBLE_CATALOG=f"{mirror}/catalogue.json")
        if others:
            self._bubble("adopt", f"{dict(FOUND)[others[-1]]}/bin/python{_minor(others[-1])}")
        else:
            archive = real_build()
            with open(archive, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            self._bubble("install", "--from", archive, "--sha256", digest)

    def _bubble(self, *arguments: str, **variables: str) -> None:
        fine(run([BUBBLE, "python", *arguments], self.root, {**self.env, **variables}))

    def project(self, name: str, *requests: str) -> str:
        """Make a directory that selects versions (both: none given); return it."""
        path = f"{self.root}/{name}"
        lines = requests or (self.first, self.second)
        write(f"{path}/.python-version", "".join(f"{line}\n" for line in lines))
        return path

    def is_behind(self, program: str, minor: str, *, own: bool = True) -> bool:
        """Whether an environment's interpreter was made from the one that the store has.

        With `own`, a client may have taken the Python that it runs on for its own version:
        virtualenv does.
        """
        done = run([program, "-c", WHO], "/", {})
        shim = run([f"{self.homes[minor]}/bin/python", "-c", WHO], "/", {})
        if own and minor == OWN:
            return done.stdout.startswith(f"{minor} ")
        return done.stdout == shim.stdout != ""

    def run(self, *argv: str, cwd: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a client by its name, or a command on PATH."""
        client = f"{self.tools}/bin/{argv[0]}"
        program = client if argv[0] in CLIENTS else argv[0]
        return run(["/usr/bin/env", program, *argv[1:]], cwd, {**self.env, **variables})


def run(argv: list[str], cwd: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False
    )


def fine(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, f"{done.args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the directory that all workers share."""
    base = tmp_path_factory.getbasetemp()
    path = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.makedirs(path / "shim-clients", exist_ok=True)
    return str(path / "shim-clients")


@pytest.fixture(scope="module")
def tools(shared: str) -> str:
    """Return the environment with the clients, made once for all workers."""
    path = f"{shared}/clients"
    with Lock(f"{shared}/clients.lock"):
        if os.path.exists(f"{path}/failed"):
            pytest.skip(_NO_INDEX)
        if not os.path.exists(f"{path}/complete"):
            make = [sys.executable, "-m", "venv", "--without-pip", path]
            fine(run(make, shared, dict(os.environ)))
            pip = [sys.executable, "-m", "pip", "--python", f"{path}/bin/python"]
            pip += ["install", "-q", *CLIENTS]
            done = run(pip, shared, {**os.environ, "PIP_RETRIES": "1", "PIP_TIMEOUT": "20"})
            write(f"{path}/{'failed' if done.returncode else 'complete'}", done.stderr)
            if done.returncode:
                pytest.skip(_NO_INDEX)
    return path


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory, shared: str, tools: str) -> Clients:
    if not FOUND:
        not_here("no CPython to pack")
    return Clients(str(tmp_path_factory.mktemp("clients")), shared, tools)


def test_virtualenv_makes_environments_of_both(clients: Clients) -> None:
    cwd = clients.project("virtualenv")
    for minor in (clients.first, clients.second):
        fine(clients.run("virtualenv", "-q", "-p", minor, minor, cwd=cwd, **NO_SEED))
        assert clients.is_behind(f"{cwd}/{minor}/bin/python", minor)


def test_uv_makes_environments_of_both(clients: Clients) -> None:
    cwd = clients.project("uv")
    for minor in (clients.first, clients.second):
        fine(clients.run("uv", "venv", "-q", "--no-managed-python", "-p", minor, minor, cwd=cwd))
        assert clients.is_behind(f"{cwd}/{minor}/bin/python", minor, own=False)
    system = "--python-preference=only-system"
    fine(clients.run("uv", "venv", "-q", system, "-p", clients.second, "again", cwd=cwd))
    assert clients.is_behind(f"{cwd}/again/bin/python", clients.second, own=False)


def test_a_version_that_isnt_selected_is_found_by_its_name(clients: Clients) -> None:
    """They ask for `pythonX.Y`, whose shim runs the newest installed one of that version."""
    cwd = clients.project("one", clients.second)
    fine(clients.run("uv", "venv", "--no-managed-python", "-p", clients.first, "x", cwd=cwd))
    assert clients.is_behind(f"{cwd}/x/bin/python", clients.first)
    fine(clients.run("virtualenv", "-p", clients.first, "y", cwd=cwd, **NO_SEED))
    assert clients.is_behind(f"{cwd}/y/bin/python", clients.first)


def test_tox_finds_two_interpreters(clients: Clients) -> None:
    names = [f"py{minor.replace('.', '')}" for minor in (clients.first, clients.second)]
    cwd = clients.project("tox")
    write(
        f"{cwd}/tox.ini",
        f"[tox]\nenv_list = {', '.join(names)}\nno_package = true\n"
        "skip_missing_interpreters = false\n"
        f'[testenv]\ncommands = python -c "{WHO}"\n',
    )
    out = fine(clients.run("tox", "-q", cwd=cwd, **NO_SEED))
    for minor, name in zip((clients.first, clients.second), names, strict=True):
        assert f"{minor} " in out
        assert clients.is_behind(f"{cwd}/.tox/{name}/bin/python", minor)


def test_nox_finds_two_interpreters(clients: Clients) -> None:
    cwd = clients.project("nox")
    write(
        f"{cwd}/noxfile.py",
        "import nox\n\n"
        f"@nox.session(python=[{clients.first!r}, {clients.second!r}])\n"
        f"def who(session):\n    session.run('python', '-c', {WHO!r})\n",
    )
    done = clients.run("nox", "--error-on-missing-interpreters", cwd=cwd, **NO_SEED)
    fine(done)
    for minor in (clients.first, clients.second):
        assert clients.is_behind(f"{cwd}/.nox/who-{minor.replace('.', '-')}/bin/python", minor)


@needs("git")
def test_pre_commit_runs_a_python_hook_with_the_version_that_it_names(clients: Clients) -> None:
    """It makes its environments in a directory of its own, where the global pin decides."""
    fine(clients.run(BUBBLE, "use", "--global", clients.first, clients.second, cwd=clients.root))
    cwd = clients.project("pre-commit")
    write(
        f"{cwd}/.pre-commit-config.yaml",
        "repos:\n- repo: local\n  hooks:\n  - id: who\n    name: who\n    language: python\n"
        f"    language_version: python{clients.second}\n    always_run: true\n    verbose: true\n"
        f'    pass_filenames: false\n    entry: python -c "{WHO}"\n',
    )
    for words in (("init", "-q"), ("add", ".")):
        fine(clients.run("git", *words, cwd=cwd))
    out = fine(clients.run("pre-commit", "run", "--all-files", cwd=cwd))
    assert f"\n{clients.second} " in out


PROJECT = """[build-system]
requires = ["flit_core>=3.4,<4"]
build-backend = "flit_core.buildapi"
[project]
name = "tool-of-ours"
version = "1"
description = "a tool"
[project.scripts]
tool-of-ours = "tool_of_ours:main"
"""


def test_what_real_pip_installs_through_a_shim_is_a_command_at_once(clients: Clients) -> None:
    cwd = clients.project("pip", clients.first)
    write(f"{cwd}/pyproject.toml", PROJECT)
    write(f"{cwd}/tool_of_ours.py", "def main():\n    print('made by pip')\n")
    shim = f"{clients.layout.shims}/tool-of-ours"
    built = wheel(clients.root, "tool_of_ours", "1", "tool-of-ours", says="made by pip")
    refused = clients.run("pip", "install", built, cwd=cwd)
    assert refused.returncode != 0
    assert not os.path.exists(shim)
    # a project, which pip builds first, and a wheel
    for words, what in ((("pip",), "."), (("python", "-m", "pip"), built)):
        allowed = {"PIP_BREAK_SYSTEM_PACKAGES": "1", "PIP_NO_WARN_SCRIPT_LOCATION": "1"}
        fine(clients.run(*words, "install", "-q", what, cwd=cwd, **allowed))
        assert fine(clients.run("tool-of-ours", cwd=cwd)) == "made by pip\n"
        fine(clients.run(*words, "uninstall", "-q", "-y", "tool-of-ours", cwd=cwd, **allowed))
        assert not os.path.exists(shim)


def test_build_builds_with_the_selected_python(clients: Clients) -> None:
    """`python -m build`, found by PYTHONPATH: into the interpreter itself it isn't installed."""
    cwd = clients.project("build", OWN if OWN in clients.homes else clients.first)
    write(f"{cwd}/pyproject.toml", PROJECT)
    write(f"{cwd}/tool_of_ours.py", '"""A tool."""\n')
    path = f"{clients.tools}/lib/python{OWN}/site-packages"
    fine(clients.run("python", "-m", "build", "--wheel", cwd=cwd, PYTHONPATH=path))
    (wheel,) = os.listdir(f"{cwd}/dist")
    assert wheel.startswith("tool_of_ours-1-py")

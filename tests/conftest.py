"""What every test gets: a home of its own, a clean environment, and the real command line.

Nothing outside `tmp_path` is read or written by a test unless it says so. Helpers that aren't
fixtures are plain modules in `tests/support`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import hypothesis
import pytest

from bubble.system.layout import Layout
from support.fault_server import serve
from support.needs import FULL
from support.patience import PATIENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from support.fault_server import FaultServer

pytest_plugins = ["support.skips"]

# whoever runs the tests in the background has these ignored, and every child would inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
for _number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(_number, signal.SIG_DFL)

# other people's processes share the machine: a slow example is no wrong example
hypothesis.settings.register_profile("bubble", deadline=None, print_blob=True)
hypothesis.settings.register_profile("full", deadline=None, print_blob=True, max_examples=2000)
hypothesis.settings.load_profile("full" if FULL else "bubble")

_SCRUBBED = ("PYENV_", "VIRTUAL_ENV", "CONDA_", "PYTHON", "UV_", "XDG_", "GITHUB_TOKEN")
_SCRUBBED_FOLDED = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")


@pytest.fixture(autouse=True)
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the variables for child processes; `os.environ` is set to the same for the test.

    HOME, BUBBLE_HOME and BUBBLE_CACHE_DIR lie below `tmp_path` and don't exist yet, except HOME.
    PATH has no shims, no virtual environment: what the machine itself has. BUBBLE_TEST_… stay.
    """
    home = tmp_path / "home"
    home.mkdir()
    clean = {name: value for name, value in os.environ.items() if not _is_scrubbed(name)}
    clean |= {
        "HOME": str(home),
        "BUBBLE_HOME": str(tmp_path / "bubble"),
        "BUBBLE_CACHE_DIR": str(tmp_path / "cache"),
        # on a slow machine, too, the same is said
        "BUBBLE_PROGRESS_AFTER": "86400",
        "PATH": _path(os.environ.get("PATH", "")),
        "LC_ALL": "C.UTF-8",
        # a machine that runs tests may have none
        "SHELL": "/bin/bash",
    }
    for name in os.environ.keys() - clean.keys():
        monkeypatch.delenv(name)
    for name, value in clean.items():
        monkeypatch.setenv(name, value)
    return clean


def _is_scrubbed(name: str) -> bool:
    if name.startswith("BUBBLE_"):
        return not name.startswith("BUBBLE_TEST_")
    return name.startswith(_SCRUBBED) or name.lower() in _SCRUBBED_FOLDED


def _path(inherited: str) -> str:
    own = os.path.dirname(sys.executable)
    kept = [d for d in inherited.split(":") if os.path.isabs(d) and "/shims" not in d and d != own]
    return ":".join(dict.fromkeys([*kept, *_SYSTEM_PATH]))


@pytest.fixture
def home(env: dict[str, str]) -> str:
    """Return the absolute path of BUBBLE_HOME; the directory doesn't exist yet."""
    return env["BUBBLE_HOME"]


@pytest.fixture
def layout(env: dict[str, str]) -> Layout:
    """Return the layout of this test's home and cache."""
    return Layout(home=env["BUBBLE_HOME"], cache=env["BUBBLE_CACHE_DIR"])


@dataclass(frozen=True)
class Result:
    """What one call of the command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The whole of stdout, parsed."""
        return json.loads(self.out)


@pytest.fixture
def bubble(env: dict[str, str], tmp_path: Path) -> Callable[..., Result]:
    """Return a function that runs the installed `bubble` command in a process of its own.

    `bubble("python", "list", "--json", cwd=…, env={"BUBBLE_OFFLINE": "1"}, stdin="…")` gives a
    `Result`. `env` adds to the test's environment; None takes a variable away. Never raises for
    a non-zero status; raises after `timeout` seconds.
    """
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    given = env

    def run(
        *arguments: str,
        cwd: str | os.PathLike[str] = tmp_path,
        env: Mapping[str, str | None] | None = None,
        stdin: str = "",
        timeout: float = PATIENCE,
    ) -> Result:
        merged = {**given, **(env or {})}
        done = subprocess.run(
            [program, *arguments],
            cwd=cwd,
            env={name: value for name, value in merged.items() if value is not None},
            input=stdin.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        return Result(
            status=done.returncode,
            out=done.stdout.decode("utf-8", "surrogateescape"),
            err=done.stderr.decode("utf-8", "surrogateescape"),
        )

    return run


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FaultServer]:
    """Serve the directory `tmp_path/served` (made, empty) on loopback; `server.url` is its root.

    `server.directory` is where to put files, `server.log` what was asked for.
    """
    directory = tmp_path / "served"
    directory.mkdir()
    with serve(str(directory)) as running:
        yield running


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[str]:
    """Return a directory that the test must leave as it is: what it holds is checked afterwards."""
    root = tmp_path / "canary"
    (root / "directory").mkdir(parents=True)
    (root / "file").write_text("as it was\n")
    (root / "directory" / "program").write_text("#!/bin/sh\n")
    (root / "directory" / "program").chmod(0o755)
    (root / "link").symlink_to("file")
    (root / "dangling").symlink_to("/nonexistent/target")
    before = snapshot(str(root))
    yield str(root)
    assert snapshot(str(root)) == before, "something was changed outside the allowed directory"


def snapshot(root: str) -> dict[str, tuple[object, ...]]:
    """Return path → (mode, size, mtime in ns, digest or link target) for all below `root`."""
    found: dict[str, tuple[object, ...]] = {}
    for directory, directories, files in os.walk(root):
        for path in [directory, *(os.path.join(directory, n) for n in (*directories, *files))]:
            status = os.lstat(path)
            content = ""
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found[path] = (status.st_mode, status.st_size, status.st_mtime_ns, content)
    return found

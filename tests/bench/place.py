"""The scratch directory: all contestants freshly installed, and their variables."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench import peers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.builds import Build

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# nothing of the caller's settings reaches a contestant
_KEPT = ("LANG", "LC_ALL", "TZ")


class Place:
    """Paths below the scratch directory `path`, and the contestants' commands and variables."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.mirror = f"{path}/mirror"
        self.log = f"{path}/log"
        self.python = f"{path}/bubble/bin/python"
        self.base = os.path.realpath(sys.executable)  # what bubble's environment is made of
        self.bubble = f"{path}/bubble/bin/bubble"
        self.uv = f"{path}/uv/bin/uv"
        self.virtualenv = f"{path}/virtualenv/bin/virtualenv"
        self.pdm = f"{path}/pdm/bin/pdm"
        self.hatch = f"{path}/hatch/bin/hatch"
        self.poetry = f"{path}/poetry/bin/poetry"
        self.venv_pack = f"{path}/venv-pack/bin/venv-pack"
        self.pex = f"{path}/pex/bin/pex"
        self.mise = peers.mise(path)
        self.pyenv = peers.pyenv_root()
        self.missing: dict[str, str] = {}

    def set_up(self) -> None:
        """Install bubble as a wheel of this checkout, and the peers by name."""
        peers.install(f"{self.path}/bubble", CHECKOUT, latest_pip=True)
        self.missing = peers.set_up(self.path)

    def renew(self) -> None:
        """Install bubble again, as the checkout is now."""
        peers.pip(self.python, "--force-reinstall", "--no-deps", CHECKOUT)

    def lacks(self, name: str) -> bool:
        """Tell whether a peer of that name couldn't be set up."""
        return name in (*peers.FROM_PYPI, "mise") and not os.path.exists(self._program(name))

    def _program(self, name: str) -> str:
        return str(getattr(self, name.replace("-", "_")))

    def versions(self) -> dict[str, str]:
        """Return what was measured: bubble (with its commit), uv, and the Python under bubble."""
        commit = _output(["git", "-C", CHECKOUT, "rev-parse", "--short", "HEAD"], os.environ)
        env = {**self.environment(f"{self.path}/versions"), "MISE_OFFLINE": "1"}
        asked = {name: [self._program(name), "--version"] for name in peers.FROM_PYPI}
        asked["mise"] = [self.mise, "version"]
        if self.pyenv:
            asked["pyenv"] = [f"{self.pyenv}/bin/pyenv", "--version"]
        found = {name: _output(argv, env).partition("\n")[0] for name, argv in asked.items()}
        return {
            "bubble": f"{_output([self.bubble, '--version'], env)} ({commit or 'no repository'})",
            **{name: said.partition(" from ")[0] or "not here" for name, said in found.items()},
            "python": f"CPython {sys.version.split()[0]}",
        }

    def environment(self, store: str, **more: str) -> dict[str, str]:
        """Return the variables for both contestants, with their stores and caches in `store`."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {
            **kept,
            "PATH": "/usr/bin:/bin",
            "HOME": f"{self.path}/home",
            "BUBBLE_HOME": f"{store}/bubble",
            "BUBBLE_CACHE_DIR": f"{store}/bubble-cache",
            "UV_PYTHON_INSTALL_DIR": f"{store}/uv",
            "UV_CACHE_DIR": f"{store}/uv-cache",
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_INSTALL_BIN": "0",
            "UV_PYTHON_PREFERENCE": "only-managed",
            **peers.variables(store),
            **more,
        }

    def catalogue(self, build: Build | Sequence[Build], url: str) -> dict[str, str]:
        """Return the variables that make everybody take the builds from the server at `url`."""
        builds = list(build) if isinstance(build, Sequence) else [build]
        path = f"{self.path}/catalogue.json"
        index = {
            one.key: {**one.entry, "url": f"{url}/{one.file.replace('+', '%2B')}"} for one in builds
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(index, file)
        plain = [one for one in builds if "install_only" in one.file]
        if plain:
            peers.stage(self.mirror, plain)
        return {
            "BUBBLE_CATALOG": path,
            "UV_PYTHON_DOWNLOADS_JSON_URL": f"file://{path}",
            **(peers.addresses(plain, url) if plain else {}),
        }

    def fresh(self, name: str) -> str:
        """Return the path of a directory, empty now."""
        path = f"{self.path}/{name}"
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path


def scratch() -> str:
    """Return a new directory, in memory where there is enough."""
    for parent in ("/dev/shm", tempfile.gettempdir()):
        if os.path.isdir(parent) and shutil.disk_usage(parent).free > 6 << 30:
            return tempfile.mkdtemp(prefix="bubble-bench.", dir=parent)
    return tempfile.mkdtemp(prefix="bubble-bench.")


def file_system(path: str) -> str:
    """Return the type of the file system that `path` is on (Linux), or ""."""
    best, kind = "", ""
    try:
        with open("/proc/self/mounts", encoding="utf-8") as file:
            for line in file:
                _, point, found, *_ = line.split(" ")
                if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(best):
                    best, kind = point, found
    except OSError:
        return ""
    return kind


def _output(argv: list[str], env: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            argv, env=dict(env), capture_output=True, text=True, timeout=60, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()

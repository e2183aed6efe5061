"""The scratch directory: both contestants freshly installed, and their environments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.builds import Build

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = ("uv", "virtualenv")
# nothing of the caller's settings reaches a contestant
_KEPT = ("LANG", "LC_ALL", "TZ")


class Place:
    """Paths below the scratch directory `path`, and the contestants' commands and variables."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.mirror = f"{path}/mirror"
        self.log = f"{path}/log"
        self.python = f"{path}/bubble/bin/python"
        self.bubble = f"{path}/bubble/bin/bubble"
        self.uv = f"{path}/uv/bin/uv"
        self.virtualenv = f"{path}/virtualenv/bin/virtualenv"

    def set_up(self) -> None:
        """Make a virtual environment each: bubble as a wheel of this checkout, others by name."""
        for directory, package in (("bubble", CHECKOUT), *((name, name) for name in TOOLS)):
            venv.create(f"{self.path}/{directory}", with_pip=True, symlinks=True)
            python = f"{self.path}/{directory}/bin/python"
            _pip(python, "--upgrade", "pip")
            _pip(python, package)

    def renew(self) -> None:
        """Install bubble again, as the checkout is now."""
        _pip(self.python, "--force-reinstall", "--no-deps", CHECKOUT)

    def versions(self) -> dict[str, str]:
        """Return what was measured: bubble (with its commit), uv, and the Python under bubble."""
        commit = _output(["git", "-C", CHECKOUT, "rev-parse", "--short", "HEAD"])
        return {
            "bubble": f"{_output([self.bubble, '--version'])} ({commit or 'no repository'})",
            "uv": _output([self.uv, "--version"]),
            "virtualenv": _output([self.virtualenv, "--version"]).partition(" from ")[0],
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
            **more,
        }

    def catalogue(self, build: Build, url: str) -> dict[str, str]:
        """Return the variables that make both take `build` from the server at `url`."""
        path = f"{self.path}/catalogue.json"
        entry = {**build.entry, "url": f"{url}/{build.file.replace('+', '%2B')}"}
        with open(path, "w", encoding="utf-8") as file:
            json.dump({build.key: entry}, file)
        return {"BUBBLE_CATALOG": path, "UV_PYTHON_DOWNLOADS_JSON_URL": f"file://{path}"}

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


def _pip(python: str, *arguments: str) -> None:
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *arguments],
        env=_pip_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"pip install {' '.join(arguments)}:\n{done.stdout}")


def _pip_environment(env: Mapping[str, str]) -> dict[str, str]:
    clean = {name: value for name, value in env.items() if not name.startswith("PYTHON")}
    return {**clean, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}


def _output(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return ""
    return done.stdout.strip()

"""The peers: where they come from, what keeps each in its place, and how each gets our archives.

uv, virtualenv, pdm, hatch, poetry, venv-pack and pex come from PyPI, mise from npm, each by its
name; pyenv takes part where it is on the machine. One that can't be set up takes no part.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import venv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.builds import Build

FROM_PYPI = ("uv", "virtualenv", "pdm", "hatch", "poetry", "venv-pack", "pex")
# beside a peer's name, what its own requirements get wrong: pdm takes any later hishel, and can't
_BESIDE = {"pdm": ("hishel<2",)}
MISE = "@jdxcode/mise"
# where python-build-standalone's archives are, for those that want to see that in the address
RELEASES = "astral-sh/python-build-standalone/releases/download"


def pyenv_root() -> str:
    """Return pyenv's directory on this machine, or "" where it isn't."""
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    return root if os.access(f"{root}/bin/pyenv", os.X_OK) else ""


def set_up(root: str) -> dict[str, str]:
    """Install every peer below `root`; return those that can't be, and why."""
    missing = {}
    for name in FROM_PYPI:
        try:
            install(f"{root}/{name}", name, *_BESIDE.get(name, ()))
        except RuntimeError as error:
            missing[name] = str(error)
    try:
        _npm(f"{root}/mise", MISE)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        missing["mise"] = str(error)
    return missing


def install(directory: str, *packages: str, latest_pip: bool = False) -> None:
    """Make a virtual environment with packages; RuntimeError with pip's words."""
    venv.create(directory, with_pip=True, symlinks=True)
    python = f"{directory}/bin/python"
    if latest_pip:
        pip(python, "--upgrade", "pip")
    pip(python, *packages)


def pip(python: str, *arguments: str) -> None:
    """Run `pip install`, as the machine has it set up; RuntimeError with its words."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**clean, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    _require([python, "-m", "pip", "install", "--quiet", *arguments], env)


def mise(root: str) -> str:
    """Return the path of mise's program, which the package brings."""
    return f"{root}/mise/node_modules/{MISE}/bin/mise"


def variables(store: str) -> dict[str, str]:
    """Return what keeps the peers' files in `store`, and keeps them off the network."""
    return {
        "MISE_DATA_DIR": f"{store}/mise",
        "MISE_CACHE_DIR": f"{store}/mise-cache",
        "MISE_CONFIG_DIR": f"{store}/mise-config",
        "MISE_STATE_DIR": f"{store}/mise-state",
        "MISE_TRUSTED_CONFIG_PATHS": "/",
        "MISE_YES": "1",
        "MISE_PYTHON_COMPILE": "0",
        "MISE_PYTHON_GITHUB_ATTESTATIONS": "0",
        "MISE_IDIOMATIC_VERSION_FILE_ENABLE_TOOLS": "python",
        "HATCH_DATA_DIR": f"{store}/hatch",
        "HATCH_CACHE_DIR": f"{store}/hatch-cache",
        "PDM_CHECK_UPDATE": "0",
        "PDM_CACHE_DIR": f"{store}/pdm-cache",
        "PDM_CONFIG_FILE": f"{store}/pdm-config.toml",
        "PDM_IGNORE_SAVED_PYTHON": "1",
    }


def index(env: Mapping[str, str]) -> dict[str, str]:
    """Return where packages come from, as the caller says, and whose certificates count."""
    indexes = ("PIP_INDEX", "PIP_EXTRA", "UV_INDEX", "UV_DEFAULT")
    words = (*indexes, "PIP_CERT", "SSL_CERT", "REQUESTS_CA", "CURL_CA")
    return {n: v for n, v in env.items() if n.startswith(words) or n.lower().endswith("_proxy")}


def default_index(python: str) -> str:
    """Return the address of the index that pip takes where nobody says another one."""
    said = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    done = subprocess.run([python, "-c", said], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def stage(mirror: str, builds: Sequence[Build]) -> None:
    """Show the archives in `mirror` as python-build-standalone publishes its own."""
    names = []
    for build in builds:
        tag, name = _published(build)
        directory = f"{mirror}/{RELEASES}/{tag}"
        os.makedirs(directory, exist_ok=True)
        if not os.path.lexists(f"{directory}/{name}"):
            os.link(f"{mirror}/{build.file}", f"{directory}/{name}")
        names.append(name)
    os.makedirs(f"{mirror}/tools", exist_ok=True)
    triple = _triple(names[0])
    with gzip.open(f"{mirror}/tools/python-precompiled-{triple}.gz", "wt") as file:
        file.write("".join(f"{name}\n" for name in names))


def addresses(builds: Sequence[Build], url: str) -> dict[str, str]:
    """Return what makes mise and hatch take the archives from the server at `url`."""
    found = {
        "MISE_URL_REPLACEMENTS": json.dumps(
            {
                f"regex:^https://github.com/({RELEASES}/.+)": f"{url}/$1",
                "regex:^https://mise-versions.jdx.dev/(tools/.+)": f"{url}/$1",
                "regex:^https://(.+)": f"{url}/nothing/$1",
            }
        )
    }
    for build in builds:
        tag, name = _published(build)
        variable = f"HATCH_PYTHON_CUSTOM_SOURCE_{build.minor.replace('.', '_')}"
        found[variable] = f"{url}/{RELEASES}/{tag}/{name.replace('+', '%2B')}"
    return found


def _published(build: Build) -> tuple[str, str]:
    """Return the tag and the file name that upstream would give a build."""
    name = os.path.basename(build.file)
    tag = re.search(r"\+(\d{8})-", name)
    kind = "install_only_stripped" if "stripped" in name else "install_only"
    return (tag[1] if tag else "20260101"), f"{name.partition('-install_only')[0]}-{kind}.tar.gz"


def _triple(name: str) -> str:
    return name.partition("-install_only")[0].partition("+")[2].partition("-")[2]


def _npm(directory: str, package: str) -> None:
    """Install a package with its programs; RuntimeError unless the program is there and runs."""
    npm = shutil.which("npm")
    if not npm:
        raise RuntimeError("npm isn't on this machine")
    os.makedirs(directory, exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--loglevel", "error")
    _require([npm, "install", "--prefix", directory, *quiet, package], os.environ)
    _require([f"{directory}/node_modules/{package}/bin/mise", "version"],
             {**variables(directory), "HOME": directory, "PATH": "/usr/bin:/bin",
              "MISE_OFFLINE": "1"})  # fmt: skip


def _require(argv: Sequence[str], env: Mapping[str, str]) -> None:
    done = subprocess.run(
        argv,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}:\n{done.stdout}")

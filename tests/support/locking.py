"""Projects to lock without an index: small wheels in a directory, doubles of builds, a real uv.

with_wheels(env, tmp_path, wheels)   # env then has UV_FIND_LINKS and no network
project = Project(path); project.manifest('python = "3.12"', …)
"""

from __future__ import annotations

import importlib.metadata
import os
import tomllib
import zipfile

from bubble.model.platform import parse_platform
from bubble.system.host import host_platform
from support.builds import small_mirror
from support.needs import not_here
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

# name, version, requirements
Wheel = tuple[str, str, tuple[str, ...]]
WHEELS: tuple[Wheel, ...] = (
    ("alpha", "1.0", ("beta>=1", "winonly; sys_platform == 'win32'")),
    ("alpha", "2.0", ("beta>=1", "winonly; sys_platform == 'win32'")),
    ("beta", "1.0", ()),
    ("beta", "1.1", ()),
    ("gamma", "0.1", ()),
    ("winonly", "3.0", ()),
)


def make_wheels(directory: str, wheels: Iterable[Wheel] = WHEELS) -> str:
    """Write wheels into a directory (absolute), which is made; return it."""
    os.makedirs(directory, exist_ok=True)
    for name, version, requires in wheels:
        wheel(directory, name, version, requires=requires)
    return directory


def use_uv(env: dict[str, str], uv: str, wheels: str, scratch: str) -> None:
    """Put uv on the PATH of `env`, with no index but a directory of wheels, and no network."""
    os.makedirs(f"{scratch}/bin", exist_ok=True)
    os.symlink(uv, f"{scratch}/bin/uv")
    env["PATH"] = f"{scratch}/bin:{env['PATH']}"
    env |= {"UV_OFFLINE": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": wheels}
    env |= {"UV_CACHE_DIR": f"{scratch}/uv", "UV_NO_CONFIG": "1"}


def doubles(directory: str, *versions: str | Mapping[str, Any]) -> str:
    """Make a catalogue of small builds; return its path."""
    return small_mirror(directory, [_small(v) for v in versions])


def _small(spec: str | Mapping[str, Any]) -> dict[str, Any]:
    given = {"version": spec} if isinstance(spec, str) else dict(spec)
    return {"extra_files": 0, **given}


def read(path: str) -> dict[str, Any]:
    """Return what a lock file says."""
    with open(path, "rb") as file:
        return tomllib.load(file)


def versions(path: str) -> dict[str, str]:
    """Return the packages of a lock file with their versions, "" for source trees."""
    return {p["name"]: p.get("version", "") for p in read(path).get("packages", [])}


OTHERS = ("linux-aarch64-gnu", "darwin-aarch64-none", "windows-x86_64-none")


def platforms() -> list[str]:
    """Return the platforms that the tests know, this machine's first."""
    here = host_platform(os.environ)
    return [str(here), *(p for p in OTHERS if parse_platform(p) != here)]


def everywhere(version: str, **more: str) -> list[dict[str, object]]:
    """Return the specs of a version's builds, one for each platform that the tests know."""
    return [{"version": version, "on": parse_platform(p), **more} for p in platforms()]


def manifest(directory: Path, *lines: str, python: str = "3.12", top: str = "") -> None:
    """Write a manifest whose default bubble says these lines."""
    text = "\n".join([f'python = "{python}"', top, "[bubbles.default]", *lines, ""])
    (directory / "bubble.toml").write_text(text, encoding="utf-8")


def own_pip(directory: str) -> None:
    """Make a wheel of the pip that runs these tests, which can lock."""
    distribution = importlib.metadata.distribution("pip")
    if tuple(map(int, distribution.version.split(".")[:2])) < (25, 1):
        not_here("the tests' own pip can't lock")
    name = f"{directory}/pip-{distribution.version}-py3-none-any.whl"
    with zipfile.ZipFile(name, "w") as archive:
        for file in distribution.files or ():
            belongs = file.parts[0] in {"pip", f"pip-{distribution.version}.dist-info"}
            if belongs and file.suffix != ".pyc" and file.name not in {"INSTALLER", "REQUESTED"}:
                archive.write(str(file.locate()), str(file))

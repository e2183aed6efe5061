"""The archives that are installed: one packed here, a real one where there is one, huge ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bench.peers import pyenv_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.place import Place

REAL = "BUBBLE_TEST_PBS_ARCHIVE"
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True)
class Build:
    """An archive `file` below the mirror, and its entry (without the URL) in an index."""

    title: str
    key: str
    file: str
    size: int
    entry: dict[str, Any]

    @property
    def request(self) -> str:
        """What to ask for to get it."""
        return "{major}.{minor}.{patch}".format(**self.entry)

    @property
    def minor(self) -> str:
        """Its minor version, `3.11`."""
        return self.request.rpartition(".")[0]


def packed(place: Place) -> Build:
    """Pack the interpreter that runs this."""
    return pack(place, sys.base_prefix, "packed")


def pack(place: Place, prefix: str, title: str) -> Build:
    """Pack the interpreter of `prefix`."""
    env = place.environment(f"{place.path}/pack")
    argv = [place.bubble, "mirror", "pack", place.mirror, prefix, "--json"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}:\n{done.stdout}{done.stderr}")
    key = json.loads(done.stdout)["data"]["key"]
    with open(f"{place.mirror}/catalogue.json", encoding="utf-8") as file:
        entry = json.load(file)[key]
    path = f"{place.mirror}/{entry['url'].replace('%2B', '+')}"
    return build(title, place, path, key, entry)


def real(place: Place, like: Build) -> Build | None:
    """Return the python-build-standalone archive that BUBBLE_TEST_PBS_ARCHIVE names, if any."""
    archive = os.environ.get(REAL, "")
    found = re.match(r"cpython-(\d+)\.(\d+)\.(\d+)\+", os.path.basename(archive))
    if not found:
        return None
    major, minor, patch = (int(number) for number in found.groups())
    key = f"cpython-{major}.{minor}.{patch}-{like.key.split('-', 2)[2]}"
    entry = {**like.entry, "major": major, "minor": minor, "patch": patch, "prerelease": ""}
    path = f"{place.mirror}/real/{os.path.basename(archive)}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copyfile(archive, path)
    return build("real", place, path, key, entry)


def huge(place: Place, like: Build, window_log: int) -> Build:
    """Make a `full` build of more than 1 GiB from `like`: zstd, with a window of 2^window_log."""
    path = f"{place.mirror}/huge/full-{window_log}.tar.zst"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    argv = [place.python, "-m", "bench.huge", f"{place.mirror}/{like.file}", path, str(window_log)]
    subprocess.run(argv, env={**os.environ, "PYTHONPATH": TESTS}, check=True, timeout=900)
    title = f"full, zstd window {(1 << window_log) >> 20} MiB"
    return build(title, place, path, like.key, like.entry)


def sized(place: Place, like: Build, megabytes: int) -> Build | None:
    """Make a build of about so many MB from `like`; None where there is no `strip` for a small."""
    if not shutil.which("strip"):
        return None
    path = f"{place.mirror}/sized/{os.path.basename(like.file)}.{megabytes}.tar.gz"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    argv = [place.python, "-m", "bench.sized", f"{place.mirror}/{like.file}", path, str(megabytes)]
    subprocess.run(argv, env={**os.environ, "PYTHONPATH": TESTS}, check=True, timeout=900)
    made = build("", place, path, like.key, like.entry)
    return replace(made, title=f"{made.size / 1e6:.0f} MB")


def of_minors(place: Place, have: Sequence[Build]) -> list[Build]:
    """Return builds of three minors: those that there are, and interpreters of this machine.

    Fewer, where pyenv and PATH have no more; 3.10, 3.11 and 3.12 first.
    """
    found = {build.minor: build for build in have}
    wanted = ("3.10", "3.11", "3.12")
    for prefix in _prefixes():
        version = _version(prefix)
        minor = version.rpartition(".")[0]
        missing = [minor for minor in wanted if minor not in found]
        if minor in found or not missing or (len(found) >= 3 and minor not in wanted):
            continue
        try:
            found[minor] = pack(place, prefix, f"packed {minor}")
        except RuntimeError:  # not everything that is called python can be packed
            continue
    first = [found[minor] for minor in wanted if minor in found]
    return [*first, *(b for minor, b in found.items() if minor not in wanted)][:3]


def of_one_minor(place: Place, have: Sequence[Build]) -> tuple[Build, Build] | None:
    """Return one of the builds, and an interpreter of this machine of the same minor, if any."""
    for prefix in _prefixes():
        version = _version(prefix)
        for build in have:
            if build.minor == version.rpartition(".")[0] and build.request != version:
                try:
                    return build, pack(place, prefix, f"packed {version}")
                except RuntimeError:  # not everything that is called python can be packed
                    break
    return None


def _prefixes() -> Iterator[str]:
    """Yield the prefixes of interpreters: pyenv's, newest first, then those on PATH."""
    versions = f"{pyenv_root()}/versions"
    names = os.listdir(versions) if os.path.isdir(versions) else []
    for name in sorted(names, key=lambda n: [int(d) for d in re.findall(r"\d+", n)], reverse=True):
        if re.fullmatch(r"3\.\d+\.\d+", name):
            yield f"{versions}/{name}"
    for minor in range(10, 15):
        for directory in ("/usr/local/bin", "/usr/bin"):
            if os.access(f"{directory}/python3.{minor}", os.X_OK):
                yield f"{directory}/python3.{minor}"


def _version(prefix: str) -> str:
    python = f"{prefix}/bin/python3" if os.path.isdir(prefix) else prefix
    code = "import platform; print(platform.python_version())"
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip()


def build(title: str, place: Place, path: str, key: str, entry: dict[str, Any]) -> Build:
    """Return the build that the archive `path`, below the mirror, is."""
    import hashlib

    with open(path, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Build(
        title=title,
        key=key,
        file=os.path.relpath(path, place.mirror),
        size=os.path.getsize(path),
        entry={**entry, "sha256": sha256},
    )

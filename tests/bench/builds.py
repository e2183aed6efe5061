"""The archives that are installed: one packed here, a real one where there is one, huge ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def packed(place: Place) -> Build:
    """Pack the interpreter that runs this."""
    env = place.environment(f"{place.path}/pack")
    argv = [place.bubble, "mirror", "pack", place.mirror, sys.base_prefix, "--json"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}:\n{done.stdout}{done.stderr}")
    key = json.loads(done.stdout)["data"]["key"]
    with open(f"{place.mirror}/catalogue.json", encoding="utf-8") as file:
        entry = json.load(file)[key]
    path = f"{place.mirror}/{entry['url'].replace('%2B', '+')}"
    return _build("packed", place, path, key, entry)


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
    return _build("real", place, path, key, entry)


def huge(place: Place, like: Build, window_log: int) -> Build:
    """Make a `full` build of more than 1 GiB from `like`: zstd, with a window of 2^window_log."""
    path = f"{place.mirror}/huge/full-{window_log}.tar.zst"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    argv = [place.python, "-m", "bench.huge", f"{place.mirror}/{like.file}", path, str(window_log)]
    subprocess.run(argv, env={**os.environ, "PYTHONPATH": TESTS}, check=True, timeout=900)
    title = f"full, > 1 GiB, zstd window {(1 << window_log) >> 20} MiB"
    return _build(title, place, path, like.key, like.entry)


def _build(title: str, place: Place, path: str, key: str, entry: dict[str, Any]) -> Build:
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

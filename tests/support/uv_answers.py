"""What uv itself answers for a list of requirements, to hold bubble's locks against."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

from bubble.projects.markers import can_hold
from support.needs import real_uv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Answer = set[tuple[str, str]]
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"  # `uv lock` needs the very one


def by_uv_lock(wanted: Sequence[str], minor: str, env: Mapping[str, str], at: str) -> Answer:
    """Return the names and versions that `uv lock` finds, for every platform."""
    os.mkdir(at)
    lines = ", ".join(f"'''{line}'''" for line in wanted)
    with open(f"{at}/pyproject.toml", "w", encoding="utf-8") as file:
        file.write('[project]\nname = "compared-with"\nversion = "1"\n')
        file.write(f'requires-python = "=={minor}.*"\ndependencies = [{lines}]\n')
    _run(["lock", "--quiet"], env, at)
    with open(f"{at}/uv.lock", "rb") as opened:
        packages = tomllib.load(opened)["package"]
    return {(p["name"], p["version"]) for p in packages if p["name"] != "compared-with"}


def by_uv_compile(wanted: Sequence[str], minor: str, env: Mapping[str, str], at: str) -> Answer:
    """Return what `uv pip compile --universal` finds, less what is for later Pythons alone."""
    os.mkdir(at)
    with open(f"{at}/requirements.in", "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in wanted))
    options = ("--universal", "--quiet", "--format", "pylock.toml", "-o", "pylock.toml")
    _run(["pip", "compile", *options, "--python-version", minor, "requirements.in"], env, at)
    return by_lock(f"{at}/pylock.toml", minor)


def by_lock(path: str, minor: str) -> Answer:
    """Return the names and versions of a lock file that some machine's Python would take."""
    with open(path, "rb") as opened:
        packages = tomllib.load(opened).get("packages", [])
    return {
        (p["name"], p["version"])
        for p in packages
        if "marker" not in p or can_hold(p["marker"], minor)
    }


def _run(words: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
    done = subprocess.run(
        [real_uv(), *words, "--python", sys.executable],
        env=dict(env),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

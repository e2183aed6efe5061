"""A release of this checkout, as users get it: built once, with an interpreter of this machine."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

from bubble.system.lock import Lock
from support.builds import packed_mirror, shared_cache
from support.needs import not_here

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BEFORE = '__version__ = "'


def release(
    directory: str,
    *,
    base: str = "",
    version: str = "",
    bundles: bool = False,
    mirror: str = "",
    minor: str = "3.11",
) -> str:
    """Build a release into `directory`, with everything that it installs; return the directory.

    `version` is another one than the checkout's; `bundles` makes these, too; its interpreter is
    the `minor` of a mirror, this machine's own by default. Skips the test where the build's tools
    or the packages can't be had: they come from an index.
    """
    mirror = mirror or packed_mirror([minor])
    source = f"{directory}/source"
    out = f"{directory}/release"
    files = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if files.returncode:
        not_here("a release is built from a git checkout")
    for name in filter(None, files.stdout.split("\0")):
        if os.path.isfile(f"{ROOT}/{name}"):
            os.makedirs(os.path.dirname(f"{source}/{name}"), exist_ok=True)
            shutil.copy2(f"{ROOT}/{name}", f"{source}/{name}")
    if version:
        path = f"{source}/src/bubble/__init__.py"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        head, _, tail = text.partition(BEFORE)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'{head}{BEFORE}{version}"{tail.partition(chr(34))[2]}')
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "release"]):
        subprocess.run(["git", "-C", source, *command], check=True, capture_output=True)
    env = {**os.environ, "BUBBLE_CATALOG": f"{mirror}/catalogue.json", "SOURCE_DATE_EPOCH": "1"}
    if bundles:
        env["PIP_FIND_LINKS"] = f"{needed()} {os.environ.get('PIP_FIND_LINKS', '')}"
    script = [sys.executable, f"{source}/scripts/release", "--python", minor, "--output", out]
    done = subprocess.run(
        [*script, "--base-url", base, *(["--bundles"] if bundles else [])],
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode and "No matching distribution found for hatchling" in done.stderr:
        not_here("no index, from which the build's tools come")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(source)
    for archive in glob.glob(f"{mirror}/*/cpython-{minor}*.tar.gz"):
        shutil.copy2(archive, out)
    return out


def pointed(path: str, url: str) -> None:
    """Let a script fetch the interpreter and the wheel from a server."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"url=\S*/([^/\s']+)'? sha", rf"url={url}/\1 sha", text)
    text = re.sub(r"(?m)^    base=.*$", f"    base={url}", text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def wheels(out: str) -> None:
    """Put the wheels of what bubble needs into a release, or skip the test."""
    shutil.copytree(needed(), f"{out}/wheels")


def needed() -> str:
    """Return a directory with the wheels of what bubble needs, fetched once; or skip the test.

    Don't write into it.
    """
    lock = f"{ROOT}/scripts/lib/requirements.lock"
    with open(lock, "rb") as file:
        digest = hashlib.sha256(file.read() + sys.version.encode()).hexdigest()[:16]
    cache = shared_cache()
    with Lock(f"{cache}/.lock"):
        directory = f"{cache}/needed-{digest}"
        if not os.path.exists(f"{directory}/.complete"):
            shutil.rmtree(directory, ignore_errors=True)
            words = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
            # for every minor version of which an interpreter may be packed here
            for minor in ("3.11", "3.12", "3.13", "3.14"):
                pip = [sys.executable, "-m", "pip", "download", *words, "--python-version", minor]
                done = subprocess.run(
                    [*pip, "-r", lock, "-d", directory], check=False, capture_output=True, text=True
                )
                if done.returncode:
                    not_here("no index, from which bubble's own packages come")
            with open(f"{directory}/.complete", "w", encoding="utf-8"):
                pass
        os.utime(f"{directory}/.complete")
    return directory

"""bubble as install.sh brings it: its start from its private interpreter, and the bringing itself.

uv's own installer lives on a site that isn't asked here. What it does is done in its place, from
the same server: fetch an archive of the programs, hold it against a sha256, unpack it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Run, run
from bench.place import CHECKOUT
from bench.results import Result
from bench.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.context import Bench

_UV = """
set -eu
mkdir -p "$HOME/.local/bin"
curl -fsSL -o "$HOME/uv.tar.gz" "$1/uv.tar.gz"
[ "$(sha256sum <"$HOME/uv.tar.gz" | cut -d ' ' -f 1)" = "$2" ]
tar -xzf "$HOME/uv.tar.gz" -C "$HOME/.local/bin"
rm "$HOME/uv.tar.gz"
"$HOME/.local/bin/uv" --version
"""


def own(bench: Bench) -> list[Result]:
    """Measure both; nothing where no release can be built here."""
    place = bench.place
    with Server(place.mirror) as server:
        try:
            script, wheels = _release(bench, server.url)
        except RuntimeError as error:
            bench.miss("bubble by install.sh", error)
            return []
        results = _bringing(bench, script, wheels, server)
    return [*results, *_starting(bench)]


def _release(bench: Bench, url: str) -> tuple[str, str]:
    """Build a release where the server has it; return its installer, alone, and its wheels."""
    place = bench.place
    out = place.fresh("mirror/release")
    env = {**os.environ, **place.catalogue(bench.packed, url)}
    script = [place.python, f"{CHECKOUT}/scripts/release", "--output", out]
    run([*script, "--python", bench.packed.request, "--base-url", f"{url}/release"], env, place.log)
    wheels = f"{out}/wheels"
    pip = [place.python, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    lock = f"{out}/requirements.lock"
    run([*pip, "--only-binary", ":all:", "-r", lock, "-d", wheels], os.environ, place.log)
    alone = place.fresh("installer")
    shutil.copy(f"{out}/install.sh", alone)
    return f"{alone}/install.sh", wheels


def _bringing(bench: Bench, script: str, wheels: str, server: Server) -> list[Result]:
    place = bench.place
    sent: dict[str, list[float]] = {}

    def bring(name: str, argv: list[str]) -> Run:
        home = place.fresh(f"home of {name}")
        env = {
            "HOME": home,
            "PATH": "/usr/bin:/bin",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": wheels,
        }
        before = server.sent()
        done = run(argv, env, place.log)
        sent.setdefault(name, []).append((server.sent() - before) / (1 << 20))
        return done

    contestants: dict[str, Callable[[], Run]] = {
        "bubble": partial(bring, "bubble", ["sh", script, "--no-init"])
    }
    if not place.lacks("uv"):
        digest = _packed_uv(place.uv, f"{place.mirror}/uv.tar.gz")
        contestants["uv"] = partial(bring, "uv", ["sh", "-c", _UV, "sh", server.url, digest])
    runs = bench.contest("install.sh", contestants, bench.rounds.slow)
    times = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
    return [
        Result("install.sh, one command typed", "ms", times, "uv", None),
        Result("install.sh: what it fetches, without the wheels", "MiB", sent, "uv", None),
    ]


def _starting(bench: Bench) -> list[Result]:
    place = bench.place
    home = f"{place.path}/home of bubble"
    launcher = f"{home}/.local/bin/bubble"
    with open(launcher, encoding="utf-8") as file:
        found = re.search(r"exec '([^']+)'", file.read())
    assert found, launcher
    env = {**place.environment(place.fresh("own store")), "HOME": home, "MISE_OFFLINE": "1"}
    argvs = {
        "bare": [found[1], "-I", "-c", "pass"],
        "bubble": [launcher, "--version"],
        "uv": [place.uv, "--version"],
        "mise": [place.mise, "--version"],
    }
    if place.pyenv:
        argvs["pyenv"] = [f"{place.pyenv}/bin/pyenv", "--version"]
    contestants = {name: partial(run, argv, env, place.log) for name, argv in argvs.items()}
    runs = bench.contest("bubble --version, as installed", contestants, bench.rounds.many, warm=2)
    times = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
    return [Result("bubble --version, by install.sh", "ms", times, "bare", None)]


def _packed_uv(program: str, archive: str) -> str:
    """Pack uv's program as its releases do; return the sha256."""
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        tar.add(program, "uv")
    with open(archive, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

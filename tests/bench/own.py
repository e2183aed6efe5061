"""bubble as install.sh brings it: its start from its private interpreter, and the bringing itself.

uv's own installer lives on a site that isn't asked here. What it does is done in its place, from
the same server: fetch an archive of the programs, hold it against a sha256, unpack it.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bench.measure import Run, run
from bench.results import Result
from bench.server import Server
from support.releases import release, wheels

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
    try:
        out = release(place.fresh("release"))
        wheels(out)
    except pytest.skip.Exception as error:
        bench.miss("bubble by install.sh", error)
        return []
    return [*_bringing(bench, out), *_starting(bench)]


def _bringing(bench: Bench, out: str) -> list[Result]:
    place = bench.place
    digest = "" if place.lacks("uv") else _packed_uv(place.uv, f"{out}/uv.tar.gz")
    alone = place.fresh("installer")
    sent: dict[str, list[float]] = {}
    with Server(out) as server:
        with open(f"{out}/install.sh", encoding="utf-8") as file:
            text = file.read()
        with open(f"{alone}/install.sh", "w", encoding="utf-8") as file:
            file.write(_pointed(text, server.url))

        def bring(name: str, argv: list[str]) -> Run:
            home = place.fresh(f"home of {name}")
            env = {
                "HOME": home,
                "PATH": "/usr/bin:/bin",
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": f"{out}/wheels",
            }
            before = server.sent()
            done = run(argv, env, place.log)
            sent.setdefault(name, []).append((server.sent() - before) / (1 << 20))
            return done

        contestants: dict[str, Callable[[], Run]] = {
            "bubble": partial(bring, "bubble", ["sh", f"{alone}/install.sh", "--no-init"])
        }
        if digest:
            argv = ["sh", "-c", _UV, "sh", server.url, digest]
            contestants["uv"] = partial(bring, "uv", argv)
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


def _pointed(text: str, url: str) -> str:
    """Return install.sh as it is where `url` is the release's address."""
    text = re.sub(r"url=\S*/([^/\s']+)'? sha", rf"url={url}/\1 sha", text)
    return re.sub(r"(?m)^    base=.*$", f"    base={url}", text)

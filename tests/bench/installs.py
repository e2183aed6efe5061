"""Installing: cold, from a slow server, after an interruption; and the memory that it takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import TIMEOUT, Run, alternate, kill, run, start
from bench.results import Result
from bench.server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.builds import Build
    from bench.place import Place

SLOW, FASTER = 4_000_000, 50_000_000  # bytes a second for each connection
MIB = 1 << 20


def commands(place: Place, build: Build) -> dict[str, list[str]]:
    """Return what each contestant is told."""
    return {
        "bubble": [place.bubble, "python", "install", build.request],
        "uv": [place.uv, "python", "install", build.request],
    }


def cold(place: Place, builds: Sequence[Build], rounds: int) -> list[Result]:
    """Nothing is there: no store, no cache, no download."""
    with Server(place.mirror) as server:
        results = []
        for build in builds:
            runs = _alternate(place, build, server, rounds)
            results.append(_seconds(f"cold install, {build.title}", runs, 1.0))
            results.append(_memory(build, runs))
        return results


def slow(place: Place, builds: Sequence[Build], rounds: int) -> list[Result]:
    """The server gives each connection 4 MB/s; and, to see where the tide turns, 50 MB/s."""
    results = []
    for rate, limit in ((SLOW, 0.5), (FASTER, 1.0)):
        with Server(place.mirror, rate) as server:
            for build in builds:
                what = f"cold install at {rate / 1e6:.0f} MB/s a connection, {build.title}"
                results.append(_seconds(what, _alternate(place, build, server, rounds), limit))
    return results


def memory(place: Place, build: Build, rounds: int) -> Result:
    """Only the peak matters."""
    with Server(place.mirror) as server:
        return _memory(build, _alternate(place, build, server, rounds))


def interrupted(place: Place, builds: Sequence[Build], rounds: int) -> list[Result]:
    """SIGKILL when half of the archive has been sent; then the same command again."""
    results = []
    with Server(place.mirror, SLOW) as server:
        for build in builds:
            shares: dict[str, list[float]] = {name: [] for name in commands(place, build)}
            for _ in range(rounds):
                for name, argv in commands(place, build).items():
                    shares[name].append(100 * _second_share(place, build, server, argv))
            what = f"killed half-way: share of the bytes that the next run transfers, {build.title}"
            results.append(Result(what, "%", shares, "", 55))
    return results


def _second_share(place: Place, build: Build, server: Server, argv: list[str]) -> float:
    env = place.environment(place.fresh("store"), **place.catalogue(build, server.url))
    before = server.sent()
    with open(place.log, "wb") as log:
        child = start(argv, env, log.fileno())
    try:
        limit = time.monotonic() + TIMEOUT
        while server.sent() - before < build.size / 2:
            if child.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"{argv}: ended before it was to be killed")
            time.sleep(0.002)
    finally:
        kill(child)
        child.wait()
    _settle(server)
    middle = server.sent()
    run(argv, env, place.log)
    return (server.sent() - middle) / build.size


def _settle(server: Server) -> int:
    """Wait until the server counts no more: its threads may be behind their clients."""
    last = -1
    while (now := server.sent()) != last:
        last = now
        time.sleep(0.2)
    return last


def _alternate(place: Place, build: Build, server: Server, rounds: int) -> dict[str, list[Run]]:
    catalogue = place.catalogue(build, server.url)

    def once(name: str, argv: list[str]) -> Run:
        store = place.fresh("store")
        before = server.sent()
        done = run(argv, place.environment(store, **catalogue), place.log)
        if _settle(server) - before < build.size:
            raise RuntimeError(f"{name} didn't download the archive")
        _require_working(f"{store}/{name}", build)
        shutil.rmtree(store)
        return done

    contestants = commands(place, build)
    for name, argv in contestants.items():  # once each, so that every file is in memory
        once(name, argv)
    return alternate({n: partial(once, n, a) for n, a in contestants.items()}, rounds)


def _require_working(store: str, build: Build) -> None:
    for directory in (store, f"{store}/pythons"):
        python = f"{directory}/{build.key}/bin/python3"
        if os.path.exists(python):
            subprocess.run([python, "-c", "import ssl"], check=True, timeout=60)
            return
    raise RuntimeError(f"nothing was installed in {store}")


def _seconds(what: str, runs: dict[str, list[Run]], limit: float) -> Result:
    samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
    return Result(what, "ms", samples, "uv", limit)


def _memory(build: Build, runs: dict[str, list[Run]]) -> Result:
    samples = {name: [r.peak / MIB for r in series] for name, series in runs.items()}
    return Result(f"peak memory of an install, {build.title}", "MiB", samples, "", 100)

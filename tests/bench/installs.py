"""Installing: cold, three at once, from slow servers, over a slow link, interrupted; its memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

from bench import builds as archives
from bench.link import MBIT, ROUND_TRIP, Link
from bench.measure import TIMEOUT, Run, kill, run, start
from bench.results import Result
from bench.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.builds import Build
    from bench.context import Bench
    from bench.place import Place

SLOW, FASTER = 4_000_000, 50_000_000  # bytes a second for each connection
MIB = 1 << 20
BESIDE_WINDOW = 40  # MiB: what zstd must keep by its format comes on top of that
SELDOM = ("hatch",)


def commands(place: Place, *builds: Build) -> dict[str, list[str]]:
    """Return what bubble and uv are told."""
    requests = [build.request for build in builds]
    return {
        "bubble": [place.bubble, "python", "install", *requests],
        "uv": [place.uv, "python", "install", *requests],
    }


def everybody(place: Place, *builds: Build) -> dict[str, list[str]]:
    """Return what each contestant that can be shown our archives is told (`{store}` in it)."""
    minors = [build.minor for build in builds]
    return {
        **commands(place, *builds),
        "mise": [place.mise, "install", *(f"python@{build.request}" for build in builds)],
        "hatch": [
            place.hatch,
            "python",
            "install",
            "--private",
            "--dir",
            "{store}/hatch/pythons",
            *minors,
        ],
    }


def cold(bench: Bench) -> list[Result]:
    """Nothing is there: no store, no cache, no download."""
    place, results = bench.place, []
    with Server(place.mirror) as server:
        rows = [(build, everybody(place, build), bench.rounds.few, 1.0) for build in bench.small]
        for build, limit in zip(bench.sized, (1.3, 1.0), strict=False):
            rows.append((build, commands(place, build), bench.rounds.slow, limit))
        for build, told, rounds, limit in rows:
            what = f"cold install, {build.title}"
            runs = _alternate(bench, what, told, [build], server, rounds)
            results += [_seconds(what, runs, limit), _processor(what, runs), _memory(build, runs)]
    return results


def several(bench: Bench) -> list[Result]:
    """Three minors by one command: from loopback, and from a server that gives 50 MB/s."""
    three, place, results = bench.three, bench.place, []
    if len(three) < 3:
        bench.miss("three versions at once", f"only {len(three)} interpreters on this machine")
        return []
    names = ", ".join(build.minor for build in three)
    for rate, how in ((None, "loopback"), (FASTER, f"{FASTER / 1e6:.0f} MB/s a connection")):
        told = everybody(place, *three) if rate is None else commands(place, *three)
        with Server(place.mirror, rate) as server:
            what = f"three versions at once ({names}), {how}"
            runs = _alternate(bench, what, told, three, server, bench.rounds.slow)
            results.append(_seconds(what, runs, 0.9 if rate is None else 1.0))
    return results


def slow(bench: Bench) -> list[Result]:
    """The server gives each connection 4 MB/s; and, to see where the tide turns, 50 MB/s."""
    results = []
    for rate, limit in ((SLOW, 0.5), (FASTER, 1.0)):
        with Server(bench.place.mirror, rate) as server:
            for build in [*bench.small, *bench.sized[:1]] if rate == SLOW else bench.small:
                what = f"cold install at {rate / 1e6:.0f} MB/s a connection, {build.title}"
                told = commands(bench.place, build)
                runs = _alternate(bench, what, told, [build], server, bench.rounds.slow)
                results.append(_seconds(what, runs, limit))
    return results


def link(bench: Bench) -> list[Result]:
    """One line that all connections share, and half of a tenth of a second there and back."""
    results = []
    title = f"cold install, {MBIT} Mbit/s, {1000 * ROUND_TRIP:.0f} ms round trip"
    try:
        with Link() as line:
            ends = Server(bench.place.mirror, host=line.host, prefix=line.server)
            with ends as server:
                for build in bench.small:
                    what = f"{title} ({line.how}), {build.title}"
                    told = {
                        name: [*line.client, *argv]
                        for name, argv in everybody(bench.place, build).items()
                    }
                    runs = _alternate(bench, what, told, [build], server, bench.rounds.slow)
                    results.append(_seconds(what, runs, 1.0))
    except RuntimeError as error:
        bench.miss(title, error)
    return results


def memory(bench: Bench) -> list[Result]:
    """Only the peak matters: archives of more than 1 GiB, with a small window and a large one.

    A decoder must keep a whole window (RFC 8878): 128 MiB is what upstream compresses with, and the
    most that is accepted.
    """
    if bench.quick:
        return []
    results = []
    for window_log in (23, 27):
        build = archives.huge(bench.place, bench.packed, window_log)
        told = commands(bench.place, build)
        with Server(bench.place.mirror) as server:
            rounds = min(bench.rounds.slow, 3)
            runs = _alternate(bench, build.title, told, [build], server, rounds)
        window = (1 << window_log) // MIB
        results.append(_memory(build, runs, max(100, window + BESIDE_WINDOW)))
        os.unlink(f"{bench.place.mirror}/{build.file}")
    return results


def interrupted(bench: Bench) -> list[Result]:
    """SIGKILL when half of the archive has been sent; then the same command again."""
    place, results = bench.place, []
    with Server(place.mirror, SLOW) as server:
        for build in bench.small:
            shares: dict[str, list[float]] = {name: [] for name in commands(place, build)}
            for _ in range(min(bench.rounds.slow, 3)):
                for name, argv in commands(place, build).items():
                    shares[name].append(100 * _second_share(place, build, server, argv))
            what = f"killed half-way: sent to the next run, {build.title}"
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


def _alternate(
    bench: Bench,
    what: str,
    told: Mapping[str, Sequence[str]],
    builds: Sequence[Build],
    server: Server,
    rounds: int,
) -> dict[str, list[Run]]:
    place = bench.place
    catalogue = place.catalogue(builds, server.url)
    size = sum(build.size for build in builds)

    def once(name: str, argv: Sequence[str]) -> Run:
        store = place.fresh("store")
        before = server.sent()
        words = [word.replace("{store}", store) for word in argv]
        done = run(words, place.environment(store, **catalogue), place.log)
        if _settle(server) - before < size:
            raise RuntimeError(f"{name} didn't download what it was to install")
        for build in builds:
            _require_working(store, name, build)
        shutil.rmtree(store)
        return done

    contestants = {name: partial(once, name, argv) for name, argv in told.items()}
    return bench.contest(what, contestants, rounds, seldom=SELDOM)


def _require_working(store: str, name: str, build: Build) -> None:
    for directory in (
        f"bubble/pythons/{build.key}",
        f"uv/{build.key}",
        f"mise/installs/python/{build.request}",
        f"hatch/pythons/{build.minor}/python",
    ):
        python = f"{store}/{directory}/bin/python3"
        if directory.startswith(name) and os.path.exists(python):
            subprocess.run([python, "-c", "import ssl"], check=True, timeout=60)
            return
    raise RuntimeError(f"{name} installed nothing in {store}")


def _seconds(what: str, runs: Mapping[str, Sequence[Run]], limit: float) -> Result:
    samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
    return Result(what, "ms", samples, "uv", limit)


def _processor(what: str, runs: Mapping[str, Sequence[Run]]) -> Result:
    samples = {name: [1000 * r.processor for r in series] for name, series in runs.items()}
    return Result(f"{what}: processor time", "ms", samples, "uv", None)


def _memory(build: Build, runs: Mapping[str, Sequence[Run]], limit: int = 100) -> Result:
    samples = {name: [r.peak / MIB for r in series] for name, series in runs.items()}
    return Result(f"peak memory of an install, {build.title}", "MiB", samples, "", limit)

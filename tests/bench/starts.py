"""The everyday commands, held against the start of the bare interpreter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.installs import commands
from bench.measure import Run, alternate, run
from bench.results import Result
from bench.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.builds import Build
    from bench.place import Place

LIMITS = {"--version": 1.3, "python find": 1.8, "python list": 3.0}


def starts(place: Place, builds: Sequence[Build], rounds: int) -> list[Result]:
    """Measure all of them round by round, on stores that have every one of `builds`."""
    store = place.fresh("store")
    env = place.environment(store)
    with Server(place.mirror) as server:
        for build in builds:
            catalogue = place.catalogue(build, server.url)
            for argv in commands(place, build).values():
                run(argv, {**env, **catalogue}, place.log)
    minor = builds[0].request.rpartition(".")[0]
    contestants: dict[str, Callable[[], Run]] = {}
    for name, argv in {
        "bare": [place.python, "-c", "pass"],
        "bubble --version": [place.bubble, "--version"],
        "uv --version": [place.uv, "--version"],
        "bubble python find": [place.bubble, "python", "find", minor],
        "uv python find": [place.uv, "python", "find", minor],
        "bubble python list": [place.bubble, "python", "list"],
        "uv python list": [place.uv, "python", "list", "--offline"],
    }.items():
        contestants[name] = partial(run, argv, env, place.log)
    alternate(contestants, 2)
    runs = alternate(contestants, rounds)
    samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
    return [
        Result(
            f"bubble {command}",
            "ms",
            {
                "bubble": samples[f"bubble {command}"],
                "uv": samples[f"uv {command}"],
                "bare": samples["bare"],
            },
            "bare",
            limit,
        )
        for command, limit in LIMITS.items()
    ]

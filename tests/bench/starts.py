"""The everyday commands, held against the start of the bare interpreter, beside the peers'."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from bench.context import OURS
from bench.installs import everybody
from bench.measure import Run, run
from bench.results import Result
from bench.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.context import Bench

LIMITS = {"--version": 1.3, "python find": 1.8, "python list": 3.0, "which python": None}
SELDOM = ("pdm", "hatch", "virtualenv")  # which take tenths of a second


def starts(bench: Bench) -> list[Result]:
    """Measure all of them round by round, on stores that have every one of the builds."""
    place = bench.place
    store = place.fresh("store")
    env = {**place.environment(store), "MISE_OFFLINE": "1"}
    with Server(place.mirror) as server:
        installing = place.environment(store, **place.catalogue(bench.small, server.url))
        for name, argv in everybody(place, *bench.small).items():
            if place.lacks(name):
                continue
            try:
                run([word.replace("{store}", store) for word in argv], installing, place.log)
            except (RuntimeError, OSError) as error:
                if name in OURS:
                    raise
                bench.miss(f"everyday commands: {name}", error)
    cwd = f"{store}/project"
    os.mkdir(cwd)
    with open(f"{cwd}/.python-version", "w", encoding="ascii") as file:
        file.write(f"{bench.packed.request}\n")
    results = []
    for command, limit in LIMITS.items():
        told = _told(bench, command)
        often = {name: argv for name, argv in told.items() if name not in SELDOM}
        seldom = {name: argv for name, argv in told.items() if name in SELDOM}
        rounds = bench.rounds
        samples = _measured(bench, command, often, {**env, "PWD": cwd}, (cwd, rounds.many))
        samples |= _measured(bench, command, seldom, {**env, "PWD": cwd}, (cwd, rounds.few))
        results.append(Result(f"bubble {command}", "ms", samples, "bare", limit))
    return results


def _told(bench: Bench, command: str) -> dict[str, list[str]]:
    """Return the command of each contestant that has its like."""
    place, minor = bench.place, bench.packed.minor
    pyenv = f"{place.pyenv}/bin/pyenv"
    peers = {
        "--version": {
            "uv": [place.uv, "--version"],
            "mise": [place.mise, "--version"],
            "pyenv": [pyenv, "--version"],
            "virtualenv": [place.virtualenv, "--version"],
            "pdm": [place.pdm, "--version"],
            "hatch": [place.hatch, "--version"],
        },
        "python find": {
            "uv": [place.uv, "python", "find", minor],
            "mise": [place.mise, "where", f"python@{minor}"],
            "pyenv": [pyenv, "prefix", minor],
            "hatch": [place.hatch, "python", "find", minor],
        },
        "python list": {
            "uv": [place.uv, "python", "list", "--offline"],
            "mise": [place.mise, "ls", "python"],
            "pyenv": [pyenv, "versions"],
            "pdm": [place.pdm, "python", "list"],
            "hatch": [place.hatch, "python", "show"],
        },
        "which python": {
            "uv": [place.uv, "python", "find"],
            "mise": [place.mise, "which", "python"],
            "pyenv": [pyenv, "which", "python"],
        },
    }[command]
    if not place.pyenv:
        peers.pop("pyenv", None)
    own = [place.bubble, *(command.split()), *([minor] if command == "python find" else [])]
    return {"bare": [place.python, "-c", "pass"], "bubble": own, **peers}


def _measured(
    bench: Bench,
    command: str,
    told: Mapping[str, list[str]],
    env: Mapping[str, str],
    how: tuple[str, int],
) -> dict[str, list[float]]:
    """Return milliseconds by contestant, each called in a directory, so many times."""
    cwd, rounds = how
    pyenv = {"PYENV_ROOT": bench.place.pyenv}
    contestants: dict[str, Callable[[], Run]] = {
        name: partial(
            run, argv, {**env, **(pyenv if name == "pyenv" else {})}, bench.place.log, cwd=cwd
        )
        for name, argv in told.items()
    }
    runs = bench.contest(f"bubble {command}", contestants, rounds, warm=2)
    return {name: [1000 * r.seconds for r in series] for name, series in runs.items()}

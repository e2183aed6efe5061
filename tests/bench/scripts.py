"""Scripts with inline metadata (PEP 723): the first run, and every later one."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Run, run
from bench.peers import index
from bench.results import Result
from bench.stocked import stocked
from bench.syncs import until_remembered

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.context import Bench

NEEDS = '["packaging", "six", "idna"]'


def scripts(bench: Bench) -> list[Result]:
    """Measure `run` of a script beside `uv run --script`, packages in the caches of both."""
    place = bench.place
    store = place.fresh("scripts")
    env = {**stocked(bench, store), **index(os.environ), "UV_CACHE_DIR": f"{store}/uv-cache"}
    told = {
        "bubble": [place.bubble, "run", "{script}"],
        "uv": [place.uv, "run", "--script", "{script}"],
    }
    rounds = {"first": 0}

    def write(name: str, note: str) -> str:
        with open(f"{store}/{name}.py", "w", encoding="utf-8") as file:
            file.write(f"# /// script\n# dependencies = {NEEDS}\n# # {note}\n# ///\n")
        return f"{store}/{name}.py"

    def first(name: str) -> Run:
        rounds["first"] += 1
        script = write(f"{name}{rounds['first']}", f"of the round {rounds['first']}")
        return run([word.format(script=script) for word in told[name]], env, place.log)

    def again(name: str, script: str) -> Run:
        return run([word.format(script=script) for word in told[name]], env, place.log)

    def remembered() -> list[str]:
        front, home = f"{env['BUBBLE_HOME']}/shims/bubble", env["BUBBLE_HOME"]
        argv = [front, "run", write("remembered", "the same")]
        name = f"run.{argv[-1]}".replace("%", "%25").replace("/", "%2F")  # not another script's
        until_remembered(home, name, lambda: run(argv, env, place.log))
        return argv

    results = []
    calls: dict[str, Callable[[], Run]] = {name: partial(first, name) for name in told}
    what = "run script.py, its packages in the cache, its environment not there"
    for runs, title, limit in (
        (bench.contest(what, calls, bench.rounds.slow), what, 1.1),
        (
            bench.contest(
                "run script.py again",
                {name: partial(again, name, write("again", "the same")) for name in told},
                bench.rounds.many,
            ),
            "run script.py again",
            0.5,
        ),
        (
            bench.contest(
                "run script.py again, by the shims' bubble",
                {
                    "bubble": partial(run, remembered(), env, place.log),
                    "uv": partial(again, "uv", f"{store}/again.py"),
                },
                bench.rounds.many,
            ),
            "run script.py again, by the shims' bubble",
            0.5,
        ),
    ):
        samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
        results.append(Result(title, "ms", samples, "uv", limit))
    return results

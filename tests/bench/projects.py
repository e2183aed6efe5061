"""A project's environment, as the managers of projects make it."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Run, run
from bench.peers import index
from bench.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.context import Bench

_PYPROJECT = """[project]
name = "example"
version = "1.0"
requires-python = ">=3.9"
[tool.hatch.envs.default]
skip-install = true
dependencies = []
"""


def projects(bench: Bench) -> list[Result]:
    """Measure an empty environment for a directory with a pyproject.toml; hatch's has no pip."""
    place = bench.place
    store = place.fresh("projects")
    env = {
        **place.environment(store),
        **index(os.environ),
        "HATCH_ENV_TYPE_VIRTUAL_UV_PATH": place.uv,
    }
    env["UV_PYTHON_PREFERENCE"] = "system"
    run([place.bubble, "python", "adopt", place.base], env, place.log)
    python, minor = place.base, bench.packed.minor
    cwd = f"{store}/project"
    results = []
    for title, told in {
        "pip inside": {
            "bubble": [place.bubble, "create", "-p", minor],
            "pdm": [place.pdm, "venv", "create", "--with-pip", python],
            "uv": [place.uv, "venv", "--seed", "-p", python],
        },
        "without pip": {
            "bubble": [place.bubble, "create", "-p", minor, "--no-pip"],
            "pdm": [place.pdm, "venv", "create", python],
            "hatch": [place.hatch, "env", "create"],
            "uv": [place.uv, "venv", "-p", python],
        },
    }.items():

        def once(argv: Sequence[str]) -> Run:
            shutil.rmtree(cwd, ignore_errors=True)
            shutil.rmtree(f"{store}/hatch", ignore_errors=True)
            os.mkdir(cwd)
            with open(f"{cwd}/pyproject.toml", "w", encoding="utf-8") as file:
                file.write(_PYPROJECT)
            return run(argv, env, place.log, cwd=cwd)

        calls: dict[str, Callable[[], Run]] = {n: partial(once, a) for n, a in told.items()}
        what = f"a project's environment, {title}"
        runs = bench.contest(what, calls, bench.rounds.slow)
        samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
        results.append(Result(what, "ms", samples, "pdm", 1.0))
    return results

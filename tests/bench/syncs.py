"""Syncing a project's environment with its lock, beside the managers of projects."""

from __future__ import annotations

import os
import shutil
import time
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Run, run
from bench.peers import default_index, index
from bench.results import Result
from bench.stocked import stocked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.context import Bench
    from bench.place import Place

_PYPROJECT = """[project]
name = "example"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["packaging", "six{version}", "idna", "attrs", "click", "jinja2", "pluggy"]
[tool.poetry]
package-mode = false
[tool.pdm]
distribution = false
[tool.hatch.envs.default]
skip-install = true
dependencies = ["packaging", "six{version}", "idna", "attrs", "click", "jinja2", "pluggy"]
"""
# poetry's own way to the index asks it for more than other tools do, which not every mirror has
_SOURCE = """[[tool.poetry.source]]
name = "index"
url = "{url}/"
priority = "primary"
"""
_CONDA = """name: example
channels: [conda-forge]
dependencies: [packaging, six{version}, idna, attrs, click, jinja2, pluggy]
"""
_VERSIONS = ("==1.16.0", "==1.17.0")


def syncs(bench: Bench) -> list[Result]:
    """Measure `sync` with nothing to do, one package changed, no environment, and no cache."""
    place = bench.place
    store = place.fresh("syncs")
    env = {
        **stocked(bench, store),
        **index(os.environ),
        "POETRY_CACHE_DIR": f"{store}/poetry-cache",
    }
    env |= {"UV_PYTHON_PREFERENCE": "only-managed", "POETRY_VIRTUALENVS_IN_PROJECT": "true"}
    env |= {"HATCH_ENV_TYPE_VIRTUAL_UV_PATH": place.uv, "PDM_USE_VENV": "1"}
    told = _told(place, f"{store}/bubble/pythons/{bench.packed.minor}/bin/python")
    able = {}
    if not shutil.which("conda-lock"):
        bench.miss("sync: conda-lock", "it installs by a conda, and none is on this machine")
        del told["conda-lock"]
    for name in told:
        try:
            _prepare(name, told[name], store, env, place)
            able[name] = told[name]
        except (RuntimeError, OSError) as error:
            if name == "bubble":
                raise
            bench.miss(f"sync: {name}", error)
    results = []
    rows: tuple[tuple[str, str, float | None, int], ...] = (
        ("nothing to do", "again", 0.5, bench.rounds.few),
        ("one package changed", "changed", None, bench.rounds.slow),
        ("no environment, packages in the cache", "warm", 1.1, bench.rounds.slow),
        ("no environment, no cache", "cold", None, bench.rounds.slow),
    )
    for title, kind, limit, rounds in rows:
        calls: dict[str, Callable[[], Run]] = {
            name: partial(_once, kind, name, able[name]["sync"], store, env, place) for name in able
        }
        what = f"sync, {title}"
        runs = bench.contest(what, calls, rounds)
        samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
        results.append(Result(what, "ms", samples, "uv", limit))
        if kind == "again" and "uv" in able:
            results.append(_of_the_shims(bench, store, env))
    return results


def _of_the_shims(bench: Bench, store: str, env: Mapping[str, str]) -> Result:
    """Measure `bubble` as it lies among the shims, which starts no interpreter for it."""
    cwd, log = f"{store}/projects/bubble", bench.place.log
    front = f"{env['BUBBLE_HOME']}/shims/bubble"
    until_remembered(env["BUBBLE_HOME"], "sync.", lambda: run([front, "sync"], env, log, cwd=cwd))
    calls: dict[str, Callable[[], Run]] = {
        "bubble": partial(run, [front, "sync"], {**env, "PWD": cwd}, log, cwd=cwd),
        "uv": partial(_once, "again", "uv", [bench.place.uv, "sync"], store, env, bench.place),
    }
    what = "sync, nothing to do, by the shims' bubble"
    runs = bench.contest(what, calls, bench.rounds.few)
    samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
    return Result(what, "ms", samples, "uv", 0.5)


def until_remembered(home: str, kind: str, call: Callable[[], object]) -> None:
    """Call something until the store remembers it: what has just changed must settle before."""
    for _ in range(100):
        call()
        there = f"{home}/shortcuts"
        if os.path.isdir(there) and any(name.startswith(kind) for name in os.listdir(there)):
            return
        time.sleep(0.2)
    raise RuntimeError(f"nothing is remembered: {kind}")


def _told(place: Place, python: str) -> dict[str, dict[str, list[str]]]:
    conda = shutil.which("conda-lock") or ""
    return {
        "bubble": {"lock": [place.bubble, "lock"], "sync": [place.bubble, "sync"]},
        "uv": {"lock": [place.uv, "lock"], "sync": [place.uv, "sync"]},
        "pdm": {
            "use": [place.pdm, "use", "-f", python],
            "lock": [place.pdm, "lock"],
            "sync": [place.pdm, "sync"],
        },
        "poetry": {
            "use": [place.poetry, "env", "use", python],
            "lock": [place.poetry, "lock"],
            "sync": [place.poetry, "sync"],
        },
        "hatch": {"sync": [place.hatch, "env", "create"]},
        "conda-lock": {
            "lock": [conda, "lock", "--file", "environment.yml"],
            "sync": [conda, "install", "--prefix", ".venv", "conda-lock.yml"],
        },
    }


def _prepare(
    name: str, told: Mapping[str, list[str]], store: str, env: Mapping[str, str], place: Place
) -> None:
    """Make two projects of a contestant, which differ in one package, each with its lock."""
    for n, version in enumerate(_VERSIONS):
        cwd = f"{store}/projects/{name}-{n}"
        os.makedirs(cwd)
        with open(f"{cwd}/pyproject.toml", "w", encoding="utf-8") as file:
            file.write(_PYPROJECT.replace("{version}", version))
            if name == "poetry":
                url = default_index(f"{os.path.dirname(place.poetry)}/python")
                file.write(_SOURCE.replace("{url}", url))
        if name == "conda-lock":
            with open(f"{cwd}/environment.yml", "w", encoding="utf-8") as file:
                file.write(_CONDA.replace("{version}", version))
        if "lock" in told:
            run(told["lock"], env, place.log, cwd=cwd)
    shutil.copytree(f"{store}/projects/{name}-0", f"{store}/projects/{name}")
    for step in ("use", "sync"):
        if step in told:
            run(told[step], env, place.log, cwd=f"{store}/projects/{name}")


def _once(
    kind: str, name: str, argv: list[str], store: str, env: Mapping[str, str], place: Place
) -> Run:
    """Measure one sync: `again`, `changed`, `warm` or `cold`."""
    cwd = f"{store}/projects/{name}"
    if kind == "changed":
        with open(f"{cwd}/pyproject.toml", encoding="utf-8") as file:
            other = int(_VERSIONS[0] in file.read())
        for entry in os.scandir(f"{store}/projects/{name}-{other}"):
            if entry.is_file():
                shutil.copy(entry.path, cwd)
    elif kind in {"warm", "cold"}:
        if name == "bubble":
            run([place.bubble, "remove", ".venv"], env, place.log, cwd=cwd)
        shutil.rmtree(f"{cwd}/.venv", ignore_errors=True)
        shutil.rmtree(f"{store}/hatch", ignore_errors=True)
    if kind == "cold":
        for cache in ("uv-cache", "pdm-cache", "poetry-cache", "hatch-cache"):
            shutil.rmtree(f"{store}/{cache}", ignore_errors=True)
    return run(argv, env, place.log, cwd=cwd)

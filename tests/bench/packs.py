"""An environment brought to another machine: packed, unpacked, used for the first time.

Beside venv-pack (without an interpreter), pex (the same, and unpacked by its first use) and `uv
sync` on the worker itself. All have one environment's packages, whose bytecode nobody has written
yet. The worker is this machine: what it needs of Python is there, at the path that each expects.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Run, run
from bench.peers import index
from bench.results import Result
from bench.stocked import stocked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.context import Bench

USE = "import numpy, pandas; assert pandas.DataFrame({'a': numpy.arange(3)}).a.sum() == 3"
# columns: what follows "bubble, " is bubble's own, and no peer
ALONE, BY_TAR, COLD = "bubble, no Python", "bubble, by tar", "uv, no cache"
_PYPROJECT = """[project]
name = "example"
version = "1.0"
requires-python = ">={minor}"
dependencies = ["pandas"]
"""


def packs(bench: Bench) -> list[Result]:
    """Measure packing, unpacking, and the first and second import of pandas."""
    place = bench.place
    store = place.fresh("packs")
    env = {**stocked(bench, store), **index(os.environ), "PEX_ROOT": f"{store}/pex"}
    project = f"{store}/project"
    python = f"{store}/bubble/pythons/{bench.packed.minor}/bin/python"
    os.makedirs(project)
    with open(f"{project}/pyproject.toml", "w", encoding="utf-8") as file:
        file.write(_PYPROJECT.format(minor=bench.packed.minor))
    run([place.uv, "sync", "-p", python], env, place.log, cwd=project)  # its lock, its cache
    shutil.rmtree(f"{project}/.venv")
    run([place.bubble, "create", "train", "-p", bench.packed.minor, "--with", "pandas"],
        env, place.log)  # fmt: skip
    bench.miss("packs: conda-pack", "it packs conda's environments, and no conda is here")
    made = f"{store}/bubble/envs/train"
    results = _packed(bench, store, made, env)
    workers = _workers(bench, store, project, python)
    return [*results, *_used(bench, workers, store, env)]


def _packed(bench: Bench, store: str, made: str, env: Mapping[str, str]) -> list[Result]:
    place = bench.place
    told = {
        "bubble": [place.bubble, "pack", "train", "-o", f"{store}/bubble.tar.gz"],
        ALONE: [
            place.bubble, "pack", "train", "--no-python", "-o", f"{store}/alone.tar.gz"
        ],
        "venv-pack": [place.venv_pack, "-q", "-p", made, "-o", f"{store}/venv-pack.tar.gz"],
        "pex": [place.pex, "--venv-repository", made, "pandas", "-o", f"{store}/pex.pex"],
    }  # fmt: skip
    sizes: dict[str, list[float]] = {name: [] for name in told}

    def once(name: str) -> Run:
        file = told[name][-1]
        if os.path.exists(file):
            os.unlink(file)
        took = run(told[name], env, place.log)
        sizes[name] = [os.path.getsize(file) / 2**20]
        return took

    what = "pack an environment with pandas"
    calls: dict[str, Callable[[], Run]] = {name: partial(once, name) for name in told}
    runs = bench.contest(what, calls, min(3, bench.rounds.slow))
    samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
    return [
        Result(what, "ms", samples, "venv-pack", None),
        Result("size of its file", "MiB", {n: sizes[n] for n in samples}, "venv-pack", None),
    ]


def _workers(
    bench: Bench, store: str, project: str, python: str
) -> dict[str, tuple[list[str], list[str]]]:
    """Return what each is told on the worker, in an empty directory: to unpack, and to use."""
    place = bench.place
    sync = [place.uv, "sync", "-q", "--frozen", "--project", project, "-p", python]
    use = ["worker/bin/python", "-c", USE]
    of_uv = [f"{project}/.venv/bin/python", "-c", USE]
    return {
        "bubble": ([place.bubble, "unpack", f"{store}/bubble.tar.gz", "worker"], use),
        BY_TAR: (["/bin/tar", "xf", f"{store}/bubble.tar.gz", "-C", "worker"], use),
        "venv-pack": (["/bin/tar", "xf", f"{store}/venv-pack.tar.gz", "-C", "worker"], use),
        "pex": (["/bin/true"], [python, f"{store}/pex.pex", "-c", USE]),
        "uv": (sync, of_uv),
        COLD: (sync, of_uv),
    }


def _used(
    bench: Bench,
    workers: Mapping[str, tuple[list[str], list[str]]],
    store: str,
    env: Mapping[str, str],
) -> list[Result]:
    parts: dict[str, dict[str, list[float]]] = {"unpack": {}, "first": {}, "again": {}}
    kept = {**env, "UV_CACHE_DIR": f"{store}/uv-cache"}

    def once(name: str) -> Run:
        """Unpack, use, and use again: all of one round, which is what it took until used."""
        cwd = bench.place.fresh("packs/here")
        for gone in (f"{store}/pex", f"{store}/no-cache", f"{store}/project/.venv"):
            shutil.rmtree(gone, ignore_errors=True)
        if name != "bubble":  # which makes its own
            os.mkdir(f"{cwd}/worker")
        more = {**kept, "UV_CACHE_DIR": f"{store}/no-cache"} if name == COLD else kept
        unpack, use = workers[name]
        took = [run(argv, more, bench.place.log, cwd=cwd) for argv in (unpack, use, use)]
        for part, one in zip(parts, took, strict=True):
            parts[part].setdefault(name, []).append(1000 * one.seconds)
        return Run(took[0].seconds + took[1].seconds, max(one.peak for one in took))

    rounds = bench.rounds.slow
    calls: dict[str, Callable[[], Run]] = {name: partial(once, name) for name in workers}
    whole = bench.contest("a pack's first use", calls, rounds)
    samples = {name: [1000 * r.seconds for r in series] for name, series in whole.items()}
    rows = [("on the worker until pandas has been imported", samples)]
    for part, title in (
        ("unpack", "of this: unpack it, or uv sync"),
        ("first", "of this: the first import"),
        ("again", "import it again"),
    ):
        # without the round that isn't counted
        rows.append((title, {name: parts[part][name][-rounds:] for name in samples}))
    rows[1][1].pop("pex", None)  # its first use unpacks it
    return [Result(title, "ms", series, "uv", None) for title, series in rows]

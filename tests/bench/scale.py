"""How the everyday commands grow: with interpreters, environments, and directories.

Interpreters and directories are doubles (/bin/true under an interpreter's name), as in shims.py;
environments are made by bubble's own code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Run, run, spawn
from bench.results import Result
from bench.server import Server
from bench.shims import Shims

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.context import Bench

INTERPRETERS = (1, 10, 100, 300)
ENVIRONMENTS = (1, 10, 100, 1000, 10_000)
LEVELS = (1, 10, 100, 1000)  # a path of more isn't one any more (PATH_MAX)
REMEMBERED = (1, 10, 100, 1000, 10_000, 100_000)
SHELLS = (1, 8, 64)  # at once
CALLS = 20  # of the shim, in each of them
MISE_DEEP = 100  # 1,000 below, mise took half a minute; 10,000 below, it had not ended after eight
_MAKE = """
import os, sys
from bubble.cli.context import Context
from bubble.cli.output import Output
from bubble.envs.making.make import Plan, make
from bubble.model.request import parse_request
from bubble.pythons.installed import store

world = Context(env=os.environ, output=Output(os.environ, json=False)).world()
request, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
installation = store.find(world.layout, parse_request(request), world.platform)
for n in range(first, last):
    name = f"many{n:05}"
    path = f"{world.layout.envs}/{name}"
    make(Plan(path=path, name=name, installation=installation, request=request, pip=False), world)
"""


def scale(bench: Bench) -> list[Result]:
    """Measure every curve, from one thing to as many as there may be."""
    return [
        *_interpreters(bench),
        *_environments(bench),
        *_deep(bench),
        *_wide(bench),
        *_crowd(bench),
    ]


def _interpreters(bench: Bench) -> list[Result]:
    world = Shims(bench)
    place, results, have = bench.place, [], 0
    env = {**world.env, "MISE_OFFLINE": "1", "PYENV_ROOT": f"{world.store}/pyenv"}
    world.pin("exact")
    for count in INTERPRETERS:
        for n in range(have, count):
            version = "3.11.7" if n == 0 else f"3.9.{n}"
            if n:
                world.install(version)
            for root in ("mise/installs/python", "pyenv/versions"):
                os.makedirs(f"{world.store}/{root}/{version}/bin")
                shutil.copy("/bin/true", f"{world.store}/{root}/{version}/bin/python")
        have = count
        world.bubble("rehash")
        told = {
            "python list": {
                "bubble": [place.bubble, "python", "list"],
                "mise": [place.mise, "ls", "python"],
                "pyenv": [f"{place.pyenv}/bin/pyenv", "versions"],
            },
            "python find 3.11": {
                "bubble": [place.bubble, "python", "find", "3.11"],
                "mise": [place.mise, "where", "python@3.11"],
                "pyenv": [f"{place.pyenv}/bin/pyenv", "prefix", "3.11"],
            },
        }
        for what, contestants in told.items():
            if not place.pyenv:
                del contestants["pyenv"]
            title = f"{what}, by interpreters"
            results.append(_point(bench, title, count, contestants, env))
        cwd, pinned = world.pin("exact")
        title = "the shim, by interpreters"
        shim = {"bubble": [world.shim], "bare": [world.direct]}
        results.append(_point(bench, title, count, shim, pinned, cwd))
    return results


def _environments(bench: Bench) -> list[Result]:
    place = bench.place
    with Server(place.mirror) as server:
        env = place.environment(place.fresh("scale"), **place.catalogue(bench.packed, server.url))
        run([place.bubble, "python", "install", bench.packed.request], env, place.log)
        return _with_environments(bench, env)


def _with_environments(bench: Bench, env: Mapping[str, str]) -> list[Result]:
    place, results, have = bench.place, [], 0
    minor = bench.packed.minor
    for count in ENVIRONMENTS:
        run([place.python, "-c", _MAKE, minor, str(have), str(count)], env, place.log)
        have = count
        listed = subprocess.run(
            [place.bubble, "list"], env=env, capture_output=True, text=True, check=True
        ).stdout
        if listed.count("many") < count:
            raise RuntimeError(f"bubble list doesn't show {count} environments")
        results += _project(bench, count, env)
        for words in ("list", "gc --dry-run", "doctor", "python list"):
            told = {"bubble": [place.bubble, *words.split()], "bare": [place.python, "-c", "pass"]}
            rounds = bench.rounds.few if count < 1000 else min(bench.rounds.slow, 2)
            title = f"{words}, by environments"
            results.append(_point(bench, title, count, told, env, rounds=rounds))

        def create() -> Run:
            done = run([place.bubble, "create", "x", "-p", minor, "--no-pip"], env, place.log)
            run([place.bubble, "remove", "x"], env, place.log)
            return done

        title = "create --no-pip, by environments"
        runs = bench.contest(title, {"bubble": create}, max(bench.rounds.few // 2, 2))
        samples = {name: [1000 * r.seconds for r in series] for name, series in runs.items()}
        results.append(_result(title, count, samples))
    return results


def _project(bench: Bench, count: int, env: Mapping[str, str]) -> list[Result]:
    """A sync that has nothing to do, and the shim in the project that it is of."""
    place = bench.place
    project = place.fresh("synced")
    with open(f"{project}/bubble.toml", "w", encoding="utf-8") as file:
        file.write(f'python = "{bench.packed.minor}"\n[bubbles.default]\n')
    run([place.bubble, "sync"], env, place.log, project)
    there = {**env, "PWD": project}
    shim = f"{env['BUBBLE_HOME']}/shims/python"
    run([shim, "-c", "pass"], there, place.log, project)
    told = {
        "sync with nothing to do, by environments": [place.bubble, "sync"],
        "the shim in a project, by environments": [shim, "-c", "pass"],
    }
    return [
        _point(bench, title, count, {"bubble": argv}, there, project)
        for title, argv in told.items()
    ]


def _deep(bench: Bench) -> list[Result]:
    """The pin is so many directories above: the shim looks at each of them."""
    world, results, have = Shims(bench), [], 0
    cwd, env = world.pin("exact")
    installed = f"{world.store}/mise/installs/python/3.11.7/bin"
    os.makedirs(installed)
    shutil.copy("/bin/true", f"{installed}/python")
    os.chdir(cwd)
    try:
        for count in LEVELS:
            for _ in range(have, count):  # step by step: the whole path is longer than PATH_MAX
                os.mkdir("d")
                os.chdir("d")
            have = count
            there = {**env, "PWD": cwd + "/d" * count, "MISE_OFFLINE": "1"}
            told = {
                "bubble": [world.shim],
                "bare": [world.direct],
                "mise": [bench.place.mise, "which", "python"],
            }
            if count > MISE_DEEP:
                del told["mise"]
            title = "the shim, by directories below the pin"
            rounds = bench.rounds.few if count < 1000 else min(bench.rounds.slow, 3)
            results.append(_point(bench, title, count, told, there, rounds=rounds))
    finally:
        os.chdir(bench.place.path)
        subprocess.run(["rm", "-rf", cwd], check=False)  # deeper than Python's own recursion
    return results


def _wide(bench: Bench) -> list[Result]:
    """So many directories with a pin, each of them visited before."""
    world, results = Shims(bench), []
    cwd, env = world.pin("exact")
    above = f"{world.home}/answers" + cwd.replace("/", "/@")
    with open(f"{above}/answer", encoding="utf-8") as file:
        memo = file.read()
    have = 0
    for count in REMEMBERED:
        for n in range(have, count):
            for path, text in (
                (f"{cwd}/w{n}/.python-version", "3.11.7\n"),
                (f"{above}/@w{n}/answer", memo.replace(f"{cwd}/", f"{cwd}/w{n}/")),
            ):
                os.makedirs(os.path.dirname(path))
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            os.utime(f"{cwd}/w{n}/.python-version", (1, 1))
        have = count
        told = {"bubble": [world.shim], "bare": [world.direct]}
        title = "the shim, by pinned directories"
        results.append(_point(bench, title, count, told, env, f"{cwd}/w{count // 2}"))
        told = {"bubble": [bench.place.bubble, "gc", "--dry-run"]}
        rounds = min(bench.rounds.slow, 3) if count < 100_000 else 1
        title = "gc --dry-run, by remembered directories"
        results.append(_point(bench, title, count, told, env, rounds=rounds))
    return results


def _crowd(bench: Bench) -> list[Result]:
    """So many shells at once, each of which calls the shim some times: the time of a call."""
    world, results = Shims(bench), []
    cwd, env = world.pin("exact")
    calls = 'i=0; while [ $i -lt "$2" ]; do "$1"; i=$((i + 1)); done'
    crowd = 'i=0; while [ $i -lt "$3" ]; do sh -c "$4" sh "$1" "$2" & i=$((i + 1)); done; wait'
    for count in SHELLS:
        told = {
            name: ["/bin/sh", "-c", crowd, "sh", program, str(CALLS), str(count), calls]
            for name, program in (("bubble", world.shim), ("bare", world.direct))
        }
        title = "the shim, by shells at once"
        point = _point(bench, title, count, told, env, cwd, min(bench.rounds.slow, 5))
        shares = {n: [ms / (count * CALLS) for ms in s] for n, s in point.samples.items()}
        results.append(_result(title, count, shares))
    return results


def _point(
    bench: Bench,
    title: str,
    count: int,
    told: Mapping[str, list[str]],
    env: Mapping[str, str],
    cwd: str = "",
    rounds: int = 0,
) -> Result:
    def once(argv: list[str]) -> Run:
        return Run(spawn(argv, env, cwd) / 1000, 0)

    calls: dict[str, Callable[[], Run]] = {n: partial(once, a) for n, a in told.items()}
    runs = bench.contest(f"{title}, {count:,}", calls, rounds or bench.rounds.few)
    return _result(title, count, {n: [1000 * r.seconds for r in s] for n, s in runs.items()})


def _result(title: str, count: int, samples: dict[str, list[float]]) -> Result:
    return Result(f"{title}: {count:,}", "ms", samples, "", None, curve=title, at=count)

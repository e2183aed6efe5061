"""Environments: made, listed by the thousand, cloned, and what the tenth one takes on disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING

from bench.installs import commands
from bench.measure import Run, alternate, run
from bench.peers import index
from bench.results import Result
from bench.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.builds import Build
    from bench.place import Place

MANY = 1000
_TENTH = 10
_MAKE_MANY = """
import os, sys
from bubble.cli.context import Context
from bubble.cli.output import Output
from bubble.envs.making.make import Plan, make
from bubble.model.request import parse_request
from bubble.pythons.installed import store

world = Context(env=os.environ, output=Output(os.environ, json=False)).world()
request, count = sys.argv[1], int(sys.argv[2])
installation = store.find(world.layout, parse_request(request), world.platform)
for n in range(count):
    name = f"many{n:04}"
    path = f"{world.layout.envs}/{name}"
    make(Plan(path=path, name=name, installation=installation, request=request, pip=False), world)
"""


class Bench:
    """One store, with `build` installed by both contestants, and directories for environments."""

    def __init__(self, place: Place, build: Build) -> None:
        self.place = place
        self.minor = build.request.rpartition(".")[0]
        self.store = place.fresh("store")
        self.others = f"{self.store}/others"
        os.mkdir(self.others)
        self.env = {
            **place.environment(self.store),
            "PIP_CACHE_DIR": f"{self.store}/pip-cache",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "VIRTUALENV_OVERRIDE_APP_DATA": f"{self.store}/virtualenv",
            # else it leaves a process behind that looks for newer wheels while others are measured
            "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
            **index(os.environ),
        }
        with Server(place.mirror) as server:
            more = place.catalogue(build, server.url)
            for argv in commands(place, build).values():
                run(argv, {**self.env, **more}, place.log)
        # as the tools beside us see it: by its path
        self.interpreter = f"{self.store}/bubble/pythons/{self.minor}/bin/python"

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> Run:
        """Run one command to its end, where no file has a say in anything."""
        return run(argv, {**self.env, **(env or {})}, self.place.log, cwd=self.store)

    def bubble(self, *arguments: str, env: Mapping[str, str] | None = None) -> Run:
        """Run bubble to its end."""
        return self.run(self.place.bubble, *arguments, env=env)

    def remove(self, name: str) -> None:
        """Make room for the next environment of that name, and for another contestant's."""
        if os.path.exists(f"{self.store}/bubble/envs/{name}"):
            self.bubble("remove", name)
        shutil.rmtree(f"{self.others}/{name}", ignore_errors=True)


def environments(place: Place, build: Build, rounds: int, slow_rounds: int) -> list[Result]:
    """Measure everything about environments; `slow_rounds` for what takes seconds."""
    bench = Bench(place, build)
    results = [*_creating(bench, rounds, slow_rounds), *_cloning(bench, rounds, slow_rounds)]
    results += _space(bench)
    results.append(_listing(bench, rounds))
    return results


def _creating(bench: Bench, rounds: int, slow_rounds: int) -> list[Result]:
    place, minor, target = bench.place, bench.minor, f"{bench.others}/x"
    bubble = (place.bubble, "create", "x", "-p", minor)
    uv = (place.uv, "venv", "--no-project", "-p", minor)
    slow = {
        "virtualenv": (place.virtualenv, "-p", bench.interpreter, target),
        "venv": (bench.interpreter, "-m", "venv", target),
    }
    seeded = _alternate(bench, {"bubble": bubble, "uv": (*uv, "--seed", target)}, rounds)
    bare = _alternate(bench, {"bubble": (*bubble, "--no-pip"), "uv": (*uv, target)}, rounds)
    what = f"create x -p {minor}"
    results = [
        Result(f"{what}, pip inside", "ms", seeded, "uv", 1.5),
        Result(f"{what} --no-pip", "ms", bare, "uv", 1.3),
    ]
    for (name, argv), limit in zip(slow.items(), (1 / 15, 1 / 80), strict=True):
        if not os.path.exists(argv[0]):
            continue
        samples = _alternate(bench, {"bubble": bubble, name: argv}, slow_rounds)
        results.append(Result(f"{what}, pip inside", "ms", samples, name, limit))
    return results


def _cloning(bench: Bench, rounds: int, slow_rounds: int) -> list[Result]:
    """Hold a clone of an environment with pandas against installing it from a warm cache."""
    minor, results = bench.minor, []
    for installer, count in (("uv", rounds), ("pip", min(slow_rounds, 3))):
        env = {"PATH": f"{os.path.dirname(bench.place.uv)}:{bench.env['PATH']}"}
        source = f"pandas-{installer}"
        create = ("-p", minor, "--installer", installer, "--with", "pandas")
        bench.bubble("create", source, *create, env=env)
        argv = {
            "bubble": (bench.place.bubble, "clone", source, "x"),
            "install": (bench.place.bubble, "create", "x", *create),
        }
        samples = _alternate(bench, argv, count, env=env)
        title = f"clone an environment with pandas, beside installing it ({installer}, warm cache)"
        results.append(Result(title, "ms", samples, "install", 1 / 3))
    return results


def _space(bench: Bench) -> list[Result]:
    """What one more environment with the same packages adds, in per cent of the first alone.

    Hard links are asked for where the file system doesn't clone: by itself, root shares none.
    """
    path = f"{os.path.dirname(bench.place.uv)}:{bench.env['PATH']}"
    env = {"PATH": path, "BUBBLE_SHARED_PACKAGES": "links"}
    results = []
    for how, installer, limit in (
        ("clone", "uv", 10),
        ("clone of one by pip", "pip", 5),
        ("create, by uv", "uv", 5),
        ("create, by pip", "pip", 5),
    ):
        names = [f"{how.partition(',')[0].replace(' ', '-')}-{installer}{n}" for n in range(_TENTH)]
        for n, name in enumerate(names):
            if n and how.startswith("clone"):
                bench.bubble("clone", names[0], name, env=env)
            else:
                more = ("-p", bench.minor, "--installer", installer, "--with", "pandas")
                bench.bubble("create", name, *more, env=env)
        roots = [f"{bench.store}/bubble/envs/{name}" for name in names]
        # what the pool of packages and uv's cache share with all of them is the first one's, too
        first = sum(_inodes(roots[0]).values())
        before: dict[tuple[int, int], int] = {}
        for root in roots[:-1]:
            before |= _inodes(root)
        added = sum(size for node, size in _inodes(roots[-1]).items() if node not in before)
        title = f"disk space that environment {_TENTH} with pandas adds, {how}"
        results.append(Result(title, "%", {"bubble": [100 * added / first]}, "", limit))
        for name in names:
            bench.remove(name)
    return results


def _listing(bench: Bench, rounds: int) -> Result:
    script = (bench.place.python, "-c", _MAKE_MANY, bench.minor, str(MANY))
    bench.run(*script)
    contestants: dict[str, Callable[[], Run]] = {
        "bubble": partial(bench.bubble, "list"),
        "bare": partial(bench.run, bench.place.python, "-c", "pass"),
    }
    alternate(contestants, 2)
    samples = _milliseconds(alternate(contestants, rounds))
    listed = [bench.place.bubble, "list"]
    done = subprocess.run(listed, env=bench.env, capture_output=True, text=True, check=True)
    shown = sum(line.startswith("many") for line in done.stdout.splitlines())
    if shown < MANY:
        raise RuntimeError(f"bubble list shows {shown} of {MANY} environments")
    return Result(f"list, with {MANY} environments", "ms", samples, "bare", 3)


def _alternate(
    bench: Bench,
    contestants: Mapping[str, Sequence[str]],
    rounds: int,
    env: Mapping[str, str] | None = None,
) -> dict[str, list[float]]:
    """Return milliseconds by contestant; each makes an environment `x`, where none is."""

    def once(argv: Sequence[str]) -> Run:
        bench.remove("x")
        done = bench.run(*argv, env=env)
        _require_working(bench)
        return done

    calls = {name: partial(once, argv) for name, argv in contestants.items()}
    alternate(calls, 1)  # seeds unpacked, wheels in the cache, files in memory
    found = _milliseconds(alternate(calls, rounds))
    bench.remove("x")
    return found


def _require_working(bench: Bench) -> None:
    for root in (f"{bench.store}/bubble/envs/x", f"{bench.others}/x"):
        if os.path.exists(f"{root}/bin/python"):
            subprocess.run([f"{root}/bin/python", "-c", "import ssl"], check=True, timeout=60)
            return
    raise RuntimeError("no environment was made")


def _milliseconds(runs: Mapping[str, list[Run]]) -> dict[str, list[float]]:
    return {name: [1000 * r.seconds for r in series] for name, series in runs.items()}


def _inodes(root: str) -> dict[tuple[int, int], int]:
    """Return the bytes on disk of every file and directory below `root`, by device and inode."""
    found: dict[tuple[int, int], int] = {}
    for directory, _, names in os.walk(root):
        for path in (directory, *(f"{directory}/{name}" for name in names)):
            info = os.lstat(path)
            found[info.st_dev, info.st_ino] = info.st_blocks * 512
    return found

"""What five patch versions of one minor take on disk, in units of one of them.

Nobody keeps five real ones at hand: these are one packed interpreter, five times, with a module
each that says another number; it alone differs. What real ones could share can't be more: how much
it is of two that were really made apart is another row, where this machine has two of one minor.
"""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

from bench import builds as archives
from bench.installs import commands
from bench.measure import run
from bench.results import Result
from bench.server import Server

if TYPE_CHECKING:
    from bench.builds import Build
    from bench.context import Bench
    from bench.place import Place

PATCHES = 5
_SAYS = """
import sys as _sys
class _Version(tuple):
    major, minor, micro = (property(lambda s, n=n: s[n]) for n in range(3))
    releaselevel, serial = property(lambda s: s[3]), property(lambda s: s[4])
_sys.version_info = _Version((*_sys.version_info[:2], {patch}, "final", 0))
_sys.implementation.version = _sys.version_info
"""


def space(bench: Bench) -> list[Result]:
    """Install five patch versions by each, and count what each store has."""
    place = bench.place
    store = place.fresh("store")
    env = place.environment(store)
    sizes: dict[str, list[int]] = {name: [] for name in commands(place, bench.packed)}
    with Server(place.mirror) as server:
        for patch in range(1, PATCHES + 1):
            build = _double(place, bench.packed, patch)
            more = place.catalogue(build, server.url)
            for name, argv in commands(place, build).items():
                run(argv, {**env, **more}, place.log)
                sizes[name].append(used(f"{store}/{name}"))
            os.unlink(f"{place.mirror}/{build.file}")
    samples = {name: [series[-1] / series[0]] for name, series in sizes.items()}
    what = f"disk space of {PATCHES} patch versions, in units of one"
    one = {name: [series[0] / 2**20] for name, series in sizes.items()}
    return [
        Result(what, "times", samples, "", 3.0),
        Result(f"disk space of CPython {bench.packed.request}", "MiB", one, "uv", None),
        *_beside(bench),
    ]


def _beside(bench: Bench) -> list[Result]:
    """Install two real patch releases of one minor; count what the second adds."""
    place = bench.place
    pair = archives.of_one_minor(place, bench.small)
    if pair is None:
        bench.miss("what a second patch release adds", "no two of one minor on this machine")
        return []
    store = place.fresh("store")
    env = place.environment(store)
    samples: dict[str, list[float]] = {}
    with Server(place.mirror) as server:
        for name in commands(place, *pair):
            sizes = []
            for builds in (pair, pair[1:]):
                place.fresh("store")
                for build in builds:
                    more = place.catalogue(build, server.url)
                    run(commands(place, build)[name], {**env, **more}, place.log)
                    sizes.append(used(f"{store}/{name}"))
            samples[name] = [100 * (sizes[1] - sizes[0]) / sizes[2]]
    what = f"disk space that CPython {pair[1].request} adds beside {pair[0].request}, of its own"
    return [Result(what, "%", samples, "", None)]


def used(root: str) -> int:
    """Return the bytes on disk of everything below `root`, what is linked twice counted once."""
    found: dict[tuple[int, int], int] = {}
    for directory, _, names in os.walk(root):
        for path in (directory, *(f"{directory}/{name}" for name in names)):
            info = os.lstat(path)
            found[info.st_dev, info.st_ino] = info.st_blocks * 512
    return sum(found.values())


def _double(place: Place, like: Build, patch: int) -> Build:
    """Pack `like` again, as the patch release `patch`."""
    version = f"{like.minor}.{patch}"
    name = os.path.basename(like.file).replace(like.request, version)
    path = f"{place.mirror}/{name}"
    with (
        tarfile.open(f"{place.mirror}/{like.file}") as source,
        tarfile.open(path, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as target,
    ):
        for member in source:
            file = source.extractfile(member) if member.isreg() else None
            target.addfile(member, file)
        packages = f"python/lib/python{like.minor}/site-packages"
        for short, text in (
            ("_patch.py", _SAYS.format(patch=patch)),
            ("_patch.pth", "import _patch\n"),
        ):
            member = tarfile.TarInfo(f"{packages}/{short}")
            member.size, member.mode = len(text), 0o644
            target.addfile(member, io.BytesIO(text.encode()))
    entry = {**like.entry, "patch": patch}
    key = like.key.replace(like.request, version)
    return archives.build(f"patch {patch}", place, path, key, entry)

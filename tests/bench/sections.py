"""The sections of the bench, in the order in which they run and stand on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench import environments as envs
from bench import installs
from bench.context import Bench, say
from bench.own import own
from bench.packs import packs
from bench.projects import projects
from bench.scale import scale
from bench.scripts import scripts
from bench.shells import shells
from bench.shims import shims
from bench.space import space
from bench.starts import starts
from bench.syncs import syncs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.results import Absent, Result


class Section(NamedTuple):
    """What `--only` calls it, and what measures it."""

    name: str
    measure: Callable[[Bench], Sequence[Result]]


def _environments(bench: Bench) -> list[Result]:
    rounds = bench.rounds
    return envs.environments(bench.place, bench.packed, rounds.many // 2, rounds.slow)


SECTIONS = (
    Section("cold", installs.cold),
    Section("several", installs.several),
    Section("slow", installs.slow),
    Section("link", installs.link),
    Section("interrupted", installs.interrupted),
    Section("memory", installs.memory),
    Section("start", starts),
    Section("own", own),
    Section("shims", shims),
    Section("shells", shells),
    Section("environments", _environments),
    Section("projects", projects),
    Section("sync", syncs),
    Section("scripts", scripts),
    Section("packs", packs),
    Section("space", space),
    Section("scale", scale),
)


def measured(section: Section, bench: Bench) -> tuple[list[Result | Absent], bool]:
    """Run one section; return its rows, and whether it came to its end.

    One that fails is a row that says so: the others are measured all the same.
    """
    say(f"measuring: {section.name}")
    results: Sequence[Result] = ()
    whole = True
    try:
        results = section.measure(bench)
    except Exception as error:  # noqa: BLE001 # whatever it was, hours of others don't go with it
        bench.miss(f"the whole of “{section.name}”", error)
        whole = False
    absent, bench.absent = bench.absent, []
    return [*results, *absent], whole

"""What every section is given: the place, the builds, how often, and how contestants are held."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from bench import builds
from bench.results import Absent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bench.builds import Build
    from bench.measure import Run
    from bench.place import Place

OURS = ("bubble", "bare")  # without these there is no row


@dataclass(frozen=True)
class Rounds:
    """How often: `few` for what takes a good part of a second, `slow` for seconds, `many` else."""

    few: int
    slow: int
    many: int


@dataclass
class Bench:
    """One run of the bench; `absent` collects what couldn't take part, and why."""

    place: Place
    rounds: Rounds
    quick: bool = False
    absent: list[Absent] = field(default_factory=list)

    @cached_property
    def packed(self) -> Build:
        """The interpreter that runs this, packed."""
        return builds.packed(self.place)

    @cached_property
    def small(self) -> list[Build]:
        """The archives of ordinary size."""
        real = builds.real(self.place, self.packed)
        return [self.packed, real] if real else [self.packed]

    @cached_property
    def sized(self) -> list[Build]:
        """One that is smaller and one that is larger than those, in this order."""
        made = [builds.sized(self.place, self.packed, megabytes) for megabytes in (12, 100)]
        if None in made:
            self.miss("archives of 12 and 100 MB", "there is no strip on this machine")
        return [build for build in made if build]

    @cached_property
    def three(self) -> list[Build]:
        """Archives of three minors, fewer where this machine has no more interpreters."""
        return builds.of_minors(self.place, self.small)

    def miss(self, what: str, why: object) -> None:
        """Note that something isn't measured here."""
        lines = [line.strip() for line in str(why).splitlines() if line.strip()]
        # of what a command has printed, where it says what is wrong
        said = [line for line in lines[1:] if "error" in line.lower()] or lines[-1:]
        told = Absent(what, said[0].replace(f"{self.place.path}/", "")[:300] if said else "")
        if told not in self.absent:
            say(f"not here: {told.what}: {told.why}")
            self.absent.append(told)

    def contest(
        self,
        what: str,
        contestants: Mapping[str, Callable[[], Run]],
        rounds: int,
        warm: int = 1,
        seldom: Collection[str] = (),
    ) -> dict[str, list[Run]]:
        """Measure everybody once a round, in turn, after `warm` rounds that aren't counted.

        A peer that can't do it in a round that isn't counted takes no part, and is noted (one that
        isn't here at all: the page says so once). Those that take seconds (`seldom`) are in the
        first `slow` rounds alone.
        """
        able = {n: call for n, call in contestants.items() if not self.place.lacks(n)}
        for _ in range(max(warm, 1)):
            for name, measure in contestants.items():
                if name not in able:
                    continue
                try:
                    measure()
                except (RuntimeError, OSError) as error:
                    if name in OURS:
                        raise
                    self.miss(f"{what}: {name}", error)
                    del able[name]
        results: dict[str, list[Run]] = {name: [] for name in able}
        for n in range(rounds):
            for name, measure in able.items():
                if n < self.rounds.slow or name not in seldom:
                    results[name].append(measure())
        return results


def say(text: str) -> None:
    """Tell whoever waits."""
    print(f"bench: {text}", file=sys.stderr, flush=True)

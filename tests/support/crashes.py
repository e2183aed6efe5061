"""What every kill of a command is followed by: the invariants, the next command, them again."""

from __future__ import annotations

from bubble.system.host import host_platform
from support import invariants
from support.needs import FULL
from support.scene import command
from support.sweep import Report, sweep
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.scene import Scene

PLATFORM = host_platform({})
OLDER = f"cpython-3.11.8-{PLATFORM}"
NEWER = f"cpython-3.11.9-{PLATFORM}"


def crash(
    stage: Scene,
    arguments: Sequence[str],
    *,
    start: str,
    works: Sequence[str] = (),
    works_later: Sequence[str] = (),
    retry: Sequence[str] = (),
    gone: str = "",
    variant: str = "",
    bug: str = "",
    may_miss: str = "",
    every: int = 1,
) -> Report:
    """Kill the command at every point and hold what is left against the invariants.

    `start` is the saved state it begins from. `works` are the keys and minor links that must work
    after every kill, `works_later` those that must after the next command, which is `retry` or
    the same again. `gone` is the key that the command removes: where that has happened, the next
    one may say so. Fails on any problem, unless a `bug` is planted; then the first one is enough.
    `variant` is one of `planted` that is no bug. `may_miss` is part of the path of what doesn't
    happen in every run. Of the points every so-manieth is tried, unless in full.
    """
    canary = snapshot(stage.canary)
    # the exchange missing, one version is in the trash for a moment: links to it dangle
    links_may_dangle = bool(works_later)

    def check() -> list[str]:
        found = invariants.not_working(stage, works)
        if not links_may_dangle:
            found += invariants.not_whole(stage)
        following = retry or arguments
        again = stage.run(*following, bug=bug) if bug else stage.call(*following)
        found += invariants.unclear(again)
        already = gone and f"no installed Python satisfies “{arguments[-1]}”" in again.err
        if again.status and not already:
            found.append(f"I5: the next command failed: {again}")
        found += invariants.not_whole(stage)
        found += invariants.not_working(stage, (*works, *works_later))
        found += invariants.left_over(stage)
        found += invariants.unlinked(stage)
        if gone and gone in invariants.installed(stage):
            found.append(f"I5: {gone} is still there")
        if snapshot(stage.canary) != canary:
            found.append("I4: the canary was changed")
        return found

    report = sweep(
        command(*arguments, bug=bug or variant or "none"),
        env=stage.env,
        roots=[stage.home, stage.cache],
        scratch=f"{stage.root}/scratch",
        prepare=lambda: stage.restore(start),
        check=check,
        stop_early=bool(bug),
        select=lambda points: points if FULL else points[::every],
    )
    print(f"{' '.join(arguments)}: {report}")
    if not bug:
        assert not report.problems, "\n".join(report.problems)
        missed = [p for p in report.missed if not may_miss or may_miss not in p.path]
        assert not missed, missed
        excused = len(report.missed) - len(missed)
        assert report.killed > (report.points - excused) * 0.9
        assert not invariants.not_running(stage, invariants.installed(stage))
    return report

"""Kill sweeps of commands that write elsewhere than into the store: mirrors, pins, start-up files.

`kill_everywhere` kills a command at each of its points, asks the caller what must hold then, says
the same command again, and asks what must hold then.
"""

from __future__ import annotations

import os
import shutil

from support import invariants
from support.needs import FULL
from support.scene import command
from support.sweep import sweep
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.scene import Scene
    from support.sweep import Point, Report


def kill_everywhere(
    stage: Scene,
    arguments: Sequence[str],
    *,
    directory: str,
    then: Callable[[], list[str]],
    afterwards: Callable[[], list[str]],
    cwd: str = "",
    names: str = ".",
    bug: str = "",
    select: Callable[[list[Point]], list[Point]] = list,
) -> Report:
    """Kill the command at its points; what it writes is in home, cache and `directory`.

    All three start from what they are now, each time. `then` says what is wrong right after a
    kill, `afterwards` after the same command has been said again, in `cwd`, where what it writes
    has names that begin with `names`. Fails on any problem,
    unless a `bug` of `planted` is there to be seen.
    """
    start = f"{stage.root}/saved/{len(os.listdir(stage.root))}"
    places = [place for place in (stage.home, stage.cache, directory) if os.path.isdir(place)]
    for number, place in enumerate(places):
        shutil.copytree(place, f"{start}/{number}", symlinks=True)
    canary = snapshot(stage.canary)
    before = ("env", "-C", cwd) if cwd else ()

    def prepare() -> None:
        for place in (stage.home, stage.cache, directory):
            shutil.rmtree(place, ignore_errors=True)
        for number, place in enumerate(places):
            shutil.copytree(f"{start}/{number}", place, symlinks=True)

    def check() -> list[str]:
        found = then()
        again = stage.run(*arguments, before=before, bug=bug)
        found += invariants.unclear(again)
        found += [f"I5: the next command failed: {again}"] if again.status else []
        left = [what for what in invariants.left_over(stage) if "..bubble.tmp" not in what]
        found += afterwards() + left + scraps(directory)
        if snapshot(stage.canary) != canary:
            found.append("I4: the canary was changed")
        return found

    report = sweep(
        [*before, *command(*arguments, bug=bug or "none")],
        env=stage.env,
        # the directory itself is in every call that looks up a path from it
        roots=[stage.home, stage.cache, f"{directory}/{names if cwd else ''}"],
        scratch=f"{stage.root}/scratch",
        prepare=prepare,
        check=check,
        stop_early=bool(bug),
        select=select,
    )
    words = " ".join(word for word in arguments if not word.startswith("/"))
    print(f"{words}: {report}")
    if bug:
        assert report.problems, f"the sweep doesn't see {bug}"
        return report
    assert not report.problems, "\n".join(report.problems[:20])
    assert not report.missed, report.missed
    return report


def some(points: list[Point]) -> list[Point]:
    """Choose the last calls, where it all comes together, and every fourth before; all in full."""
    return [p for n, p in enumerate(points) if FULL or n % 4 == 0 or n >= len(points) - 16]


def scraps(directory: str) -> list[str]:
    """I3: no temporary file is left below a directory that isn't bubble's own."""
    return [
        f"I3: {place}/{name}"
        for place, _, names in os.walk(directory)
        for name in names
        if name.endswith(".tmp")
    ]

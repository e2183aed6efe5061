"""SIGKILL before every change that making a bundle, and installing from one, makes."""

from __future__ import annotations

import hashlib
import os

import pytest

from support import invariants
from support.builds import small_archive
from support.bundles import double_release
from support.kills import kill_everywhere
from support.needs import FULL, LINUX_ONLY, needs
from support.scene import scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.scene import Scene
    from support.sweep import Point

pytestmark = [LINUX_ONLY, needs("strace")]
_LAST = 12  # points that are always tried: there it all comes together


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Scene]:
    """Return a scene with a bundle of a Python, and a place for another one."""
    with scene({"version": "3.11.9", "extra_files": 0}, {"version": "3.12.4"}) as made:
        os.makedirs(made.home)
        os.makedirs(place(made))
        own = small_archive(f"{tmp_path}/own", "3.13.1")
        double_release(f"{made.root}/release", own)
        done = made.run(*create(made, "3.12"))
        assert done.status == 0, done
        os.rename(file(made), f"{made.root}/first.sh")
        os.link(f"{made.root}/first.sh", file(made))
        yield made


def place(stage: Scene) -> str:
    return f"{stage.disk}/bundles"


def file(stage: Scene) -> str:
    return f"{place(stage)}/b.sh"


def create(stage: Scene, request: str) -> tuple[str, ...]:
    release = f"{stage.root}/release"
    return ("bundle", "create", file(stage), request, "--release", release)


def digest(path: str) -> str:
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def sampled(points: list[Point]) -> list[Point]:
    every = 1 if FULL else 7
    return [p for n, p in enumerate(points) if n % every == 0 or n >= len(points) - _LAST]


def test_a_bundle_whose_maker_is_killed_anywhere_is_the_one_before_or_the_new_one(
    stage: Scene,
) -> None:
    first = digest(file(stage))
    assert stage.run(*create(stage, "3.11")).status == 0
    second = digest(file(stage))
    os.unlink(file(stage))
    os.link(f"{stage.root}/first.sh", file(stage))

    def then(*expected: str) -> list[str]:
        return [] if digest(file(stage)) in expected else ["I1: another bundle lies there"]

    report = kill_everywhere(
        stage,
        create(stage, "3.11"),
        directory=place(stage),
        then=lambda: then(first, second),
        afterwards=lambda: then(second),
        select=sampled,
    )
    assert report.points > 10


def test_an_installation_that_is_killed_anywhere_goes_on(stage: Scene) -> None:
    bundle = f"{stage.root}/first.sh"

    def whole() -> list[str]:
        keys = invariants.installed(stage)
        found = (
            [] if [k for k in keys if k.startswith("cpython-3.12.4-")] else ["I5: it is missing"]
        )
        return [*found, *invariants.unlinked(stage)]

    report = kill_everywhere(
        stage,
        ("bundle", "install", bundle),
        directory=place(stage),
        then=lambda: invariants.not_whole(stage),
        afterwards=lambda: [*invariants.not_whole(stage), *whole()],
        select=sampled,
    )
    assert report.points > 10


def test_a_full_disk_at_any_point_leaves_what_was_there(stage: Scene) -> None:
    from support.sweep import Strace

    words = ("bundle", "install", f"{stage.root}/first.sh")
    from support.scene import command

    strace = Strace(
        command(*words, bug="none"), stage.env, [stage.home, stage.cache], f"{stage.root}/scratch"
    )
    stage.save("before")
    points = strace.points()
    takes_space = ("open", "mkdir", "write", "rename", "symlink", "fsync", "syncfs")
    points = [p for p in points if p.name.startswith(takes_space)]
    tried = 0
    problems = []
    for point in points[:: 1 if FULL else 12]:
        stage.restore("before")
        done = strace.disturb(point, "error=ENOSPC")
        if done is None:
            continue
        tried += 1
        found = invariants.unclear(done) + invariants.not_whole(stage)
        again = stage.run(*words)
        found += [f"I5: {again}"] if again.status else []
        found += invariants.not_whole(stage) + invariants.left_over(stage)
        problems += [f"{point.call}: {problem}" for problem in found]
    assert tried > 3
    assert not problems, "\n".join(problems[:20])

"""Killed while mending: what was damaged is as damaged as it was, or whole; never gone."""

from __future__ import annotations

import json
import os
import random
import shutil
import time

import pytest

from support import invariants
from support.crashes import NEWER, OLDER
from support.figures import caught, record
from support.kills import kill_everywhere, some
from support.needs import FULL, LINUX_ONLY, needs
from support.real_kills import SLACK, kill_after
from support.scene import scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = LINUX_ONLY
KILLS = 60 if FULL else 4


@pytest.fixture
def stage() -> Iterator[Scene]:
    small = {"extra_files": 2}
    with scene({"version": "3.11.8", **small}, {"version": "3.11.9", **small}) as made:
        made.run("python", "install", "3.11.8", "3.11.9")
        yield made


@needs("strace")
@pytest.mark.parametrize("bug", ["", "remove-then-rename"])
def test_a_repair_of_a_python_that_is_killed_anywhere_leaves_the_damaged_one_or_a_whole_one(
    stage: Scene, bug: str
) -> None:
    shutil.rmtree(f"{stage.layout.python(NEWER)}/lib")
    kill_everywhere(
        stage,
        ("python", "verify", "--repair"),
        directory=f"{stage.root}/user",
        then=lambda: invariants.not_working(stage, (OLDER, NEWER, "3.11")),
        afterwards=lambda: invariants.not_whole(stage) + invariants.unlinked(stage),
        bug=bug,
        select=(lambda points: points[-30:]) if bug else some,
    )


def ail(stage: Scene) -> None:
    """Give the doctor a damaged Python to mend, and more."""
    os.unlink(f"{stage.layout.python(NEWER)}/bin/python3.11")
    os.unlink(f"{stage.layout.pythons}/3.11")
    os.makedirs(f"{stage.layout.trash}/something", exist_ok=True)
    for name in ("python", "pip3"):
        if os.path.lexists(f"{stage.layout.shims}/{name}"):
            os.unlink(f"{stage.layout.shims}/{name}")


def mended(stage: Scene, bug: str = "") -> list[str]:
    """The next command leaves nothing that the doctor could mend."""
    again = stage.run("doctor", "--fix", "--json", bug=bug)
    findings = json.loads(again.out)["data"]["findings"]
    found = [f"I5: {finding['what']}" for finding in findings if finding["automatic"]]
    assert stage.run("python", "install", "3.11.9").status == 0  # which sweeps
    found += invariants.not_whole(stage) + invariants.unlinked(stage)
    return found + invariants.left_over(stage)


def test_a_doctor_that_is_killed_at_random_leaves_nothing_that_the_next_one_cannot_mend(
    stage: Scene,
) -> None:
    ail(stage)
    stage.save("ill")
    begun = time.monotonic()
    stage.run("doctor", "--fix")
    longest = (time.monotonic() - begun) * SLACK
    assert mended(stage) == []
    killed = seed = 0
    while killed < KILLS:
        stage.restore("ill")
        in_time = kill_after(stage, ("doctor", "--fix"), random.Random(seed).uniform(0, longest))
        found = invariants.not_working(stage, (OLDER,))
        found += [] if os.path.isdir(stage.layout.python(NEWER)) else ["I2: the newer is gone"]
        found += mended(stage)
        assert not found, f"seed {seed}: {found}"
        killed += in_time
        seed += 1
        assert seed < KILLS * 10, "hardly any is killed in time"
    record("random kills of bubble doctor --fix", tried=killed, held=killed)


def test_random_kills_catch_a_doctor_that_only_says_that_it_mends(stage: Scene) -> None:
    ail(stage)
    assert mended(stage, bug="idle-doctor")
    caught("doctor --fix that mends nothing", by="what must hold after its kills")

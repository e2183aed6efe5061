"""SIGKILL at random moments of installs of a real build: nothing corrupt, nothing leaked."""

from __future__ import annotations

import hashlib

import pytest

from support.figures import caught, record
from support.needs import FULL, LINUX_ONLY, NEEDS_REAL_BUILD, real_build
from support.real_kills import RealKills
from support.scene import scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, NEEDS_REAL_BUILD]
SHARES = 10 if FULL else 2  # so that parallel workers get some each
KILLS = 500 if FULL else 6


@pytest.fixture
def stage() -> Iterator[Scene]:
    with scene() as made:
        made.env["BUBBLE_OFFLINE"] = "1"
        yield made


def sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.parametrize("share", range(SHARES))
def test_an_install_of_a_real_build_that_is_killed_at_random_leaves_nothing_half(
    stage: Scene, share: int
) -> None:
    archive = real_build()
    kills = RealKills(stage, archive, sha256(archive))
    wanted, seed, held = KILLS // SHARES, share, 0
    while kills.killed < wanted:
        before = kills.killed
        found = kills.one(seed)
        assert not found, "\n".join(found)
        held += kills.killed > before  # not one that ended by itself
        seed += SHARES
        assert seed < wanted * SHARES * 4, "hardly any is killed in time"
    what = "random kills of an install of a real build: 0 corrupt, 0 leaked"
    record(what, tried=kills.killed, held=held, note="nothing there, downloaded, or a reinstall")


@pytest.mark.parametrize("bug", ["straight", "no-sweep"])
def test_random_kills_catch_a_planted_bug(stage: Scene, bug: str) -> None:
    archive = real_build()
    kills = RealKills(stage, archive, sha256(archive), bug)
    assert any(kills.one(seed) for seed in range(40))
    caught(f"an install that is {bug}", by="random kills")

"""SIGKILL before every file-changing call of an administrator's commands on everybody's store."""

from __future__ import annotations

import pytest

from support.crashes import NEWER, OLDER, crash
from support.needs import LINUX_ONLY, needs
from support.scene import scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

# what is compiled there, by several processes at a time, under names that nobody knows before
COMPILED = "/lib/python3."
pytestmark = [LINUX_ONLY, needs("strace")]


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene whose store is the system's: who asks by another way looks at the same."""
    small = {"extra_files": 0}
    with scene({"version": "3.11.8", **small}, {"version": "3.11.9", **small}) as made:
        made.env["BUBBLE_SYSTEM_HOME"] = made.home
        yield made


def test_an_installation_for_everybody_that_is_killed_anywhere_is_there_or_not(
    stage: Scene,
) -> None:
    stage.run("--system", "python", "install", "3.11.8")
    stage.save("older")
    install = ("--system", "python", "install", "3.11.9")
    report = crash(
        stage,
        install,
        start="older",
        works=(OLDER, "3.11"),
        works_later=(NEWER,),
        may_miss=COMPILED,
        every=4,
    )
    assert report.calls > 60


def test_an_upgrade_for_everybody_that_is_killed_anywhere_keeps_the_minor_working(
    stage: Scene,
) -> None:
    stage.run("--system", "python", "install", "3.11.8")
    stage.save("older")
    upgrade = ("--system", "python", "upgrade", "--prune")
    report = crash(
        stage, upgrade, start="older", works=("3.11",), gone=OLDER, may_miss=COMPILED, every=4
    )
    assert report.calls > 80

"""SIGKILL before every file-changing call of uninstall, upgrade and adopt."""

from __future__ import annotations

import pytest

from support.builds import archive_path, small_archive
from support.crashes import NEWER, OLDER, crash
from support.needs import LINUX_ONLY, needs
from support.scene import scene
from support.unpack import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, needs("strace")]


@pytest.fixture
def stage() -> Iterator[Scene]:
    small = {"extra_files": 0}
    with scene({"version": "3.11.8", **small}, {"version": "3.11.9", **small}) as made:
        yield made


def test_an_uninstall_that_is_killed_anywhere_leaves_the_minor_a_working_version(
    stage: Scene,
) -> None:
    stage.run("python", "install", "3.11.8", "3.11.9")
    stage.save("both")
    uninstall = ("python", "uninstall", "3.11.9")
    report = crash(stage, uninstall, start="both", works=(OLDER, "3.11"), gone=NEWER)
    assert report.calls > 40


def test_an_uninstall_of_the_last_that_is_killed_anywhere_leaves_all_or_nothing(
    stage: Scene,
) -> None:
    stage.run("python", "install", "3.11.9")
    stage.save("newer")
    # by force: the directory that this runs in has a `requires-python` that it satisfies
    uninstall = ("python", "uninstall", "--force", "3.11.9")
    report = crash(stage, uninstall, start="newer", gone=NEWER)
    assert report.calls > 40


def test_an_upgrade_that_is_killed_anywhere_keeps_the_minor_working_and_still_prunes(
    stage: Scene,
) -> None:
    stage.run("python", "install", "3.11.8")
    stage.save("older")
    upgrade = ("python", "upgrade", "--prune")
    report = crash(stage, upgrade, start="older", works=("3.11",), gone=OLDER, every=2)
    assert report.calls > 80


def test_an_adoption_that_is_killed_anywhere_is_there_or_not(stage: Scene) -> None:
    stage.run("python", "install", "3.11.8")
    stage.save("older")
    download = small_archive(f"{stage.root}/foreign", "3.12.5", extra_files=0)
    unpack(archive_path(download), f"{stage.root}/foreign")
    adopt = ("python", "adopt", f"{stage.root}/foreign/python")
    report = crash(stage, adopt, start="older", works=(OLDER, "3.11"))
    assert report.calls > 30

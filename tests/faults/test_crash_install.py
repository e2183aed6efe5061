"""SIGKILL before every file-changing call of install and reinstall: nothing is ever half."""

from __future__ import annotations

import os

import pytest

from support.crashes import NEWER, OLDER, crash
from support.fault_server import serve
from support.needs import LINUX_ONLY, needs
from support.scene import scene
from support.sweep import Point, Strace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, needs("strace")]
INSTALL = ("python", "install", "3.11.9")
REINSTALL = ("python", "install", "--reinstall", "3.11.9")


@pytest.fixture
def stage() -> Iterator[Scene]:
    small = {"extra_files": 0}
    with scene({"version": "3.11.8", **small}, {"version": "3.11.9", **small}) as made:
        yield made


def test_a_first_install_that_is_killed_anywhere_leaves_nothing_half(stage: Scene) -> None:
    report = crash(stage, INSTALL, start="nothing")
    assert report.calls > 80


def test_an_install_beside_another_that_is_killed_anywhere_leaves_the_other(stage: Scene) -> None:
    stage.run("python", "install", "3.11.8")
    stage.save("older")
    report = crash(stage, INSTALL, start="older", works=(OLDER, "3.11"))
    assert report.calls > 60


def test_a_reinstall_that_is_killed_anywhere_never_has_a_moment_without_the_version(
    stage: Scene,
) -> None:
    stage.run(*INSTALL)
    stage.save("newer")
    report = crash(stage, REINSTALL, start="newer", works=(NEWER, "3.11"))
    assert report.calls > 60


def test_a_reinstall_where_directories_cannot_be_exchanged_is_mended_by_the_next_command(
    stage: Scene,
) -> None:
    stage.run(*INSTALL)
    stage.save("newer")
    # between two renames there is a moment without: the next install puts the old one back
    report = crash(
        stage,
        REINSTALL,
        start="newer",
        works_later=(NEWER, "3.11"),
        retry=INSTALL,
        variant="no-exchange",
    )
    assert report.calls > 60


@pytest.mark.parametrize("bug", ["straight", "receipt-first", "no-sweep"])
def test_the_sweep_catches_a_planted_bug_of_the_install(stage: Scene, bug: str) -> None:
    report = crash(stage, INSTALL, start="nothing", bug=bug)
    assert report.problems


def test_the_sweep_catches_a_reinstall_that_removes_before_it_renames(stage: Scene) -> None:
    stage.run(*INSTALL)
    stage.save("newer")
    report = crash(stage, REINSTALL, start="newer", works=(NEWER, "3.11"), bug="remove-then-rename")
    assert any("I2" in problem or "I1" in problem for problem in report.problems)


def test_a_kill_comes_before_the_call_and_a_missed_one_is_told(stage: Scene) -> None:
    strace = Strace(
        ["mkdir", f"{stage.home}-made"], stage.env, [stage.disk], f"{stage.root}/scratch"
    )
    (point,) = strace.points()
    os.rmdir(f"{stage.home}-made")
    assert strace.kill(point)
    assert not os.path.exists(f"{stage.home}-made")
    assert not strace.kill(Point("mkdir", 2, point.path, point.call))
    os.rmdir(f"{stage.home}-made")
    assert not strace.kill(Point("mkdir", 1, point.path, "mkdir elsewhere"))


def test_an_install_from_a_server_that_is_killed_anywhere_leaves_nothing_half(
    stage: Scene,
) -> None:
    with serve(stage.mirror) as server:
        stage.env["BUBBLE_CATALOG"] = f"{server.url}/catalogue.json"
        # how often the state is saved depends on how the bytes come in
        report = crash(stage, INSTALL, start="nothing", may_miss=".part", every=2)
    assert report.calls > 80

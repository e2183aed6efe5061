"""`bubble lock`, killed, out of disk, interrupted, or beside another one, at any of its calls."""

from __future__ import annotations

import os
import subprocess

import pytest

from support import invariants
from support.kills import kill_everywhere, scraps
from support.locking import make_wheels, use_uv, versions
from support.needs import FULL, LINUX_ONLY, needs, real_uv
from support.scene import command, scene
from support.sweep import Strace, telling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene
    from support.sweep import Point

pytestmark = [LINUX_ONLY, needs("strace")]


@pytest.fixture
def stage() -> Iterator[Scene]:
    small = {"extra_files": 0}
    with scene({"version": "3.12.4", **small}, {"version": "3.12.5", **small}) as made:
        wheels = make_wheels(f"{made.root}/wheels")
        use_uv(made.env, real_uv(), wheels, f"{made.root}/tools")
        os.mkdir(f"{made.root}/project")
        yield made


def ours(points: list[Point]) -> list[Point]:
    """Leave out what uv calls otherwise in every run."""
    return [point for point in points if "/.tmp" not in point.call]


def manifest(project: str, wanted: str) -> None:
    with open(f"{project}/bubble.toml", "w", encoding="utf-8") as file:
        file.write(f'python = "3.12"\n[bubbles.default]\ndependencies = ["{wanted}"]\n')


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [((), "alpha>=2"), (("--python",), "alpha"), (("--upgrade",), "alpha")],
    ids=["inputs", "python", "upgrade"],
)
def test_a_lock_whose_writer_is_killed_anywhere_is_the_old_or_the_new(
    stage: Scene, words: tuple[str, ...], wanted: str
) -> None:
    project = f"{stage.root}/project"
    path = f"{project}/pylock.toml"
    within = ("env", "-C", project)
    manifest(project, "alpha<2")
    first = stage.run("lock", before=within)
    assert first.status == 0, first
    text = read(path).replace(b"3.12.5", b"3.12.4") if "--python" in words else read(path)
    with open(path, "wb") as file:
        file.write(text)
    manifest(project, wanted)
    old = read(path)
    new = stage.run("lock", *words, before=within)
    assert new.status == 0, new
    after = read(path)
    assert after != old
    with open(path, "wb") as file:
        file.write(old)

    def then() -> list[str]:
        found = read(path)
        return [] if found in {old, after} else [f"I2: the lock is neither: {found!r}"]

    def afterwards() -> list[str]:
        found = [] if read(path) == after else ["I5: the lock isn't the new one"]
        mode = os.stat(path).st_mode & 0o777
        return found if mode == 0o644 else [*found, f"I2: its mode is {mode:o}"]

    kill_everywhere(
        stage,
        ("lock", *words),
        directory=project,
        cwd=project,
        then=then,
        afterwards=afterwards,
        select=ours,
    )
    assert versions(path)["beta"] == "1.1"


FAULTS = ["error=ENOSPC", "error=EIO", "signal=INT", "signal=TERM"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_call_leaves_the_old_lock_or_the_new(stage: Scene, fault: str) -> None:
    project = f"{stage.root}/project"
    path = f"{project}/pylock.toml"
    within = ("env", "-C", project)
    manifest(project, "alpha<2")
    assert stage.run("lock", before=within).status == 0
    manifest(project, "alpha>=2")
    old = read(path)
    strace = Strace(
        [*within, *command("lock", bug="none")],
        stage.env,
        [stage.home, stage.cache, f"{project}/."],
        f"{stage.root}/scratch",
    )
    stage.save("locked")
    points = ours(telling(strace.points()))
    if not FULL:  # two errors and two signals share the calls
        points = points[FAULTS.index(fault) % 2 :: 2]
    new = read(path)
    assert new != old
    failed = 0
    for point in points:
        with open(path, "wb") as file:
            file.write(old)
        stage.restore("locked")
        outcome = strace.disturb(point, fault)
        assert outcome is not None, point
        failed += outcome.status != 0
        where = f"{fault} at {point.name} {point.call}: {outcome}"
        assert read(path) in ({old, new} if outcome.status else {new}), where
        if fault.startswith("error"):
            assert not invariants.unclear(outcome), where
        again = stage.run("lock", before=within)
        assert again.status == 0, f"{where}\n{again}"
        assert read(path) == new, where
        assert not invariants.left_over(stage) + scraps(project), where
    assert failed


def test_two_locks_at_once_both_succeed_and_leave_one_whole_lock(stage: Scene) -> None:
    project = f"{stage.root}/project"
    manifest(project, "alpha")
    for _ in range(3):
        running = [
            subprocess.Popen(
                ["env", "-C", project, *command("lock", *words, bug="none")],
                env=stage.env,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for words in ((), ("--upgrade",), ("--python",))
        ]
        said = [process.communicate() for process in running]
        assert [process.returncode for process in running] == [0, 0, 0], said
        assert versions(f"{project}/pylock.toml") == {
            "alpha": "2.0", "beta": "1.1", "winonly": "3.0",
        }  # fmt: skip
        assert sorted(os.listdir(project)) == ["bubble.toml", "pylock.toml"]
        os.unlink(f"{project}/pylock.toml")
    assert not invariants.left_over(stage)


def test_a_lock_that_somebody_else_is_making_is_waited_for_and_named(stage: Scene) -> None:
    from bubble.projects.lock import lock_of
    from bubble.selection.answers import World
    from bubble.system.host import host_platform

    project = os.path.realpath(f"{stage.root}/project")
    manifest(project, "alpha")
    world = World(cwd=project, env={}, layout=stage.layout, platform=host_platform({}))
    with lock_of(f"{project}/pylock.toml", world):
        done = stage.run("lock", before=("env", "-C", project), env={"BUBBLE_LOCK_TIMEOUT": "0.1"})
    assert done.status == 1
    assert f"lock default: waiting for process {os.getpid()}" in done.err
    assert f"process {os.getpid()} holds" in done.err

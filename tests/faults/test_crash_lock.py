"""`bubble lock`, killed before any call that changes a file, in each of its ways."""

from __future__ import annotations

import os

import pytest

from support.kills import kill_everywhere
from support.locking import make_wheels, use_uv, versions
from support.needs import LINUX_ONLY, needs, real_uv
from support.scene import scene

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

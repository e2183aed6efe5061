"""SIGKILL before every change that packing and unpacking make; a full disk; many at once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess

import pytest

from support import invariants
from support.kills import kill_everywhere, some
from support.needs import LINUX_ONLY, needs
from support.scene import command, scene
from support.sweep import Strace
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Scene

pytestmark = [LINUX_ONLY, needs("strace")]


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene with an environment, a pack of it, and a place for another."""
    with scene({"version": "3.11.9", "extra_files": 0}) as made:
        os.makedirs(place(made))
        for words in (
            ("python", "install", "3.11"),
            ("create", "train", "--no-pip"),
            ("pack", "train", "-o", file(made), "--exclude", "lib/*/os.py"),
        ):
            done = made.run(*words)
            assert done.status == 0, done
        yield made


def place(stage: Scene) -> str:
    return f"{stage.disk}/packs"


def file(stage: Scene) -> str:
    return f"{place(stage)}/pack.tar.gz"


def digest(path: str) -> str:
    with open(path, "rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def tree(stage: Scene) -> object:
    target = f"{place(stage)}/there"
    return snapshot(target) if os.path.lexists(target) else None


def test_a_pack_is_the_one_before_or_the_new_one(stage: Scene) -> None:
    words = ("pack", "train", "-o", file(stage), "--force")
    first = digest(file(stage))
    other = f"{stage.root}/other.tar.gz"
    assert stage.run("pack", "train", "-o", other).status == 0
    second = digest(other)
    assert first != second

    def then(*expected: str) -> list[str]:
        return [] if digest(file(stage)) in expected else ["I1: another pack lies there"]

    report = kill_everywhere(
        stage, words, directory=place(stage),
        then=lambda: then(first, second), afterwards=lambda: then(second), select=some,
    )  # fmt: skip
    assert report.points > 5


@pytest.mark.parametrize("alone", [False, True])
def test_a_directory_is_whole_or_not_there(stage: Scene, *, alone: bool) -> None:
    if alone:
        done = stage.run("pack", "train", "-o", file(stage), "--force", "--no-python")
        assert done.status == 0, done
    words = ("unpack", file(stage), f"{place(stage)}/there")
    assert stage.run(*words).status == 0
    whole = tree(stage)
    assert stage.run("unpack", file(stage), f"{stage.root}/elsewhere").status == 0
    os.rename(f"{place(stage)}/there", f"{stage.root}/gone")

    def then(*expected: object) -> list[str]:
        return [] if tree(stage) in expected else ["I1: half a directory lies there"]

    report = kill_everywhere(
        stage, words, directory=place(stage),
        then=lambda: then(None, whole), afterwards=lambda: then(whole), select=some,
    )  # fmt: skip
    assert report.points > 10


@pytest.mark.parametrize("what", ["pack", "unpack"])
def test_a_full_disk_leaves_what_was_there(stage: Scene, what: str) -> None:
    target = f"{place(stage)}/there"
    words = {
        "pack": ("pack", "train", "-o", file(stage), "--force"),
        "unpack": ("unpack", file(stage), target),
    }[what]
    strace = Strace(
        command(*words, bug="none"),
        stage.env,
        [stage.home, stage.cache, place(stage)],
        f"{stage.root}/scratch",
    )
    first = digest(file(stage))
    stage.save("before")
    with open(file(stage), "rb") as opened:
        kept = opened.read()

    def as_it_was() -> bool:
        return os.listdir(place(stage)) == ["pack.tar.gz"] and digest(file(stage)) == first

    takes_space = ("open", "mkdir", "write", "rename", "symlink", "fsync", "syncfs")
    points = [p for p in strace.points() if p.name.startswith(takes_space)]
    tried, problems = 0, []
    for point in points:
        stage.restore("before")
        shutil.rmtree(place(stage))
        os.makedirs(place(stage))
        with open(file(stage), "wb") as back:
            back.write(kept)
        done = strace.disturb(point, "error=ENOSPC")
        if done is None or not done.status:
            continue
        tried += 1
        found = invariants.unclear(done) + invariants.left_over(stage)
        # what has its name already is whole; that it may not outlast a power cut is an error
        found += [] if point.name == "fsync" or as_it_was() else ["I1: something changed"]
        again = stage.run(*words)
        found += [f"I5: {again}"] if again.status else []
        problems += [f"{point.call}: {problem}" for problem in found]
    assert tried
    assert not problems, "\n".join(problems[:20])


def test_of_many_that_unpack_at_once_one_does(stage: Scene) -> None:
    target = f"{place(stage)}/there"
    command_line = [*command("unpack", file(stage), target, "--json", bug="none")]
    running = [
        subprocess.Popen(command_line, env=stage.env, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * 8, said
    assert sum('"unpacked"' in one for one in said) == 1
    assert os.path.exists(f"{target}/bin/python")

"""SIGKILL before the changes of sync and rollback: the old environment, or the new one, whole."""

from __future__ import annotations

import os

import pytest

from bubble.pythons.installed import store
from bubble.selection import registry
from bubble.selection.identity import is_itself, mark_of
from support import invariants
from support.env_scene import broken, env_scene, project, request, restore, save
from support.figures import caught
from support.namespace import on_overlay
from support.needs import FULL, LINUX_ONLY, ROOT_ONLY, needs
from support.scene import command
from support.sweep import Strace, sweep
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.scene import Scene
    from support.sweep import Point

pytestmark = [LINUX_ONLY, needs("strace")]
_LAST = 20  # points that are always tried: there it all comes together
_EACH = 1 if FULL else 14
_SHA256 = "a" * 64
# what the real one does, in few calls: it has sweeps of its own
_UV = """#!/bin/sh
while [ $# -gt 1 ]; do shift; done
version=$(sed -n 's/^version = "\\(.*\\)"/\\1/p' "$1" | head -n 1)
for packages in "$VIRTUAL_ENV"/lib/python*/site-packages; do
    mkdir "$packages/one-$version.dist-info"
    printf 'Name: one\\nVersion: %s\\n' "$version" >"$packages/one-$version.dist-info/METADATA"
done
"""


def write_lock(stage: Scene, name: str, version: str) -> None:
    """Write a lock of one package, in this version, for the interpreter of the scene."""
    key = next(k for k in invariants.installed(stage) if f"-{request(stage)}-" in k)
    lines = ['lock-version = "1.0"', "[[packages]]", 'name = "one"', f'version = "{version}"']
    wheel = f'url = "file:///wheels/one-{version}-py3-none-any.whl"'
    lines += [f'wheels = [{{ {wheel}, hashes = {{ sha256 = "{_SHA256}" }} }}]']
    lines += ["[tool.bubble]", "format = 1", 'inputs = "sha256:0"', "[tool.bubble.python]"]
    lines += [f'request = "{request(stage)}"', f'version = "{request(stage)}"']
    lines += [
        "[[tool.bubble.python.builds]]",
        f'key = "{key}"',
        'build = "1"',
        'url = "file:///python"',
    ]
    lines += [f'sha256 = "{_SHA256}"', ""]
    with open(f"{project(stage)}/{name}", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene with a project, whose environments were synced twice: `one` 1, then 2."""
    with env_scene() as made:
        root = project(made)
        with open(f"{made.root}/user/uv", "w", encoding="ascii") as file:
            file.write(_UV)
        os.chmod(f"{made.root}/user/uv", 0o755)
        made.env["PATH"] = f"{made.root}/user:{made.env['PATH']}"
        prefix = made.layout.python(
            next(k for k in invariants.installed(made) if f"-{request(made)}-" in k)
        )
        # as if a build with that checksum had been installed
        receipt = store.read_receipt(prefix).replace(sha256=_SHA256)
        store.write_receipt(prefix, receipt)
        with open(f"{root}/bubble.toml", "w", encoding="ascii") as file:
            file.write('[bubbles.default]\n[bubbles.train]\ndirectories = ["train"]\n')
        os.mkdir(f"{root}/train")
        for version in ("1", "2"):
            for name in ("pylock.toml", "pylock.train.toml"):
                write_lock(made, name, version)
            done = made.run("sync", "--all", "--frozen", before=("env", "-C", root))
            assert done.status == 0, done
        save(made, "synced")
        yield made


def has(path: str) -> str:
    """Return the version of `one` that an environment has, "" for none."""
    if not os.path.isdir(f"{path}/lib"):
        return ""
    (library,) = os.listdir(f"{path}/lib")
    names = os.listdir(f"{path}/lib/{library}/site-packages")
    found = [n.removeprefix("one-").removesuffix(".dist-info") for n in names if n[:4] == "one-"]
    return found[0] if found else ""


def wrong_records(stage: Scene, name: str) -> list[str]:
    """I1: what lies in a bubble's places is what the registry has for them, and nothing else."""
    root = project(stage)
    path = f"{root}/.venv" if name == "default" else f"{root}/.venvs/{name}"
    found = []
    for place in (path, f"{root}/.venvs/.previous/{name}"):
        records = [e for e in registry.environments(stage.layout) if e.path == place]
        there = os.path.lexists(place)
        if there != len(records) or (there and not is_itself(records[0], stage.layout)):
            said = [r.identity for r in records]
            found.append(f"I1: {place} has {said}, and {mark_of(place) if there else 'is gone'}")
    return found


def left_in_project(stage: Scene) -> list[str]:
    """I3: nothing but what belongs there is left."""
    root = project(stage)
    expected = {".venv", ".venvs", "bubble.toml", "pylock.toml", "pylock.train.toml", "train"}
    names = set(os.listdir(root)) - expected
    names |= set(os.listdir(f"{root}/.venvs")) - {".gitignore", ".previous", "train"}
    names |= set(os.listdir(f"{root}/.venvs/.previous")) - {"default", "train"}
    names |= set(os.listdir(f"{root}/train")) - {".venv"}
    unfinished = [n for n in os.listdir(stage.layout.registry) if n[0] not in "np"]
    return [f"I3: {name} is left" for name in (*names, *unfinished)]


def crash(
    stage: Scene,
    words: Sequence[str],
    name: str,
    *,
    start: str,
    before: Sequence[str],
    after: Sequence[str],
    bug: str = "",
) -> list[str]:
    """Kill a command at its points; `before` and `after` are what may be there then and later."""
    root = project(stage)
    path = f"{root}/.venv" if name == "default" else f"{root}/.venvs/{name}"
    canary = snapshot(stage.canary)

    def select(points: list[Point]) -> list[Point]:
        # the shims have a sweep of their own
        points = [p for p in points if FULL or "/shims/" not in p.path]
        points = [p for p in points if "dist-info" not in p.path and "/.uv" not in p.path]
        return [p for n, p in enumerate(points) if n % _EACH == 0 or n >= len(points) - _LAST]

    def check() -> list[str]:
        found = broken(path)
        if has(path) not in before:
            found.append(f"I2: {path} has {has(path) or 'nothing'}")
        again = stage.run(*words, before=("env", "-C", root), bug=bug)
        found += invariants.unclear(again)
        found += [f"I5: {again}"] if again.status else []
        found += broken(path) + wrong_records(stage, name) + invariants.left_over(stage)
        found += left_in_project(stage)
        if has(path) not in after:
            found.append(f"I5: {path} has {has(path) or 'nothing'} afterwards")
        if name == "train" and os.readlink(f"{root}/train/.venv") != "../.venvs/train":
            found.append("I5: the link is another")
        if snapshot(stage.canary) != canary:
            found.append("I4: the canary was changed")
        return found

    report = sweep(
        ["env", "-C", root, *command(*words, bug=bug or "none")],
        env=stage.env,
        roots=[stage.home, stage.cache, f"{root}/."],
        scratch=f"{stage.root}/scratch",
        prepare=lambda: restore(stage, start),
        check=check,
        stop_early=bool(bug),
        select=select,
    )
    print(f"{' '.join(words)}: {report}")
    assert bug or not report.missed, report.missed
    return report.problems


def test_a_sync_that_is_killed_anywhere_leaves_the_old_or_the_new_one(stage: Scene) -> None:
    write_lock(stage, "pylock.toml", "3")
    save(stage, "third")
    problems = crash(
        stage, ("sync", "--frozen"), "default", start="third", before=("2", "3"), after=("3",)
    )
    assert not problems, "\n".join(problems[:20])


def test_a_first_sync_that_is_killed_anywhere_can_be_said_again(stage: Scene) -> None:
    root = project(stage)
    for place in (".venvs/train", ".venvs/.previous/train"):
        done = stage.run("remove", place, before=("env", "-C", root))
        assert done.status == 0, done
    save(stage, "none")
    problems = crash(
        stage, ("sync", "--frozen", "train"), "train", start="none", before=("", "2"), after=("2",)
    )
    assert not problems, "\n".join(problems[:20])


def test_a_rollback_that_is_killed_anywhere_leaves_one_of_the_two(stage: Scene) -> None:
    either = ("1", "2")
    problems = crash(
        stage, ("rollback", "train"), "train", start="synced", before=either, after=either
    )
    assert not problems, "\n".join(problems[:20])


def test_a_full_disk_at_any_point_of_a_sync_leaves_the_old_or_the_new_one(stage: Scene) -> None:
    write_lock(stage, "pylock.toml", "3")
    save(stage, "third")
    root = project(stage)
    words = ("sync", "--frozen")
    strace = Strace(
        ["env", "-C", root, *command(*words, bug="none")],
        stage.env,
        [stage.home, stage.cache, f"{root}/."],
        f"{stage.root}/scratch",
    )
    restore(stage, "third")
    takes_space = ("open", "mkdir", "write", "rename", "symlink", "fsync", "syncfs")
    points = [p for p in strace.points() if p.name.startswith(takes_space)]
    points = [p for p in points if "/shims/" not in p.path and "dist-info" not in p.path]
    found = []
    tried = 0
    for point in [p for n, p in enumerate(points) if n % (_EACH * 2) == 0] + points[-8:]:
        restore(stage, "third")
        done = strace.disturb(point, "error=ENOSPC")
        if done is None:
            continue
        tried += 1
        where = f"{point.name} {point.ordinal}, {point.call}"
        problems = invariants.unclear(done) + broken(f"{root}/.venv")
        problems += [] if has(f"{root}/.venv") in {"2", "3"} else ["I2: neither is there"]
        again = stage.run(*words, before=("env", "-C", root))
        problems += [f"I5: {again}"] if again.status or has(f"{root}/.venv") != "3" else []
        problems += wrong_records(stage, "default") + left_in_project(stage)
        found += [f"{where}: {problem}" for problem in problems]
    assert tried > 5
    assert not found, "\n".join(found[:20])


def test_a_full_disk_at_any_point_of_a_rollback_leaves_one_of_the_two(stage: Scene) -> None:
    root = project(stage)
    place, words = f"{root}/.venvs/train", ("rollback", "train")
    restore(stage, "synced")
    strace = Strace(
        ["env", "-C", root, *command(*words, bug="none")],
        stage.env,
        [stage.home, stage.cache, f"{root}/."],
        f"{stage.root}/scratch",
    )
    restore(stage, "synced")
    takes_space = ("open", "mkdir", "write", "rename", "symlink", "link", "fsync", "syncfs")
    points = [p for p in strace.points() if p.name.startswith(takes_space)]
    assert {"renameat2"} <= {p.name for p in points}
    found = []
    tried = 0
    for point in points[:: 1 if FULL else 4]:
        restore(stage, "synced")
        done = strace.disturb(point, "error=ENOSPC")
        if done is None:
            continue
        tried += 1
        where = f"{point.name} {point.ordinal}, {point.call}"
        problems = invariants.unclear(done) + broken(place)
        problems += [] if has(place) in {"1", "2"} else ["I2: neither is there"]
        again = stage.run(*words, before=("env", "-C", root))
        problems += [f"I5: {again}"] if again.status or has(place) not in {"1", "2"} else []
        problems += wrong_records(stage, "train") + left_in_project(stage)
        found += [f"{where}: {problem}" for problem in problems]
    assert tried > 5
    assert not found, "\n".join(found[:20])


@ROOT_ONLY
def test_what_a_lower_layer_of_an_image_made_is_synced_all_the_same(stage: Scene) -> None:
    write_lock(stage, "pylock.toml", "3")
    done = on_overlay(stage.root, LAYERS, stage.root, stage.env["PATH"])
    assert done.returncode == 0, done


LAYERS = """
import os, sys
from support.scene import Scene
stage = Scene(sys.argv[1])
stage.env["PATH"] = sys.argv[2]
root = f"{stage.root}/project"
here = ("env", "-C", root)
done = stage.run("rollback", before=here)
assert done.status == 1 and "can't exchange" in done.err, done
done = stage.run("sync", "--frozen", before=here)
assert done.status == 0 and "could not be kept" in done.err, done
assert stage.run("rollback", before=here).status == 1
lock = open(f"{root}/pylock.toml").read()
open(f"{root}/pylock.toml", "w").write(lock.replace('version = "3"', 'version = "4"'))
done = stage.run("sync", "--frozen", before=here)
assert done.status == 0 and "bubble rollback" in done.err, done
done = stage.run("rollback", before=here)
assert done.status == 0, done
"""


@pytest.mark.parametrize("bug", ["remove-then-rename"])
def test_the_sweep_catches_a_planted_bug(stage: Scene, bug: str) -> None:
    write_lock(stage, "pylock.toml", "3")
    save(stage, "third")
    words = ("sync", "--frozen")
    assert crash(stage, words, "default", start="third", before="23", after="3", bug=bug)
    caught(bug, by="kills of bubble sync")

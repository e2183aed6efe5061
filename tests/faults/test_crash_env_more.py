"""SIGKILL before the changes of gc, adopt, kernels, and of creations that install packages."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from bubble.selection import registry
from bubble.selection.identity import is_itself
from bubble.system.layout import ADOPTED
from support import invariants
from support.env_scene import broken, env_scene, left_behind, project, request, unregistered
from support.env_scene import restore as restore_scene
from support.env_scene import save as save_scene
from support.needs import FULL, LINUX_ONLY, needs
from support.scene import command
from support.sweep import sweep
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.scene import Scene
    from support.sweep import Point

pytestmark = [LINUX_ONLY, needs("strace")]
_LAST = 3  # points that are always tried, besides every `each`-th
INSTALLED = (
    *("/site-packages/one.py", "/site-packages/two", "/two/__init__.py"),
    *("/one-1.dist-info", "/one-1.dist-info/METADATA"),
)
FAILS = ("sh", "-c", '"$@"; s=$?; [ $s = 0 ] && exit 1; [ $s = 1 ] || exit $s', "sh")


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene with `train`, in which lies what looks like ipykernel; saved as "train"."""
    with env_scene() as made:
        assert made.call("create", "train", "--no-pip", "-p", request(made)).status == 0
        path = f"{made.layout.envs}/train"
        (library,) = os.listdir(f"{path}/lib")
        packages = f"{path}/lib/{library}/site-packages"
        os.makedirs(f"{packages}/ipykernel/resources")
        for name in ("ipykernel_launcher.py", "ipykernel/resources/logo-64x64.png"):
            with open(f"{packages}/{name}", "w", encoding="ascii") as file:
                file.write("a double\n")
        save(made, "train")
        yield made


def save(stage: Scene, name: str) -> None:
    save_scene(stage, name)
    shutil.copytree(f"{stage.root}/user", f"{stage.root}/saved/{name}/user", symlinks=True)


def restore(stage: Scene, name: str) -> None:
    restore_scene(stage, name)
    shutil.rmtree(f"{stage.root}/user")
    shutil.copytree(f"{stage.root}/saved/{name}/user", f"{stage.root}/user", symlinks=True)


def killed(
    stage: Scene,
    words: Sequence[str],
    check: Callable[[], list[str]],
    *,
    start: str = "train",
    each: int = 5,
    fails: bool = False,
    about: str = "",
) -> None:
    """Kill a command at every `each`-th point (FULL: at all), and hold what is left to I1 to I6.

    `about` is how the names of the calls begin that matter.
    """
    canary = snapshot(stage.canary)
    total = []

    def select(points: list[Point]) -> list[Point]:
        # the shims have a sweep of their own, and who kills the installer doesn't kill the command
        points = [p for p in points if not p.path.endswith(INSTALLED)]
        points = [p for p in points if FULL or "/shims/" not in p.path]
        total.append(len(points))
        points = [p for p in points if p.name.startswith(about)]
        chosen = enumerate(points)
        return [p for n, p in chosen if FULL or n % each == 0 or n >= len(points) - _LAST]

    def everything() -> list[str]:
        found = broken(f"{stage.layout.envs}/train")
        found += check() + left_behind(stage, also="foreign")
        if snapshot(stage.canary) != canary:
            found.append("I4: the canary was changed")
        return found

    report = sweep(
        ["env", "-C", project(stage), *(FAILS * fails), *command(*words, bug="none")],
        env=stage.env,
        roots=[stage.home, stage.cache, f"{stage.root}/user", f"{project(stage)}/."],
        scratch=f"{stage.root}/scratch",
        prepare=lambda: restore(stage, start),
        check=everything,
        select=select,
    )
    print(f"{' '.join(words)}: of {total[0]} points {report}")
    assert not report.problems, "\n".join(report.problems)
    missed = [point for point in report.missed if point.name != "symlink"]
    assert not missed, missed


def again(stage: Scene, *words: str, done_already: str = "no such excuse") -> list[str]:
    """Say it again, in the project's directory, and return what is wrong with that."""
    with contextlib.chdir(project(stage)):
        done = stage.call(*words, env={"PWD": project(stage)})
    found = invariants.unclear(done)
    if done.status and done_already not in done.err:
        found.append(f"I5: {done}")
    if done.status:  # nothing was left to do but the shims
        found += [] if stage.call("rehash").status == 0 else ["I5: rehash failed"]
    return found


def kernel_files(stage: Scene) -> list[str]:
    kernels = f"{stage.root}/user/.local/share/jupyter/kernels"
    return sorted(f"{d[len(kernels) :]}/{n}" for d, _, names in os.walk(kernels) for n in names)


KERNEL = ["/train/kernel.json", "/train/logo-64x64.png"]


def test_a_kernel_that_is_killed_as_it_is_installed_can_be_installed_again(stage: Scene) -> None:
    words = ("kernel", "install", "train")

    def check() -> list[str]:
        found = again(stage, *words)
        if kernel_files(stage) != KERNEL:
            found.append(f"I3: {kernel_files(stage)}")
        return found

    killed(stage, words, check, each=2)


@pytest.mark.parametrize(
    "words", [("kernel", "remove", "train"), ("remove", "train")], ids=" ".join
)
def test_a_kernel_that_is_killed_as_it_is_removed_can_be_removed_again(
    stage: Scene, words: tuple[str, ...]
) -> None:
    assert stage.call("kernel", "install", "train").status == 0
    save(stage, "kernel")

    def check() -> list[str]:
        found = again(stage, *words, done_already="called “train”")
        found += again(stage, "gc", "--only", "scratch")  # who has no kernel left sweeps no trash
        if kernel_files(stage) or os.path.lexists(f"{stage.layout.envs}/train") != len(words) - 2:
            found.append(f"I3: {kernel_files(stage)}")
        return found

    killed(stage, words, check, start="kernel", each=3)


def test_an_adoption_that_is_killed_leaves_at_most_its_mark_in_what_it_adopts(
    stage: Scene,
) -> None:
    path = f"{project(stage)}/foreign"
    make = [sys.executable, "-m", "venv", "--without-pip", "--symlinks", path]
    subprocess.run(make, check=True)
    save(stage, "foreign")
    before = snapshot(path)

    def check() -> list[str]:
        found = again(stage, "adopt", "./foreign")
        after = snapshot(path)
        added = after.keys() - before.keys()
        found += [] if added == {ADOPTED} else [f"I3: {added}"]
        changed = [name for name, was in before.items() if after[name] != was]
        found += [f"I2: {name} changed" for name in changed]
        known = [e for e in registry.environments(stage.layout) if e.path == path]
        records = [(e.maker, is_itself(e, stage.layout)) for e in known]
        return found if records == [("venv", True)] else [*found, f"I5: {records}"]

    killed(stage, ("adopt", "./foreign"), check, start="foreign", each=3)


def test_a_collection_that_is_killed_can_be_said_again(stage: Scene) -> None:
    doomed(stage)
    save(stage, "doomed")

    def check() -> list[str]:
        found = again(stage, "gc")
        left = json.loads(stage.call("gc", "--dry-run", "--json").out)["data"]["removed"]
        found += [f"I3: {item}" for item in left]
        found += unregistered(stage, f"{stage.layout.envs}/train")
        found += unregistered(stage, f"{stage.layout.envs}/lost")
        return found if len(invariants.installed(stage)) == 2 else [*found, "I2: a Python is gone"]

    killed(stage, ("gc",), check, start="doomed", each=8)


@pytest.mark.parametrize("mend", ["gc", "repair", "create"])
def test_what_a_killed_creation_had_prepared_is_no_damage_and_goes(stage: Scene, mend: str) -> None:
    path = f"{stage.layout.envs}/fresh"
    words = ("create", "fresh", "--no-pip", "-p", request(stage))

    def check() -> list[str]:
        for directory in (stage.layout.staging, stage.layout.registry):
            for name in os.listdir(directory):
                os.utime(f"{directory}/{name}", (1, 1))  # what is young may be in progress
        with contextlib.chdir(project(stage)):
            asked = stage.call("doctor", "--json", env={"PWD": project(stage)})
        said = json.loads(asked.out)["data"]["findings"]
        expected = {path: f"bubble repair {path}"} if os.path.lexists(path) else {}
        registered = not unregistered(stage, path)
        about = {f["where"]: f["fix"] for f in said if f["id"].startswith("env.")}
        found = [] if about == ({} if registered else expected) else [f"I6: doctor says {about}"]
        if mend == "create":
            found += again(stage, *words, done_already="is there already")
        elif mend == "repair" and os.path.lexists(path):
            found += again(stage, "repair", path)
        found += again(stage, "gc", "--only", "scratch")
        if mend == "gc" and os.path.lexists(path):  # it stays told, as what will be made good
            found += again(stage, *words, done_already="is there already")
        return found + broken(path) + unregistered(stage, path)

    killed(stage, words, check, each=1, about="rename")


def doomed(stage: Scene) -> None:
    """Put into the scene one of each kind that gc takes."""
    for words in (
        ("create", "lost", "--no-pip", "-p", request(stage)),
        ("kernel", "install", "train"),
    ):
        assert stage.call(*words).status == 0
    shutil.rmtree(f"{stage.layout.envs}/lost")
    kernels = f"{stage.root}/user/.local/share/jupyter/kernels"
    os.rename(f"{kernels}/train", f"{kernels}/lost")
    with open(f"{kernels}/lost/kernel.json", encoding="utf-8") as file:
        text = file.read()
    with open(f"{kernels}/lost/kernel.json", "w", encoding="utf-8") as file:
        file.write(text.replace("/train", "/lost"))
    for path in (
        f"{stage.layout.staging}/dead.0/deep/file",
        f"{stage.layout.trash}/dead.0/deep/file",
        f"{stage.layout.seeds}/pip-1.0/pip/__init__.py",
        f"{stage.layout.downloads}/{'0' * 64}",
        f"{stage.layout.registry}/.n.dead.4242.00000000.tmp",
        stage.layout.answer(f"{stage.root}/no-such-directory"),
    ):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write("")
        for aged in (path, os.path.dirname(path), os.path.dirname(os.path.dirname(path))):
            os.utime(aged, (1, 1))  # long ago, so that its maker can't be at it


@pytest.fixture
def uv(stage: Scene) -> str:
    """Put a uv on PATH that puts two files into the environment; return a requirements file."""
    directory = f"{stage.root}/tools"
    os.mkdir(directory)
    with open(f"{directory}/uv", "w", encoding="ascii") as file:
        file.write(
            '#!/bin/sh\nwhile [ "$1" != --python ]; do shift; done\n'
            'for d in "${2%/bin/python}"/lib/*/site-packages; do\n'
            '  echo one > "$d/one.py"; mkdir "$d/two"; echo two > "$d/two/__init__.py"\n'
            '  mkdir "$d/one-1.dist-info"\n'
            '  printf "Name: one\\nVersion: 1\\n" > "$d/one-1.dist-info/METADATA"\ndone\n'
            'case " $* " in *" no-such-package "*) echo "no such package" >&2; exit 1;; esac\n'
        )
    os.chmod(f"{directory}/uv", 0o755)
    stage.env["PATH"] = f"{directory}:{stage.env['PATH']}"
    requirements = f"{stage.root}/requirements.txt"
    with open(requirements, "w", encoding="ascii") as file:
        file.write("one\n")
    return requirements


@pytest.mark.parametrize("place", ["named", "project"])
def test_a_creation_with_packages_that_is_killed_leaves_none_or_all_of_it(
    stage: Scene, uv: str, place: str
) -> None:
    name = ("fresh",) if place == "named" else ()
    path = f"{stage.layout.envs}/fresh" if name else f"{project(stage)}/.venv"
    words = ("create", *name, "--no-pip", "-p", request(stage), "--installer", "uv", "-r", uv)

    def check() -> list[str]:
        found = whole(path)
        found += again(stage, *words, done_already="is there already")
        found += whole(path) + unregistered(stage, path)
        return found if os.path.lexists(path) else [*found, "I5: it is not there"]

    killed(stage, words, check, each=9)


def whole(path: str) -> list[str]:
    found = broken(path)
    if os.path.lexists(path):
        (library,) = os.listdir(f"{path}/lib")
        packages = f"{path}/lib/{library}/site-packages"
        names = [n for n in ("one.py", "two/__init__.py") if os.path.exists(f"{packages}/{n}")]
        found += [] if len(names) == 2 else [f"I1: of its packages {names} are there"]
    return found


def test_packages_that_cannot_be_installed_leave_the_old_one_wherever_that_is_killed(
    stage: Scene, uv: str
) -> None:
    path = f"{stage.layout.envs}/train"
    before = snapshot(path)
    options = ("--no-pip", "--installer", "uv", "-r", uv)
    failing = ("create", "train", "--force", "-p", request(stage), *options, "no-such-package")

    def check() -> list[str]:
        found = [] if snapshot(path) == before else ["I2: the old one changed"]
        done = stage.call(*failing)
        found += invariants.unclear(done)
        if done.status != 1 or snapshot(path) != before:
            found.append(f"I2: {done}")
        return found + unregistered(stage, path)

    killed(stage, failing, check, each=9, fails=True)

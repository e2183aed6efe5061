"""What others put where environments come and go: links, mounts, names. The canary stays.

What `remove` itself makes of links and mounts within an environment is in test_env_faults.
"""

from __future__ import annotations

import os
import shutil

import pytest

from support import invariants
from support.env_scene import broken, env_scene, left_behind, project, request, unregistered
from support.figures import record
from support.namespace import PREFIX, require_mounts
from support.needs import LINUX_ONLY, ROOT_ONLY
from support.trees import snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.scene import Done, Scene

pytestmark = LINUX_ONLY
MOUNT = (*PREFIX, "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh")
STRANGE = ("-rf", "a\nb", "\udcff", "x" * 255, " ", "*", "$(touch ran)")


@pytest.fixture
def stage() -> Iterator[Scene]:
    """Return a scene with the named environment `train`."""
    with env_scene() as made:
        done = made.run("create", "train", "--no-pip", "-p", request(made))
        assert done.status == 0, done
        yield made


@pytest.fixture
def canary(stage: Scene) -> Iterator[str]:
    """Return the canary's path; it must be as it was in the end."""
    for name in STRANGE:
        os.mkdir(f"{stage.canary}/{name}")
    before = snapshot(stage.canary)
    yield stage.canary
    assert snapshot(stage.canary) == before, "the canary was changed"


def here(stage: Scene, *words: str) -> Done:
    """Run a command in the project's directory; it must succeed, or fail clearly."""
    done = stage.run(*words, before=("env", "-C", project(stage)))
    assert invariants.unclear(done) == []
    record("commands among links, mounts and names made to do harm", tried=1, held=1)
    return done


def commands(stage: Scene) -> dict[str, tuple[str, ...]]:
    """Return what stages, or throws away, in the directory of the project."""
    return {
        "create": ("create", "--no-pip", "-p", request(stage)),
        "create --force": ("create", "--force", "--no-pip", "-p", request(stage)),
        "remove": ("remove", ".venv"),
        "clone into": ("clone", "train", "./other"),
    }


@pytest.mark.parametrize("command", ["create", "create --force", "remove", "clone into"])
def test_nothing_that_a_project_brings_says_where_something_goes(
    stage: Scene, canary: str, command: str
) -> None:
    """Names that bubble has ever used for scratch, links that lead out, records of its own form."""
    root = project(stage)
    words = commands(stage)
    if command != "create":
        assert here(stage, *words["create"]).status == 0
    os.symlink("../user", f"{root}/out")
    os.symlink(canary, f"{root}/.bubble-staging")
    for target in ("out|brought", "..|user|brought", "|tmp|brought", ".venv", "a||b"):
        brought = f"{root}/.bubble-trash/replaced.{target}.0"
        os.makedirs(brought)
        os.symlink(canary, f"{brought}/link")
        os.link(f"{canary}/d/file", f"{brought}/hard")
    with open(f"{root}/.bubble-trash/replaced.out|key.1", "w", encoding="ascii") as file:
        file.write("ssh-ed25519 AAAA attacker")
    for name in (".bubble-0123456789abcdef", "journal", ".bubble-removed.0123456789abcdef"):
        os.makedirs(f"{root}/{name}/dir")
    before = snapshot(root)
    user = snapshot(f"{stage.root}/user")
    assert here(stage, *words[command]).status == 0
    for _ in range(2):
        assert here(stage, "gc").status == 0
    kept = {
        p: what for p, what in snapshot(root).items() if p.split("/")[0] not in {".venv", "other"}
    }
    assert kept == {p: what for p, what in before.items() if p.split("/")[0] != ".venv"}
    assert snapshot(f"{stage.root}/user") == user
    path = f"{root}/{'other' if command == 'clone into' else '.venv'}"
    assert broken(path) + unregistered(stage, path) == []


@pytest.mark.parametrize("place", ["named", "project"])
@pytest.mark.parametrize("command", ["create", "remove", "rename", "clone", "repair", "gc"])
def test_an_environment_that_became_a_link_is_left_alone(
    stage: Scene, canary: str, command: str, place: str
) -> None:
    path = f"{stage.layout.envs}/train" if place == "named" else f"{project(stage)}/.venv"
    if place == "project":
        assert here(stage, "create", "--no-pip", "-p", request(stage)).status == 0
    shutil.rmtree(path)
    os.symlink(canary, path)
    name = "train" if place == "named" else ".venv"
    new = ("train",) if place == "named" else ()
    words = {
        "create": ("create", *new, "--force", "--no-pip", "-p", request(stage)),
        "remove": ("remove", name),
        "rename": ("rename", name, "fresh"),
        "clone": ("clone", name, "fresh"),
        "repair": ("repair", name),
        "gc": ("gc", "--all"),
    }
    assert (here(stage, *words[command]).status != 0) == (command != "gc")
    assert os.readlink(path) == canary


@pytest.mark.parametrize("target", ["link", "d/link", "d"])
def test_a_clone_goes_nowhere_that_is_taken(stage: Scene, canary: str, target: str) -> None:
    os.symlink(canary, f"{project(stage)}/link")
    os.mkdir(f"{project(stage)}/d")
    os.symlink(f"{canary}/nothing", f"{project(stage)}/d/link")
    refused = here(stage, "clone", "train", f"./{target}")
    assert refused.status == 1
    assert "is there already" in refused.err


@pytest.mark.parametrize("name", ["a:b", "a\nb", "a\x1bb", "a\udcffb"])
def test_nothing_lies_where_scripts_could_not_name_it(stage: Scene, name: str) -> None:
    directory = f"{project(stage)}/{name}"
    assert here(stage, "clone", "train", directory).status
    os.mkdir(directory)
    done = stage.run("create", "--no-pip", "-p", request(stage), before=("env", "-C", directory))
    assert done.status == 1
    assert invariants.unclear(done) == []
    assert os.listdir(project(stage)) == [name]
    assert os.listdir(directory) == []


@pytest.mark.parametrize("command", [("clone", "train", "fresh"), ("rename", "train", "fresh")])
def test_an_environment_with_packages_elsewhere_is_copied_and_they_are_left(
    stage: Scene, command: tuple[str, ...]
) -> None:
    path = f"{stage.layout.envs}/train"
    (library,) = os.listdir(f"{path}/lib")
    packages = f"{path}/lib/{library}/site-packages"
    elsewhere = f"{stage.canary}/packages"
    os.makedirs(f"{elsewhere}/tool-1.dist-info")
    os.rmdir(packages)
    os.symlink(elsewhere, packages)
    for name in ("__editable__.tool.pth", "tool-1.dist-info/direct_url.json"):
        with open(f"{elsewhere}/{name}", "w", encoding="ascii") as file:
            file.write(f"{path}/src\n")
    with open(f"{elsewhere}/tool-1.dist-info/RECORD", "w", encoding="ascii") as file:
        file.write("../../../bin/python,sha256=x,1\n../../../bin/activate,sha256=x,1\n")
    before = snapshot(stage.canary)
    assert here(stage, *command).status == 0
    assert snapshot(stage.canary) == before
    assert here(stage, "remove", "fresh").status == 0
    assert snapshot(stage.canary) == before


@ROOT_ONLY
@pytest.mark.parametrize("command", ["create --force", "remove", "rename", "gc"])
def test_what_is_mounted_in_an_environment_stops_who_would_throw_it_away(
    stage: Scene, canary: str, command: str
) -> None:
    require_mounts(stage.root)
    path = f"{stage.layout.envs}/train"
    os.mkdir(f"{path}/data")
    before = snapshot(path)
    words = {
        "create --force": ("create", "train", "--force", "--no-pip", "-p", request(stage)),
        "remove": ("remove", "train"),
        "rename": ("rename", "train", "fresh"),
        "gc": ("gc", "--all"),
    }[command]
    done = stage.run(*words, before=(*MOUNT, canary, f"{path}/data"))
    assert invariants.unclear(done) == []
    assert done.status == (command != "gc")
    if done.status:
        assert f"{path}/data is mounted" in done.err
    assert snapshot(path) == before
    assert os.listdir(stage.layout.envs) == ["train"]
    assert broken(path) + unregistered(stage, path) + left_behind(stage) == []
    assert stage.run(*words).status == 0


@ROOT_ONLY
def test_a_mount_on_an_environment_or_in_scratch_is_not_crossed(stage: Scene, canary: str) -> None:
    require_mounts(stage.root)
    path = f"{stage.layout.envs}/train"
    dead = f"{stage.layout.trash}/dead/data"
    create = ("create", "other", "--no-pip", "-p", request(stage))
    for point, words, status in (
        (path, ("remove", "train"), 1),
        (dead, ("gc",), 1),
        (dead, create, 0),
        (dead, ("remove", "other"), 0),
    ):
        os.makedirs(dead, exist_ok=True)
        done = stage.run(*words, before=(*MOUNT, canary, point))
        assert invariants.unclear(done) == []
        assert done.status == status, done
        assert f"{dead} is mounted" in done.err or words != ("gc",)
    assert broken(path) + unregistered(stage, path) == []
    assert stage.run("gc").status == 0
    assert left_behind(stage) == []

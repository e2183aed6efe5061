"""Who published an environment, in an archive say, published its mark, which proves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile

import pytest

from bubble.selection import memos, registry
from bubble.selection.identity import is_itself, link_of
from bubble.selection.resolve import select
from bubble.system.kernel import has_true_links
from bubble.system.layout import Layout
from support.environments import adopt_python, create
from support.namespace import on_overlay
from support.needs import not_here
from support.shimworld import ShimWorld, shells
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Result

    Bubble = Callable[..., Result]
    Going = Callable[[str], None]

ENV = {"PATH": os.defpath, "HOME": "/nonexistent"}


@pytest.fixture
def place() -> Iterator[str]:
    """Return a directory whose file system has hard links that stay: no layer of a container's."""
    every = (tempfile.gettempdir(), "/dev/shm", "/var/tmp")  # whichever has them
    found = [d for d in every if os.access(d, os.W_OK) and has_true_links(d)]
    if not found:
        not_here("hard links are only this layer's")
    with tempfile.TemporaryDirectory(dir=found[0]) as directory:
        yield os.path.realpath(directory)


def publish(project: str, archive: str) -> None:
    """Put a project, its environment and all, into an archive."""
    with tarfile.open(archive, "w") as file:
        file.add(project, ".")


def unpack_another(archive: str, project: str, ran: str) -> None:
    """Unpack what a stranger made of the archive: all is as it was, and there is a program more."""
    os.mkdir(project)
    subprocess.run(["tar", "-xf", archive, "-C", project], check=True)
    library = f"{project}/.venv/lib"
    for python in os.listdir(library) if os.path.isdir(library) else ():
        with open(f"{library}/{python}/site-packages/evil.pth", "w", encoding="utf-8") as file:
            file.write(f"import os; os.close(os.open({ran!r}, os.O_CREAT))\n")


def deleted(project: str) -> None:
    shutil.rmtree(project)


def moved(project: str) -> None:
    os.rename(project, f"{project}.mine")


@pytest.fixture
def mine(bubble: Bubble, place: str) -> tuple[Bubble, str, str]:
    """Return bubble, a project's directory and an archive of it; its environment was used."""
    env = {"BUBBLE_HOME": f"{place}/store"}

    def run(*words: str, **more: object) -> Result:
        return bubble(*words, env=env, **more)

    adopt_python(run)
    project, archive = f"{place}/project", f"{place}/published.tar"
    os.mkdir(project)
    create(run, "", "--no-pip", cwd=project)
    assert run("exec", "python", "-V", cwd=project).status == 0
    publish(project, archive)
    return run, project, archive


@pytest.mark.parametrize("go", [deleted, moved])
def test_what_has_its_mark_in_its_very_place_is_not_taken_for_it(
    mine: tuple[Bubble, str, str], place: str, go: Going
) -> None:
    bubble, project, archive = mine
    ran, layout = f"{place}/ran", Layout(home=f"{place}/store", cache="/nonexistent")
    go(project)
    unpack_another(archive, project, ran)
    before = registry.environments(layout)
    for words in (("exec", "python", "-V"), ("run", ".venv", "python", "-V"), ("repair",)):
        done = bubble(*words, cwd=project)
        assert done.status != 0, words
        message, hint = one_error(done.err)
        assert "not what was registered" in message or "was not made here" in message, message
        assert f"bubble adopt {project}/.venv" in hint
        assert "trust" in hint
    for line in ("repair .", "doctor --fix", "create --force", "remove ."):
        done = bubble(*line.split(), cwd=project)
        assert done.status != 0, line
        assert "leads to" not in done.err, done.err
    assert not os.path.exists(ran)
    assert os.path.exists(f"{project}/.venv/bin/python")
    assert registry.environments(layout) == before
    assert bubble("adopt", f"{project}/.venv", cwd=project).status == 0  # who trusts it, says so
    assert bubble("exec", "python", "-V", cwd=project).status == 0
    (known,) = [e for e in registry.environments(layout) if e.project == project]
    assert known.identity != before[0].identity
    assert os.listdir(layout.marks) == [known.identity]


@pytest.mark.parametrize("shell", shells().values(), ids=shells().keys())
@pytest.mark.parametrize("go", [deleted, moved])
def test_no_shim_takes_it_for_the_one_of_which_it_knows(
    place: str, go: Going, shell: list[str]
) -> None:
    world = ShimWorld(f"{place}/world")
    world.install("cpython-3.11.7")
    project = f"{world.tree}/project"
    world.environment(f"{project}/.venv", "cpython-3.11.7", "tool")
    environment = world.register(f"{project}/.venv", "bubble")
    assert link_of(environment, world.layout)
    here = world.world(project, ENV)
    memos.leave(select(here), here)
    fast = world.run("python", project, ENV, shell).stdout
    assert fast == f"{project}/.venv/bin/python\n"
    publish(project, f"{place}/published.tar")
    go(project)
    unpack_another(f"{place}/published.tar", project, "")
    assert world.run("python", project, ENV, shell).stdout == "slow\n"
    assert not is_itself(environment, world.layout)


def test_a_plain_repair_takes_in_nothing_that_is_only_called_so(
    mine: tuple[Bubble, str, str], place: str
) -> None:
    bubble, project, archive = mine
    ran, other = f"{place}/ran", f"{place}/unpacked"
    unpack_another(archive, other, ran)
    for go in (None, moved):
        if go:
            go(project)
        message, hint = one_error(bubble("repair", cwd=other).err)
        assert "copy" in message or "moved" in message
        assert f"it there: bubble repair {other}/.venv" in hint
    assert not os.path.exists(ran)
    done = bubble("repair", cwd=f"{project}.mine")  # this is the very one
    assert done.status == 0, done.err
    assert bubble("exec", "python", "-V", cwd=f"{project}.mine").status == 0


@pytest.mark.parametrize("links", ["--preserve=links", "--no-preserve=links"])
def test_a_home_that_was_copied_or_restored_works_as_before(
    mine: tuple[Bubble, str, str], place: str, links: str
) -> None:
    bubble, project, _ = mine
    os.mkdir(f"{place}/backup")
    command = ["cp", "-a", links]
    subprocess.run([*command, f"{place}/store", project, f"{place}/backup"], check=True)
    for name in ("store", "project"):
        os.rename(f"{place}/{name}", f"{place}/{name}.before")  # so no number is given again
    names = [f"{place}/backup/store", f"{place}/backup/project"]
    subprocess.run([*command, *names, place], check=True)
    for words in (("exec", "python", "-V"), ("repair",), ("exec", "python", "-V")):
        done = bubble(*words, cwd=project)
        assert done.status == 0, done.err
    assert bubble("list", "--json").json["data"][0]["state"] == "ok"


LAYER = """
import os, sys
from bubble.selection import registry
from bubble.selection.identity import is_itself, link_of, mark_file
from bubble.system.layout import Layout

layout = Layout(home=sys.argv[1], cache="/nonexistent")
(known,) = registry.environments(layout)
print(bool(link_of(known, layout)), is_itself(known, layout))
os.utime(mark_file(known))
print(bool(link_of(known, layout)), is_itself(known, layout))
os.unlink(mark_file(known))
print(is_itself(known, layout))
"""


@pytest.mark.usefixtures("mine")
def test_an_image_whose_later_layer_changes_the_mark_has_the_environment_still(place: str) -> None:
    """`chown -R app .venv`, say: a layer makes a new file of what it changes."""
    done = on_overlay(place, LAYER, f"{place}/store")
    assert done.stdout == "True True\nFalse True\nFalse\n", done


def test_links_to_marks_go_with_their_environments(
    mine: tuple[Bubble, str, str], place: str
) -> None:
    bubble, project, _ = mine
    marks = f"{place}/store/marks"
    (first,) = os.listdir(marks)
    assert bubble("create", "--force", "--no-pip", cwd=project).status == 0
    (second,) = os.listdir(marks)
    assert first != second
    os.mkdir(f"{place}/other")
    assert bubble("clone", f"{project}/.venv", f"{place}/other/.venv").status == 0
    assert len(os.listdir(marks)) == 2
    assert bubble("remove", ".", cwd=f"{place}/other").status == 0
    assert os.listdir(marks) == [second]
    os.link(f"{marks}/{second}", f"{marks}/{first}")
    assert bubble("gc").status == 0
    assert os.listdir(marks) == [second]
    assert bubble("remove", ".", cwd=project).status == 0
    assert os.listdir(marks) == []

"""Shims for what was just made, without a look at all the rest; where that can't do, with one."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.selection import registry, shim_record
from bubble.selection.shims import follow, rehash
from support.builds import small_mirror
from support.environments import adopt_python, create, install
from support.shimworld import PLATFORM, ShimWorld, write
from support.stored import installed
from support.wheels import wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


def program(path: str) -> None:
    write(path, "#!/bin/sh\n", 0o755)


def environment(world: ShimWorld, name: str, *commands: str, late: bool = False) -> str:
    """Register an environment with these commands, in its place or `late` not yet."""
    path = f"{world.layout.envs}/{name}"
    if not late:
        for command in commands:
            program(f"{path}/bin/{command}")
    identity = os.urandom(8).hex()
    registry.register(world.layout, registry.Environment(path=path, name=name, identity=identity))
    return path


def shims(world: ShimWorld) -> set[str]:
    return set(os.listdir(world.layout.shims)) - {"bubble"}


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    """Make a store with an interpreter and an environment; a command came later into that."""
    made = ShimWorld(str(tmp_path))
    made.install("cpython-3.11.7")
    path = environment(made, "old", "tool")
    made.changed()
    program(f"{path}/bin/planted")
    return made


BEFORE = {"pip", "pip3", "python", "python3", "python3.11", "tool"}


def test_what_is_new_gets_its_shims_and_nothing_else_is_looked_at(world: ShimWorld) -> None:
    environment(world, "new", "fresh", "tool")
    assert follow(world.layout, world.slow, ()) == ("fresh",)
    assert shims(world) == {*BEFORE, "fresh"}
    environment(world, "newer", "fresher")
    assert follow(world.layout, world.slow, ()) == ("fresher",)
    assert follow(world.layout, world.slow, ()) == ()
    assert shims(world) == {*BEFORE, "fresh", "fresher"}
    assert rehash(world.layout, world.slow).added == ("planted",)


def remove_a_record(world: ShimWorld) -> None:
    found = environment(world, "gone", "gone-tool")
    rehash(world.layout, world.slow)
    program(f"{world.layout.envs}/old/bin/planted2")
    registry.forget(world.layout, registry.Environment(path=found, name="gone"))


def replace_a_record(world: ShimWorld) -> None:
    environment(world, "old", "tool")


def take_a_shim_away(world: ShimWorld) -> None:
    os.unlink(f"{world.layout.shims}/tool")


def take_all_shims_away(world: ShimWorld) -> None:
    shutil.rmtree(world.layout.shims)


def forget_what_was_seen(world: ShimWorld) -> None:
    os.unlink(world.layout.shims_seen)


def cut_what_was_seen_short(world: ShimWorld) -> None:
    os.truncate(world.layout.shims_seen, os.stat(world.layout.shims_seen).st_size - 1)


def garble_what_was_seen(world: ShimWorld) -> None:
    write(world.layout.shims_seen, "\0\0\0")


def have_shims_of_another_bubble(world: ShimWorld) -> None:
    rehash(world.layout, "/an/older/python")
    program(f"{world.layout.envs}/old/bin/planted2")


def kill_a_writer(world: ShimWorld) -> None:
    write(f"{world.layout.home}/.shims.seen.1.abc.tmp", "")


def kill_a_linker(world: ShimWorld) -> None:
    os.link(world.layout.shim, f"{world.layout.shims}/.1.tmp")


@pytest.mark.parametrize(
    "happened",
    [
        remove_a_record,
        replace_a_record,
        take_a_shim_away,
        take_all_shims_away,
        forget_what_was_seen,
        cut_what_was_seen_short,
        garble_what_was_seen,
        have_shims_of_another_bubble,
        kill_a_writer,
        kill_a_linker,
    ],
    ids=lambda step: step.__name__,
)
def test_where_more_than_that_has_changed_everything_is_looked_at(
    world: ShimWorld, happened: Callable[[ShimWorld], None]
) -> None:
    happened(world)
    environment(world, "new", "fresh")
    follow(world.layout, world.slow, ())
    assert shims(world) - {"planted2"} == {*BEFORE, "fresh", "planted"}
    assert [n for n in os.listdir(world.layout.home) if n.endswith(".tmp")] == []
    with open(world.layout.shim) as file:
        assert world.slow in file.read()
    # and from then on, only what is new is again
    program(f"{world.layout.envs}/old/bin/planted3")
    environment(world, "newer", "fresher")
    assert follow(world.layout, world.slow, ()) == ("fresher",)


def test_what_the_caller_made_is_looked_at_even_if_it_seems_known(world: ShimWorld) -> None:
    # a record's file number may be that of one that a killed command had removed
    made = f"{world.layout.envs}/old"
    assert follow(world.layout, world.slow, [made]) == ("planted",)


def test_what_is_registered_before_it_is_in_its_place_gets_its_shims_when_it_is(
    world: ShimWorld,
) -> None:
    path = environment(world, "late", late=True)
    rehash(world.layout, world.slow)  # another process does this in between
    now = shim_record.read(world.layout)
    assert now is not None
    assert now.absent == {path}
    program(f"{path}/bin/fresh")
    assert follow(world.layout, world.slow, ()) == ("fresh",)
    now = shim_record.read(world.layout)
    assert now is not None
    assert not now.absent


def test_shims_that_cannot_be_locked_are_enough_where_nothing_is_to_be_done(
    world: ShimWorld,
) -> None:
    assert rehash(world.layout, world.slow).added == ("planted",)
    shutil.rmtree(world.layout.locks)
    write(world.layout.locks, "in the way")
    assert follow(world.layout, world.slow, ()) == ()
    environment(world, "new", "fresh")
    with pytest.raises(NotADirectoryError):
        follow(world.layout, world.slow, ())
    assert shims(world) == {*BEFORE, "planted"}


def test_what_was_seen_need_not_be_written_down(world: ShimWorld) -> None:
    os.unlink(world.layout.shims_seen)
    os.makedirs(f"{world.layout.shims_seen}/in the way")
    environment(world, "new", "fresh")
    assert follow(world.layout, world.slow, ()) == ("fresh", "planted")
    assert shim_record.read(world.layout) is None
    assert shims(world) == {*BEFORE, "planted", "fresh"}


def test_what_bubble_did_not_make_stays_and_what_cannot_be_run_gets_no_shim(
    world: ShimWorld,
) -> None:
    program(f"{world.layout.shims}/mine")
    os.mkdir(f"{world.layout.shims}/directory")
    os.symlink("loop", f"{world.layout.envs}/old/bin/loop")
    write(f"{world.layout.envs}/old/bin/text", "no program")
    for _ in range(2):
        rehash(world.layout, world.slow)
        assert shims(world) == {*BEFORE, "planted", "mine", "directory"}


def adopted(world: ShimWorld) -> str:
    """Put links to an interpreter elsewhere into the store; return the directory of its `bin`."""
    own, prefix = f"{world.root}/own/bin", world.layout.python(f"cpython-3.12.1-{PLATFORM}")
    write(f"{prefix}/.bubble/receipt.json", "{}")
    write(f"{world.root}/own/lib/python3.12/os.py", "")
    os.mkdir(f"{prefix}/bin")
    for name in ("python", "python3"):
        program(f"{own}/{name}")
        os.symlink(f"{own}/{name}", f"{prefix}/bin/{name}")
    return own


def test_an_adopted_python_that_is_new_has_its_owners_newest_commands(world: ShimWorld) -> None:
    program(f"{adopted(world)}/theirs")
    assert follow(world.layout, world.slow, ()) == ("theirs",)


def test_an_adopted_pythons_links_that_cannot_be_made_cost_no_other_shim(
    world: ShimWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store on a read-only disk."""
    program(f"{adopted(world)}/theirs")

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", read_only)
        assert rehash(world.layout, world.slow).added == ("planted",)
    assert rehash(world.layout, world.slow).added == ("theirs",)


ADDS = """
import os, sys
from bubble.selection import registry
from bubble.selection.shims import follow, rehash
from bubble.system.layout import Layout
layout = Layout(home=sys.argv[1], cache="")
for n in range(10):
    name = f"{sys.argv[3]}-{n}"
    path = f"{layout.envs}/{name}"
    os.makedirs(f"{path}/bin")
    os.close(os.open(f"{path}/bin/{name}", os.O_CREAT, 0o755))
    registry.register(layout, registry.Environment(path=path, name=name))
    if n % 5 == 3:
        registry.forget(layout, registry.Environment(path=path, name=name))
        rehash(layout, sys.argv[2])
        continue
    follow(layout, sys.argv[2], [path])
    assert os.path.exists(f"{layout.shims}/{name}"), name
"""


def test_many_that_add_and_remove_at_once_lose_no_shim(world: ShimWorld) -> None:
    argv = [sys.executable, "-c", ADDS, world.layout.home, world.slow]
    names = [f"add{number}" for number in range(6)]
    children = [subprocess.Popen([*argv, name], stderr=subprocess.PIPE) for name in names]
    for child in children:
        assert child.communicate()[1] == b""
        assert child.returncode == 0
    made = {f"{name}-{n}" for name in names for n in range(10) if n % 5 != 3}
    assert shims(world) >= {*BEFORE, "planted", *made}
    rehash(world.layout, world.slow)
    assert shims(world) == {*BEFORE, "planted", *made}


def planted(bubble: Bubble, layout_home: str) -> Callable[[], bool]:
    """Make an environment, bring a command into it, and return how to ask whether it was seen."""
    program(f"{create(bubble, 'other')}/bin/planted")
    return lambda: os.path.exists(f"{layout_home}/shims/planted")


def test_after_create_its_commands_are_there_at_once(
    bubble: Bubble, home: str, tmp_path: Path
) -> None:
    adopt_python(bubble)
    seen_too = planted(bubble, home)
    built = wheel(str(tmp_path), "tool", "1.0", script="tool")
    offline = {"PIP_NO_INDEX": "1"}
    done = bubble("create", "new", built, "--installer", "pip", env=offline)
    assert done.status == 0, done.err
    assert os.path.exists(f"{home}/shims/tool")
    assert not seen_too()
    assert bubble("remove", "new").status == 0
    assert not os.path.exists(f"{home}/shims/tool")
    assert seen_too()


def test_after_clone_its_commands_are_there_at_once(
    bubble: Bubble, home: str, tmp_path: Path
) -> None:
    adopt_python(bubble)
    path = create(bubble, "train")
    seen_too = planted(bubble, home)
    install(bubble, path, tmp_path, "tool")
    assert not os.path.exists(f"{home}/shims/tool")
    assert bubble("clone", "train", "new").status == 0
    assert os.path.exists(f"{home}/shims/tool")
    assert not seen_too()


def test_after_adopt_its_commands_are_there_at_once(
    bubble: Bubble, home: str, tmp_path: Path
) -> None:
    adopt_python(bubble)
    seen_too = planted(bubble, home)
    path = f"{tmp_path}/foreign"
    write(f"{path}/pyvenv.cfg", f"home = {os.path.dirname(sys.executable)}\nversion = 3.11.2\n")
    os.makedirs(f"{path}/bin")
    os.symlink(sys.executable, f"{path}/bin/python")
    program(f"{path}/bin/foreign-tool")
    done = bubble("adopt", path)
    assert done.status == 0, done.err
    assert os.path.exists(f"{home}/shims/foreign-tool")
    assert not seen_too()


def test_after_install_its_commands_are_there_at_once(
    bubble: Bubble, home: str, tmp_path: Path
) -> None:
    mirror = {"BUBBLE_CATALOG": small_mirror(f"{tmp_path}/mirror", ["3.11.9", "3.12.4"])}
    assert bubble("python", "install", "3.11.9", env=mirror).status == 0
    (key,) = [name for name in installed(home) if name.startswith("cpython-")]
    program(f"{home}/pythons/{key}/bin/planted")
    assert bubble("python", "install", "3.12.4", env=mirror).status == 0
    assert os.path.exists(f"{home}/shims/python3.12")
    assert not os.path.exists(f"{home}/shims/planted")


def test_a_forced_create_takes_the_shims_of_what_it_replaced_away(
    bubble: Bubble, home: str, tmp_path: Path
) -> None:
    adopt_python(bubble)
    install(bubble, create(bubble, "train"), tmp_path, "tool")
    assert bubble("rehash").status == 0
    assert os.path.exists(f"{home}/shims/tool")
    create(bubble, "train", "--force")
    assert not os.path.exists(f"{home}/shims/tool")

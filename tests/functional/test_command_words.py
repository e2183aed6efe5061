"""Commands whose words, variables or place don't fit: refused before anything is done, or told."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pwd
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.cli.main import main
from bubble.selection import registry
from support.builds import small_mirror
from support.scene import Done
from support.shimworld import ShimWorld, write
from support.told import one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import NoReturn

    Call = Callable[..., Done]


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    """Make a store of doubles; its named environment `train` is one, too."""
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    made.install("cpython-3.11.9", "black")
    made.install("cpython-3.12.1")
    path = f"{home}/envs/train"
    write(f"{path}/bin/python", "#!/bin/sh\n", 0o755)
    made.register(path, "bubble", name="train")
    return made


@pytest.fixture
def call(world: ShimWorld, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs a command line in this process, in the world's tree."""
    monkeypatch.chdir(world.tree)
    mirror = small_mirror(f"{world.root}/mirror", ["3.9.7"])

    def run(line: str, **more: str | None) -> Done:
        given = {**env, "PWD": world.tree, "BUBBLE_CATALOG": mirror, **more}
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            variables = {n: v for n, v in given.items() if v is not None}
            status = main(shlex.split(line), variables)
        return Done(status, out.getvalue(), err.getvalue())

    return run


@pytest.mark.parametrize(
    ("line", "status", "says"),
    [
        ("activate ''", 2, "ENV is empty"),
        ("create new -p", 2, "expected one argument"),
        ("create new -p ''", 2, "REQUEST is empty"),
        ("exec -p '' python", 2, "REQUEST is empty"),
        ("create new -p system", 2, "an environment is made against an installed Python"),
        ("create new -p /usr/bin/python3", 2, "an environment is made against an installed"),
        ("create new -p train", 2, "an environment is made against an installed Python"),
        ("run train", 2, "say which command to run"),
        ("run train --", 2, "say which command to run"),
        ("shell --unset 3.12", 2, "--unset takes no request"),
        ("shell --check", 2, "say which Python to use"),
        ("shell --check 3.12 ''", 2, "say which Python to use"),
        ("shell --check 3.12 ../store", 1, "there is no interpreter at ../store"),
        ("mirror create m system", 2, "belongs to the system"),
        ("python install --from https://u:s3cret@h/a.tar.gz", 2, "--from takes a file of this"),
        ("use 9.9 --install", 1, "9.9"),
        ("use nobodys --install", 2, "is no Python version and no environment"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_done(
    line: str, status: int, says: str, world: ShimWorld, call: Call
) -> None:
    before = sorted(os.listdir(world.layout.pythons)), sorted(os.listdir(world.layout.envs))
    done = call(line)
    assert (done.status, done.out) == (status, "")
    assert says in one_error(done.err)[0]
    assert "s3cret" not in done.err
    assert os.listdir(world.tree) == []
    assert (sorted(os.listdir(world.layout.pythons)), sorted(os.listdir(world.layout.envs))) == (
        before
    )


@pytest.mark.parametrize("line", ["create", "create train2", "use 3.12"])
def test_in_a_directory_that_was_deleted_nothing_is_made(
    line: str, world: ShimWorld, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = f"{world.tree}/gone"
    os.mkdir(gone)
    monkeypatch.chdir(gone)
    os.rmdir(gone)
    done = call(line, PWD=gone)
    assert (done.status, done.out) == (1, "")
    assert one_error(done.err) == ("the working directory was deleted", "cd somewhere else")
    assert os.listdir(world.layout.envs) == ["train"]


def test_what_a_shell_is_told_to_set_is_whole(world: ShimWorld, call: Call) -> None:
    own = f"{world.root}/own"
    write(f"{own}/bin/python", "#!/bin/sh\n", 0o755)
    assert call("shell --check 3.12 3.11").out == "3.12:3.11\n"
    assert call("shell --check 3.12:train").out == "3.12:train\n"
    assert call("shell --check ../own").out == f"{own}\n"
    two = call("shell --check ../own 3.12")
    assert (two.status, two.out) == (2, "")
    assert one_error(two.err)[0] == "a path stands alone in BUBBLE_PYTHON"
    assert call("shell").out == ""
    assert "this shell asks for nothing: the directory decides" in call("shell").err
    assert json.loads(call("shell --json").out)["data"]["value"] is None


def test_find_says_which_source_selects_a_system_that_has_none(
    world: ShimWorld, call: Call
) -> None:
    write(f"{world.tree}/.python-version", "system\n")
    write(f"{world.root}/system/python3", "#!/bin/sh\n", 0o755)
    assert call("python find", PATH=f"{world.root}/system").out == f"{world.root}/system/python3\n"
    message, hint = one_error(call("python find", PATH="/nonexistent").err)
    assert message == f"{world.tree}/.python-version selects the system's Python, and PATH has none"
    assert hint == "choose another one: bubble use 3.12"


def test_a_global_pin_that_an_unreadable_file_overrules_is_written_and_that_is_told(
    world: ShimWorld, call: Call
) -> None:
    write(f"{world.tree}/.python-version", "\x1b[31m\n")
    done = call("use 3.12 --global")
    assert done.status == 0
    assert f"warning: it doesn't count here: {world.tree}/.python-version" in done.err
    with open(world.layout.global_pin) as file:
        assert file.read() == "3.12\n"


def test_of_several_that_cannot_be_removed_each_is_told_and_all_stay(
    world: ShimWorld, call: Call
) -> None:
    os.symlink("elsewhere", world.layout.trash)
    done = call("python uninstall 3.11 3.12")
    assert (done.status, done.out) == (1, "")
    assert done.err.count("error: ") == 2
    assert call("python find 3.11").status == call("python find 3.12").status == 0


def test_explain_tells_what_only_the_system_has_and_whom_a_shim_asks(
    world: ShimWorld, call: Call
) -> None:
    path = f"{world.layout.shims}:{world.root}/system:/usr/bin:/bin"
    write(f"{world.root}/system/black", "#!/bin/sh\n", 0o755)
    write(f"{world.tree}/.python-version", "3.12\n")
    told = call("explain black", PATH=path).out.splitlines()
    assert told[0] == f"black:    {world.root}/system/black"
    assert told[1] == (
        f"because:  {world.tree}/.python-version says 3.12; black is found in {world.root}/system"
    )
    write(f"{world.tree}/.python-version", "9.9\n")
    told = call("explain", PATH=path).out.splitlines()
    assert told[2] == "shim:     asks bubble, which answers with the error below"


def test_the_code_for_a_shell_whose_home_nobody_knows_says_where_bubbles_is(
    world: ShimWorld, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = f"export BUBBLE_HOME='{world.layout.home}'\n"
    assert export in call("init bash", HOME=None).out
    message, hint = one_error(call("init bash --install", HOME=None).err)
    assert message == "HOME is not set: where are the start-up files?"
    assert hint == "set HOME"
    assert not os.path.exists(f"{world.layout.home}/init.bash")

    def nobody(number: int) -> NoReturn:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)  # as in a container with a user of no name
    assert export in call("init bash", HOME=None).out


def test_what_a_killed_registration_left_is_swept_by_the_next(world: ShimWorld) -> None:
    left = f"{world.layout.registry}/.n.train.123.abc.tmp"
    others = f"{world.layout.registry}/.n.train2.123.abc.tmp"
    for path in (left, others):
        write(path, "half")
    environment = registry.of_name(world.layout, "train")
    assert environment is not None
    registry.register(world.layout, environment)
    assert sorted(os.listdir(world.layout.registry)) == [os.path.basename(others), "n.train"]

"""Shims where things are missing, damaged, read-only or bare: an answer, or one clear line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.model.errors import BubbleError
from support.needs import LINUX_ONLY, NOT_ROOT, ROOT_ONLY, needs, which
from support.patience import PATIENCE
from support.shimworld import ShimWorld, counted, shells, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = LINUX_ONLY
SHELLS = tuple(shells())
CONTROL = {chr(number) for number in (*range(10), *range(11, 32), 127)}


@pytest.fixture
def world(tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable)
    made.install("cpython-3.11.7")
    made.install("cpython-3.12.1")
    write(f"{made.tree}/.python-version", "3.11\n")
    assert answer(made) == expected(made)
    assert os.path.exists(made.layout.answer(made.tree))
    return made


def expected(world: ShimWorld, version: str = "3.11.7") -> str:
    minor = version.rpartition(".")[0]
    return f"{world.layout.pythons}/{minor}/bin/python"


def call(
    world: ShimWorld, env: dict[str, str] | None = None, cwd: str = "", shell: str = ""
) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": f"{world.layout.shims}:/usr/bin:/bin"} if env is None else env
    program = [*shells()[shell]] if shell else []
    return subprocess.run(
        [*program, f"{world.layout.shims}/python"],
        env={**counted(), **variables},
        cwd=cwd or world.tree,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def answer(world: ShimWorld, env: dict[str, str] | None = None, cwd: str = "") -> str:
    done = call(world, env, cwd)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.strip()


def one_line(done: subprocess.CompletedProcess[str], status: int) -> str:
    """Return the error, which is one line and perhaps a hint, without control characters."""
    assert done.returncode == status
    assert done.stdout == ""
    first, *hints = done.stderr.splitlines()
    assert all(hint.startswith("  hint: ") for hint in hints)
    assert not CONTROL & set(done.stderr)
    return first


DAMAGE = (
    *("gone", "empty", "cut in its first line", "cut in its second line", "cut by a byte"),
    *("of another format", "an older bubble's", "a path alone", "noise", "a directory"),
    *("another answer, and no facts", "a link to nothing", "a link to itself"),
)


def damage(memo: str, kind: str) -> None:
    with open(memo) as file:
        text = file.read()
    first = text.index("\n")
    os.unlink(memo)
    match kind:
        case "a directory":
            os.mkdir(memo)
        case "a link to nothing":
            os.symlink("/nonexistent/x", memo)
        case "a link to itself":
            os.symlink(memo, memo)
        case "gone":
            pass
        case _:
            write(memo, damaged(text, first, kind))


def damaged(text: str, first: int, kind: str) -> str:
    return {
        "empty": "",
        "cut in its first line": text[: first // 2],
        "cut in its second line": text[: first + 4],
        "cut by a byte": text[:-1],
        "of another format": text.replace("bubble answer 3", "bubble answer 4"),
        "an older bubble's": "/usr\n1 .python-version\n.python-version\n3.11\n",
        "a path alone": "/usr\n",
        "another answer, and no facts": "bubble answer 3\n/usr\n.python-version\n",
        "noise": "\0\x7f\n" * 100,
    }[kind]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_memo_costs_one_slow_call(world: ShimWorld, kind: str, shell: str) -> None:
    damage(world.layout.answer(world.tree), kind)
    done = call(world, shell=shell)
    assert (done.stdout, done.stderr) == (f"{expected(world)}\n", "")


@NOT_ROOT
@pytest.mark.parametrize("what", ["the memo", "its directory", "every memo"])
def test_an_unreadable_memo_costs_the_slow_path(world: ShimWorld, what: str) -> None:
    memo = world.layout.answer(world.tree)
    path = {"the memo": memo, "its directory": os.path.dirname(memo)}.get(
        what, world.layout.answers
    )
    os.chmod(path, 0)
    try:
        assert answer(world) == expected(world)
    finally:
        os.chmod(path, 0o700)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_pipe_in_the_place_of_a_known_version_file_is_no_wait(
    world: ShimWorld, shell: str
) -> None:
    """Made long ago, so that it looks older than the memo."""
    path = f"{world.tree}/.python-version"
    os.unlink(path)
    os.mkfifo(path)
    os.utime(path, (1, 1))
    assert "not a regular file" in one_line(call(world, shell=shell), 126)


@pytest.mark.parametrize("gone", ["requests", "requests/now", "answers", "locks", "format"])
def test_without_a_part_of_the_store_the_answer_is_the_same(world: ShimWorld, gone: str) -> None:
    path = f"{world.layout.home}/{gone}"
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)
    assert answer(world) == expected(world)
    write(f"{world.tree}/.python-version", "3.12\n")
    assert answer(world) == expected(world, "3.12.1")


@ROOT_ONLY
@needs("unshare", "mount")
@pytest.mark.parametrize("memo", [True, False], ids=["with memos", "without memos"])
def test_a_store_that_cant_be_written_costs_the_slow_path_alone(
    world: ShimWorld, memo: bool
) -> None:
    if not memo:
        shutil.rmtree(world.layout.answers)
    before = sorted(os.listdir(world.layout.home))
    script = (
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && cd "$2" &&'
        ' ! touch "$1/x" 2>/dev/null && "$1/shims/python" && "$1/shims/python3" &&'
        ' "$1/shims/python" -m pip >/dev/null'
    )
    done = subprocess.run(
        [str(which("unshare")), "-m", "sh", "-c", script, "sh", world.layout.home, world.tree],
        env={"PATH": f"{world.layout.shims}:/usr/sbin:/sbin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "mount" in done.stderr and "denied" in done.stderr:
        pytest.skip("not here: mounting is forbidden")
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == f"{expected(world)}\n{expected(world)}3\n"
    assert sorted(os.listdir(world.layout.home)) == before


@NOT_ROOT
def test_a_store_of_somebody_else_costs_the_slow_path_alone(world: ShimWorld) -> None:
    shutil.rmtree(world.layout.answers)
    os.chmod(world.layout.home, 0o555)
    try:
        assert answer(world) == expected(world)
    finally:
        os.chmod(world.layout.home, 0o755)


@pytest.mark.parametrize("shell", SHELLS)
def test_without_the_python_that_runs_bubble_the_fast_path_works_and_the_rest_says_so(
    tmp_path: Path, shell: str
) -> None:
    made = ShimWorld(str(tmp_path), slow="/gone/with the venv/python")
    made.install("cpython-3.11.7")
    write(f"{made.tree}/.python-version", "3.11\n")
    error = one_line(call(made, shell=shell), 127)
    assert "/gone/with the venv/python" in error
    assert "install bubble again" in error
    made.resolve("python", made.tree, {}, leave=True)
    assert call(made, shell=shell).stdout == f"{expected(made)}\n"


def test_a_python_that_lost_bubble_says_so_in_one_line(tmp_path: Path) -> None:
    made = ShimWorld(str(tmp_path), slow=os.path.realpath(sys.executable))
    made.install("cpython-3.11.7")
    error = one_line(call(made), 127)
    assert "bubble: it is not whole" in error
    assert "install it again" in error


@pytest.mark.parametrize("shell", SHELLS)
def test_in_a_deleted_directory_the_global_pin_decides(world: ShimWorld, shell: str) -> None:
    write(world.layout.global_pin, "3.12\n")
    script = 'mkdir "$1" && cd "$1" && rmdir "$1" && shift && exec "$@"'
    words = [*shells()[shell], f"{world.layout.shims}/python"]
    for env in ({}, {"PWD": f"{world.root}/deleted"}, {"PWD": world.tree}):
        done = subprocess.run(
            ["/bin/sh", "-c", script, "sh", f"{world.root}/deleted", *words],
            env={"PATH": "/usr/bin:/bin", **env},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        # some shells themselves remark that the directory is gone
        assert done.stdout == f"{expected(world, '3.12.1')}\n", done.stderr
        assert done.returncode == 0


BARE: dict[str, dict[str, str]] = {
    "no variable at all": {},
    "env -i with the shims": {"PATH": "@:/usr/bin:/bin"},
    "cron": {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "x"},
    "an empty PATH": {"PATH": "", "HOME": "/"},
    "a HOME that isn't there": {"HOME": "/nonexistent", "PATH": "@"},
    "a relative HOME": {"HOME": "here", "PATH": "@"},
    "another BUBBLE_HOME": {"BUBBLE_HOME": "/nonexistent/store", "PATH": "@"},
    "a relative BUBBLE_HOME": {"BUBBLE_HOME": "x", "BUBBLE_CACHE_DIR": "y", "PATH": "@"},
    "a PWD that lies": {"PWD": "/", "PATH": "@"},
    "a PWD that is relative": {"PWD": "tree", "PATH": "@"},
    "an empty BUBBLE_PYTHON": {"BUBBLE_PYTHON": "", "PATH": "@"},
    "a strange locale": {"LC_ALL": "xx_XX.nonsense", "PATH": "@"},
    "Python variables": {"PYTHONHOME": "/nonexistent", "PYTHONPATH": "/x", "PYTHONSAFEPATH": "1"},
    "a start-up file": {"ENV": "/nonexistent", "BASH_ENV": "/nonexistent", "PYTHONSTARTUP": "/x"},
}


@pytest.mark.parametrize("memo", [True, False], ids=["with a memo", "without"])
@pytest.mark.parametrize("kind", BARE)
def test_a_bare_or_odd_environment_changes_nothing(world: ShimWorld, kind: str, memo: bool) -> None:
    if not memo:
        os.unlink(world.layout.answer(world.tree))
    env = {name: value.replace("@", world.layout.shims) for name, value in BARE[kind].items()}
    assert answer(world, env) == expected(world)
    assert os.path.exists(world.layout.answer(world.tree))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["it's", "a b", "$(id)", "*", "new\nline", "-n", "ü", "[x]", ":"])
def test_directories_of_any_name_work_as_place_and_as_home(
    tmp_path: Path, name: str, shell: str
) -> None:
    made = ShimWorld(f"{tmp_path}/{name}", slow=sys.executable)
    made.install("cpython-3.11.7")
    write(f"{made.tree}/{name}/.python-version", "3.11\n")
    for _ in range(2):
        done = call(made, cwd=f"{made.tree}/{name}", shell=shell)
        assert (done.stdout, done.stderr) == (f"{expected(made)}\n", "")
    # a path that can't stand in a line of a memo has none
    memo = made.layout.answer(f"{made.tree}/{name}")
    assert os.path.exists(memo) == (name != "new\nline")


def test_what_isnt_installed_is_told_in_one_line_with_the_mending_command(
    world: ShimWorld,
) -> None:
    write(f"{world.tree}/.python-version", "3.9\n")
    done = call(world)
    error = one_line(done, 127)
    assert f"{world.tree}/.python-version, line 1" in error
    assert "bubble python install 3.9" in done.stderr
    with pytest.raises(BubbleError) as raised:
        world.resolve("python", world.tree, {})
    assert raised.value.message in error

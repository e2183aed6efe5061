"""`bubble use`, `local`, `global`: what is written, kept, refused, and asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bubble.selection.replay import replay
from support.builds import small_mirror
from support.needs import NOT_ROOT, ROOT_ONLY
from support.patience import PATIENCE
from support.shimworld import ShimWorld, write
from support.terminal import on_a_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Result

    Bubble = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    for name in ("cpython-3.11.9", "cpython-3.12.1", "cpython-3.13.0+freethreaded", "pypy-3.10.16"):
        made.install(name)
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def mirror(tmp_path: Path) -> dict[str, str]:
    """Variables for a mirror of one small build, 3.9.7."""
    return {"BUBBLE_CATALOG": small_mirror(str(tmp_path / "mirror"), ["3.9.7"])}


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["3.12"], "3.12\n"),
        (["3.12.1"], "3.12.1\n"),
        (["312"], "3.12\n"),
        (["cpython@3.12"], "3.12\n"),
        (["python3.12"], "3.12\n"),
        (["3.13+freethreaded"], "3.13t\n"),
        (["pypy3.10"], "pypy3.10\n"),
        ([">=3.11,<3.13"], ">=3.11,<3.13\n"),
        (["system"], "system\n"),
        (["3.12", "3.11"], "3.12\n3.11\n"),
        (["3.12", "312"], "3.12\n"),
        (["python", "3.12"], "3.12\n"),
        (["CPython", "3.12"], "3.12\n"),
        (["CPython 3.12"], "3.12\n"),
    ],
    ids=" ".join,
)
def test_use_writes_what_every_tool_reads(
    words: list[str], written: str, project: Path, bubble: Bubble
) -> None:
    done = bubble("use", *words, cwd=project)
    assert (done.status, done.out) == (0, "")
    assert (project / ".python-version").read_bytes() == written.encode()
    assert f"to {project}/.python-version" in done.err
    assert bubble("current", cwd=project).status == 0


def test_local_and_global_are_use(project: Path, world: ShimWorld, bubble: Bubble) -> None:
    assert bubble("local", "3.12", cwd=project).status == 0
    assert (project / ".python-version").read_text() == "3.12\n"
    assert bubble("global", "3.11", cwd=project.parent).status == 0
    assert Path(world.layout.global_pin).read_text() == "3.11\n"
    assert bubble("use", "3.12", "--global", cwd=project.parent).status == 0
    assert Path(world.layout.global_pin).read_text() == "3.12\n"
    assert bubble("current", cwd=project.parent).out.startswith("cpython-3.12.1 (set by the global")


def test_comments_and_the_mode_stay(project: Path, bubble: Bubble) -> None:
    pin = project / ".python-version"
    pin.write_text("# why: the cluster has it\n3.11 # not this\n  # indented\n\n")
    pin.chmod(0o640)
    assert bubble("use", "3.12", cwd=project).status == 0
    assert pin.read_text() == "# why: the cluster has it\n  # indented\n3.12\n"
    assert pin.stat().st_mode & 0o777 == 0o640


def test_a_new_file_follows_the_umask(project: Path, bubble: Bubble) -> None:
    before = os.umask(0o027)
    try:
        assert bubble("use", "3.12", cwd=project).status == 0
    finally:
        os.umask(before)
    assert (project / ".python-version").stat().st_mode & 0o777 == 0o640


def test_a_link_to_a_version_file_is_followed(project: Path, bubble: Bubble) -> None:
    (project / "versions.txt").write_text("# shared\n3.11\n")
    (project / ".python-version").symlink_to("versions.txt")
    done = bubble("use", "3.12", "--json", cwd=project)
    assert done.json["data"]["path"] == str(project / "versions.txt")
    assert (project / ".python-version").is_symlink()
    assert (project / "versions.txt").read_text() == "# shared\n3.12\n"


@pytest.mark.parametrize("content", ["secret-token\n", "a: b\n", "", "root:x:0:0::/root:/bin/sh\n"])
def test_a_link_to_anything_else_is_refused(content: str, project: Path, bubble: Bubble) -> None:
    other = project / "precious"
    other.write_text(content)
    (project / ".python-version").symlink_to("precious")
    done = bubble("use", "3.12", cwd=project)
    assert done.status == 1
    assert "which is no version file, and stays as it is" in done.err
    assert other.read_text() == content


@pytest.mark.parametrize("target", ["/nonexistent/x", "/dev/null", ".python-version", "/"])
def test_a_link_that_leads_to_no_file_is_refused(
    target: str, project: Path, bubble: Bubble
) -> None:
    (project / ".python-version").symlink_to(target)
    assert bubble("use", "3.12", cwd=project).status == 1
    assert os.readlink(project / ".python-version") == target


def test_a_pipe_or_a_directory_is_refused_and_stays(project: Path, bubble: Bubble) -> None:
    pin = project / ".python-version"
    os.mkfifo(pin)
    done = bubble("use", "3.12", cwd=project, timeout=PATIENCE)
    assert (done.status, "not a regular file" in done.err) == (1, True)
    assert pin.is_fifo()
    pin.unlink()
    pin.mkdir()
    done = bubble("use", "3.12", cwd=project)
    assert (done.status, "is a directory" in done.err) == (1, True)
    assert bubble("use", "--unset", cwd=project).status == 1
    assert pin.is_dir()


@pytest.mark.parametrize(
    "content",
    [
        b"../../evil\n",
        b"\xff\xfe3\x00",
        b"\x1b[31m # no\n",
        b"3.11\n" * 10**5,
        b"$(id)\n",
        b"9.9\n",
    ],
    ids=["a path", "UTF-16", "an escape", "half a megabyte", "a command", "missing"],
)
def test_use_mends_what_its_hint_says_that_it_mends(
    content: bytes, project: Path, bubble: Bubble
) -> None:
    (project / ".python-version").write_bytes(content)
    assert bubble("current", cwd=project).status in (1, 2)
    assert bubble("use", "3.12", cwd=project).status == 0
    assert (project / ".python-version").read_bytes() == b"3.12\n"


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        (["3.12", "3.11"], "uv reads the first line only"),
        ([">=3.11"], "pyenv doesn't read specifiers"),
        (["system"], "uv doesn't know “system”"),
        (["cpython-3.12.1-linux-x86_64-gnu"], "pyenv and mise don't read"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_use_warns_where_another_tool_would_read_something_else(
    words: list[str], warning: str, project: Path, bubble: Bubble
) -> None:
    done = bubble("use", *words, cwd=project)
    assert done.status == 0
    assert warning in done.err
    assert any(warning in w for w in bubble("use", *words, "--json", cwd=project).json["warnings"])


def test_use_says_what_overrules_it(project: Path, bubble: Bubble) -> None:
    done = bubble("use", "3.12", cwd=project, env={"BUBBLE_PYTHON": "3.11"})
    assert "it doesn't count here: BUBBLE_PYTHON overrules it" in done.err
    done = bubble("use", "3.11", "--global", cwd=project)
    assert f"it doesn't count here: {project}/.python-version overrules it" in done.err
    assert "count" not in bubble("use", "3.11", cwd=project).err


def test_what_is_missing_is_refused_forced_or_installed(
    project: Path, mirror: dict[str, str], bubble: Bubble
) -> None:
    pin = project / ".python-version"
    refused = bubble("use", "3.9", cwd=project, env=mirror)
    assert refused.status == 1
    assert "hint: bubble use 3.9 --install" in refused.err
    assert not pin.exists()
    assert bubble("use", "3.9", "--force", cwd=project, env=mirror).status == 0
    assert pin.read_text() == "3.9\n"
    pin.unlink()
    installed = bubble("use", "3.9", "--install", cwd=project, env=mirror)
    assert installed.status == 0, installed.err
    assert pin.read_text() == "3.9\n"
    ran = bubble("exec", "python", "--version", cwd=project, env=mirror)
    assert ran.out == "Python 3.9.7\n"


def test_install_without_a_request_installs_what_the_directory_asks_for(
    project: Path, mirror: dict[str, str], bubble: Bubble
) -> None:
    (project / ".python-version").write_text("3.12\n3.9\n")
    done = bubble("python", "install", cwd=project, env=mirror)
    assert done.status == 0, done.err
    assert f"{project}/.python-version asks for 3.12, 3.9" in done.err
    assert "cpython-3.12.1 is already installed" in done.err
    assert "cpython-3.9.7" in bubble("current", cwd=project).out
    (project / ".python-version").write_text("system\n")
    nothing = bubble("python", "install", cwd=project, env=mirror)
    assert (nothing.status, nothing.out) == (0, "")
    assert "asks for the system's Python: there is nothing to install" in nothing.err
    (project / ".python-version").write_text("../../evil\n")
    assert bubble("python", "install", cwd=project, env=mirror).status != 0
    (project / ".python-version").unlink()
    assert "nothing here asks for one" in bubble("python", "install", cwd=project, env=mirror).err


def test_on_a_terminal_use_asks_before_it_installs(
    project: Path, mirror: dict[str, str], env: dict[str, str]
) -> None:
    env = {**env, **mirror, "TERM": "dumb"}
    for answer in (b"n\n", b"\n", b"\x04"):
        status, said = on_a_terminal(["use", "3.9"], answer, project, env)
        assert "Python 3.9 is not installed. Install it now? [y/N]" in said
        assert status == 1
        assert not (project / ".python-version").exists()
    status, said = on_a_terminal(["use", "3.9"], b"y\n", project, env)
    assert status == 0, said
    assert (project / ".python-version").read_text() == "3.9\n"


def test_unset_takes_the_choice_back(project: Path, world: ShimWorld, bubble: Bubble) -> None:
    assert bubble("use", "3.12", cwd=project).status == 0
    done = bubble("use", "--unset", cwd=project)
    assert (done.status, f"removed {project}/.python-version" in done.err) == (0, True)
    assert "there is no" in bubble("use", "--unset", cwd=project).err
    assert bubble("global", "3.12", cwd=project).status == 0
    assert bubble("global", "--unset", cwd=project).status == 0
    assert not os.path.exists(world.layout.global_pin)
    assert bubble("use", "3.12", "--unset", cwd=project).status == 2


@pytest.mark.parametrize(
    ("word", "status"), [("nonsense", 2), ("../x", 2), ("9.9", 1), ("-x", 2), ("$(id)", 2), ("", 2)]
)
def test_what_can_not_be_used_is_refused_with_a_next_step(
    word: str, status: int, project: Path, bubble: Bubble
) -> None:
    done = bubble("use", word, cwd=project)
    assert done.status == status
    assert "\n  hint: " in done.err
    assert not (project / ".python-version").exists()


def test_use_needs_a_request_and_a_directory(project: Path, bubble: Bubble) -> None:
    assert "bubble current" in bubble("use", cwd=project).err
    program = f"{os.path.dirname(sys.executable)}/bubble"
    gone = project / "gone"
    gone.mkdir()
    script = f"cd '{gone}' && rmdir '{gone}' && exec '{program}' use 3.12"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the working directory was deleted" in done.stderr


@NOT_ROOT
def test_a_directory_that_can_not_be_written_is_an_error(project: Path, bubble: Bubble) -> None:
    project.chmod(0o500)
    try:
        done = bubble("use", "3.12", cwd=project)
    finally:
        project.chmod(0o700)
    assert (done.status, "permission denied" in done.err) == (1, True)


@ROOT_ONLY
def test_root_in_another_users_directory_writes_as_root(project: Path, bubble: Bubble) -> None:
    os.chown(project, 12345, 12345)
    assert bubble("use", "3.12", cwd=project).status == 0
    assert (project / ".python-version").stat().st_uid == 0


def test_the_global_pin_is_written_where_nothing_was_yet(
    project: Path, tmp_path: Path, bubble: Bubble
) -> None:
    fresh = str(tmp_path / "fresh")
    done = bubble("global", "3.12", "--force", cwd=project, env={"BUBBLE_HOME": fresh})
    assert done.status == 0
    assert Path(fresh, "version").read_text() == "3.12\n"


def test_a_pin_survives_its_own_reader(project: Path, world: ShimWorld, bubble: Bubble) -> None:
    """What `use` wrote is what the shim runs next, whatever memo was there."""
    env = {"PATH": f"{world.layout.shims}:/usr/bin:/bin", "HOME": str(project)}
    for version in ("3.12", "3.11", "3.12"):
        assert bubble("use", version, cwd=project).status == 0
        for _ in range(2):
            assert f"/pythons/{version}/" in world.run("python", str(project), env).stdout
    write(f"{project}/.python-version", "3.11\n")
    assert "/pythons/3.11/" in world.run("python", str(project), env).stdout


def test_without_a_request_it_says_what_was_chosen_there(
    project: Path, world: ShimWorld, bubble: Bubble
) -> None:
    for words in (("local",), ("global",), ("use", "--global")):
        told = bubble(*words, cwd=project)
        assert (told.status, told.out) == ((2, "") if words == ("local",) else (0, "system\n"))
        assert bubble(*words, "3.12", "3.11", cwd=project).status == 0
        told = bubble(*words, cwd=project)
        assert (told.status, told.out, told.err) == (0, "3.12\n3.11\n", "")
        if words == ("global",):
            os.unlink(world.layout.global_pin)


def test_whatever_is_chosen_is_known_before_a_shim_has_run(
    bubble: Bubble, world: ShimWorld, project: Path
) -> None:
    world.environment(f"{project}/.venv", "cpython-3.12.1", "bubble")
    world.register(f"{project}/.venv", "bubble")
    beside = project.parent / "beside"
    beside.mkdir()
    for cwd, words in (
        (project, ("use", "3.12")),
        (project, ("use", "--unset")),
        (beside, ("global", "3.12")),
        (beside, ("use", "3.11")),
        (beside, ("use", "--unset")),
    ):
        assert bubble(*words, cwd=cwd).status == 0
        assert replay(world.world(str(cwd), {})).state == "present", words

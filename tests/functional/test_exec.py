"""`bubble exec`: another Python for one command; its arguments, environment, status and death."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.shimworld import PLATFORM, ShimWorld, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]

PROGRAM = f"{os.path.dirname(sys.executable)}/bubble"
TELL = (
    "#!{python}\n"
    "import json, os, sys\n"
    "json.dump({{'argv': sys.argv, 'env': dict(os.environ), 'pid': os.getpid(),"
    " 'in': sys.stdin.read()}}, sys.stdout)\n"
)


@pytest.fixture
def world(home: str, tmp_path: Path) -> ShimWorld:
    made = ShimWorld(str(tmp_path), slow=sys.executable, store=home)
    for name in ("cpython-3.11.9", "cpython-3.12.1"):
        prefix = made.install(name)
        write(f"{prefix}/bin/tell", TELL.format(python=sys.executable), 0o755)
    made.changed()
    return made


@pytest.fixture
def project(tmp_path: Path, world: ShimWorld) -> Path:
    del world
    made = tmp_path / "project"
    made.mkdir()
    (made / ".python-version").write_text("3.11\n")
    return made


def binaries(world: ShimWorld, version: str) -> str:
    """Return the directory by which a minor version is handed out: its minor link's."""
    return f"{world.layout.pythons}/{version.rpartition('.')[0]}/bin"


@pytest.mark.parametrize(
    ("words", "version"),
    [
        (["python"], "3.11.9"),
        (["--", "python"], "3.11.9"),
        (["-p", "3.12", "python"], "3.12.1"),
        (["--python", ">=3.12", "--", "python"], "3.12.1"),
        (["-p3.12", "python"], "3.12.1"),
        (["-p", "cpython-3.12.1-linux-x86_64-gnu", "python3"], "3.12.1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_exec_runs_with_the_selected_python_or_another(
    words: list[str], version: str, world: ShimWorld, project: Path, bubble: Bubble
) -> None:
    done = bubble("exec", *words, cwd=project)
    assert (done.status, done.err) == (0, "")
    place = binaries(world, version)
    if f"cpython-{version}-{PLATFORM}" in words:  # one exact build is that
        place = f"{world.layout.python(words[1])}/bin"
    assert done.out.strip() == f"{place}/{words[-1]}"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["-p", "3.12", "--python", "--json", "--help", "-h", "--"],
        ["--", "x", "--"],
        ["a b", "new\nline", "'", '"', "$(id)", "*", "\\", "ü", "\udcff"],
        ["x"] * 5000,
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_arguments_arrive_as_they_are(arguments: list[str], project: Path, bubble: Bubble) -> None:
    told = bubble("exec", "-p", "3.12", "tell", *arguments, cwd=project, stdin="in").json
    assert told["argv"][1:] == arguments
    assert told["in"] == "in"


def test_the_same_process_becomes_the_command(project: Path, env: dict[str, str]) -> None:
    with subprocess.Popen(
        [PROGRAM, "exec", "tell"],
        cwd=project,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        out, _ = process.communicate(b"")
    assert json.loads(out)["pid"] == process.pid


def test_the_environment_differs_in_what_is_documented(
    world: ShimWorld, project: Path, bubble: Bubble
) -> None:
    """PATH is led by the selection; with -p, shims below answer for the same request."""
    given = {"PATH": "/usr/bin:/bin", "KEEP": "1"}
    plain = bubble("exec", "tell", cwd=project, env=given).json["env"]
    chosen = bubble("exec", "-p", "3.12", "tell", cwd=project, env=given).json["env"]
    for env, version in ((plain, "3.11.9"), (chosen, "3.12.1")):
        shims, _, rest = env["PATH"].partition(":")
        assert os.path.realpath(shims) == world.layout.shims
        assert rest == f"{binaries(world, version)}:/usr/bin:/bin"
    assert "BUBBLE_PYTHON" not in plain
    differs = {name for name in chosen if chosen[name] != plain.get(name)}
    assert differs == {"PATH", "BUBBLE_PYTHON", "UV_SYSTEM_PYTHON"}
    assert plain.keys() - {"LC_CTYPE"} <= os.environ.keys() | {"KEEP"}


def test_children_get_the_chosen_python_wherever_they_go(
    world: ShimWorld, project: Path, bubble: Bubble
) -> None:
    env = {"PATH": f"{world.layout.shims}:/usr/bin:/bin"}
    script = f"python; cd / && python; exec {world.layout.shims}/python"
    done = bubble("exec", "-p", "3.12", "sh", "-c", script, cwd=project, env=env)
    assert done.out.split() == [f"{binaries(world, '3.12.1')}/python"] * 3


def test_a_path_stays_the_same_below_another_directory(
    world: ShimWorld, project: Path, tmp_path: Path, bubble: Bubble
) -> None:
    write(f"{tmp_path}/other/bin/python", '#!/bin/sh\necho "$0"\n', 0o755)
    script = f"cd / && exec {world.layout.shims}/python"
    done = bubble("exec", "-p", "../other", "sh", "-c", script, cwd=project)
    assert done.out.strip() == f"{tmp_path}/other/bin/python"


@pytest.mark.parametrize("status", [0, 1, 2, 42, 126, 127, 130, 255])
def test_the_status_is_the_commands(status: int, project: Path, bubble: Bubble) -> None:
    assert bubble("exec", "sh", "-c", f"exit {status}", cwd=project).status == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGSEGV])
def test_death_by_a_signal_is_the_commands(
    number: signal.Signals, project: Path, bubble: Bubble
) -> None:
    assert bubble("exec", "sh", "-c", f"kill -{number} $$", cwd=project).status == -number


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["ruff-or-not"], 127, "not found in cpython-3.11.9"),
        (["./nothing"], 127, "./nothing: no such file"),
        (["-p", "9.9", "python"], 127, "asks for Python “9.9”"),
        (["./data"], 126, "permission denied"),
        (["./"], 126, "permission denied"),
        (["./broken"], 126, "no such file"),
        (["-p", "latest", "python"], 126, "“latest”"),
        (["-p", "$(id)", "python"], 126, "no Python request"),
        ([], 2, "say which command to run"),
        (["--nonsense", "python"], 2, "--nonsense"),
        (["-p"], 2, "expected one argument"),
        ([""], 2, "no command's name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_can_not_run_is_126_or_127_in_one_line(
    words: list[str], status: int, message: str, project: Path, bubble: Bubble
) -> None:
    write(f"{project}/data", "no program")
    write(f"{project}/broken", "#!/nonexistent/interpreter\n", 0o755)
    done = bubble("exec", *words, cwd=project)
    assert (done.status, done.out) == (status, "")
    lines = done.err.splitlines()
    assert (len(lines), message in lines[0]) == (2, True), lines
    assert lines[1].startswith("  hint: ")


def test_a_bad_version_file_fails_closed(project: Path, tmp_path: Path, bubble: Bubble) -> None:
    write(f"{tmp_path}/system/python", "#!/bin/sh\necho wrong\n", 0o755)
    for content, status in (("9.9\n", 127), ("../evil\n", 126), ("\x1b[31m\n", 126)):
        (project / ".python-version").write_text(content)
        done = bubble("exec", "python", cwd=project, env={"PATH": f"{tmp_path}/system:/bin"})
        assert (done.status, done.out) == (status, "")


def test_json_behind_the_command_is_the_commands(project: Path, bubble: Bubble) -> None:
    assert bubble("exec", "nothing-there", "--json", cwd=project).out == ""
    told = bubble("exec", "--json", "nothing-there", cwd=project)
    assert (told.status, told.json["error"]["kind"]) == (127, "command_not_found")


def test_exec_in_exec_in_exec_ends(project: Path, bubble: Bubble) -> None:
    words = ["exec", *([PROGRAM, "exec"] * 5), "python"]
    assert bubble(*words, cwd=project).status == 0


PIP = '#!/bin/sh\nprintf "#!/bin/sh\\n" >"${0%/*}/$2" && chmod +x "${0%/*}/$2"\nexit "$3"\n'


@pytest.mark.parametrize("status", [0, 9])
@pytest.mark.parametrize("words", [["pip"], ["pip3.12"]], ids=" ".join)
def test_what_pip_installs_has_its_shim_at_once(
    words: list[str], status: int, world: ShimWorld, project: Path, bubble: Bubble
) -> None:
    write(f"{binaries(world, '3.12.1')}/{words[-1]}", PIP, 0o755)
    done = bubble("exec", "-p", "3.12", *words, "install", "fresh", str(status), cwd=project)
    assert (done.status, done.out, done.err) == (status, "", "")
    assert os.access(f"{world.layout.shims}/fresh", os.X_OK)


@pytest.mark.parametrize(
    ("said", "runs", "first"),
    [
        ("system\n3.12\n", "system", ""),
        ("3.12\nsystem\n", "3.12", "3.12"),
        ("system\n", "system", ""),
    ],
)
def test_the_systems_comes_where_the_file_has_it(
    said: str, runs: str, first: str, world: ShimWorld, project: Path, bubble: Bubble
) -> None:
    (project / ".python-version").write_text(said)
    for place in (f"{world.root}/bin", binaries(world, "3.12.1")):
        write(f"{place}/python3", '#!/bin/sh\necho "$0"\necho "$PATH"\n', 0o755)
    path = f"{world.root}/bin:/usr/bin:/bin"
    done = bubble("exec", "python3", cwd=project, env={"PATH": path})
    place = binaries(world, "3.12.1") if runs == "3.12" else f"{world.root}/bin"
    program, given = done.out.splitlines()
    if first:
        shims, _, given = given.partition(":")
        assert os.path.realpath(shims) == world.layout.shims
    expected = f"{binaries(world, '3.12.1')}:{path}" if first else path
    assert (program, given) == (f"{place}/python3", expected), done.err
    told = bubble("which", "python3", cwd=project, env={"PATH": path})
    assert told.out == f"{place}/python3\n"


ACTIVE = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "UV_SYSTEM_PYTHON")


def active(path: str) -> dict[str, str]:
    """Return what an activated environment at `path` leaves in a shell."""
    return {"VIRTUAL_ENV": path, "VIRTUAL_ENV_PROMPT": "x", "PATH": f"{path}/bin:/usr/bin:/bin"}


def test_what_exec_starts_sees_one_python_whatever_is_active(
    world: ShimWorld, project: Path, tmp_path: Path, bubble: Bubble
) -> None:
    other, train = f"{tmp_path}/other", f"{world.layout.envs}/train"
    write(f"{other}/bin/only-there", "#!/bin/sh\necho other\n", 0o755)
    for command in ("python", "tell"):
        write(f"{other}/bin/{command}", "#!/bin/sh\necho other\n", 0o755)
    world.environment(train, "cpython-3.12.1", "bubble")
    write(f"{train}/bin/tell", TELL.format(python=sys.executable), 0o755)
    world.register(train, "bubble", name="train")
    env = active(other)

    def seen(*words: str, **more: str) -> list[str | None]:
        told = bubble("exec", *words, "tell", cwd=project, env={**env, **more}).json
        assert f"{other}/bin" not in told["env"]["PATH"].split(":")
        return [told["env"].get(name) for name in ACTIVE]

    assert seen("-p", "3.12") == [None, None, "1"]
    assert seen() == [None, None, None]
    assert seen(BUBBLE_PYTHON="3.12") == [None, None, None]
    assert seen("-p", "train") == [train, None, None]
    assert seen("-p", "3.12", UV_SYSTEM_PYTHON="0") == [None, None, "0"]
    done = bubble("exec", "-p", "3.12", "only-there", cwd=project, env=env)
    assert done.status == 127
    (project / ".python-version").write_text("train\n")
    assert seen() == [train, None, None]


def test_an_environment_that_is_selected_and_active_stays_as_it_is(
    world: ShimWorld, project: Path, bubble: Bubble
) -> None:
    train = f"{world.layout.envs}/train"
    world.environment(train, "cpython-3.12.1", "bubble")
    write(f"{train}/bin/tell", TELL.format(python=sys.executable), 0o755)
    world.register(train, "bubble", name="train")
    told = bubble("exec", "-p", "train", "tell", cwd=project, env=active(train)).json
    assert [told["env"].get(name) for name in ACTIVE] == [train, "x", None]

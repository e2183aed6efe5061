"""In use: what `python uninstall`, `upgrade --prune` and `gc` never remove unasked, each alike."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess

import pytest

from support.clinic import Clinic, write
from support.needs import LINUX_ONLY
from support.terminal import Terminal
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OLD, NEW = "3.11.8", "3.11.9"


@pytest.fixture
def clinic(tmp_path: Path, env: dict[str, str]) -> Clinic:
    made = Clinic(str(tmp_path), env, [NEW, OLD, "3.12.4"])
    made.run("python", "install", OLD)
    return made


def call(clinic: Clinic, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [f"{clinic.tools}/bubble", *arguments],
        env=clinic.env,
        cwd=clinic.cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def is_there(clinic: Clinic, version: str = OLD) -> bool:
    return os.path.exists(f"{clinic.key(version)}/bin/python")


def by_venv(clinic: Clinic, path: str, version: str = OLD) -> str:
    """Write what `python -m venv` writes through a shim, and return its path."""
    home = f"{clinic.key(version)}/bin"
    write(f"{path}/pyvenv.cfg", f"home = {home}\nversion = {version}\n")
    os.makedirs(f"{path}/bin")
    os.symlink(f"{home}/python", f"{path}/bin/python")
    return path


def known(clinic: Clinic) -> str:
    """Return a directory in which a shim has run, with a version file that wants no old patch."""
    write(f"{clinic.root}/project/.python-version", "3.11\n")
    subprocess.run(["python", "-V"], env=clinic.env, cwd=f"{clinic.root}/project", check=True)
    return f"{clinic.root}/project"


def a_version_file(c: Clinic) -> str:
    os.makedirs(f"{c.root}/project")
    c.run("use", OLD, cwd=f"{c.root}/project")
    return f"{c.root}/project/.python-version"


def a_second_line(c: Clinic) -> str:
    return write(f"{known(c)}/.python-version", f"3.11\n{OLD}\n")


def a_file_above(c: Clinic) -> str:
    known(c)
    return write(f"{c.root}/.python-version", f"{OLD}\n")


def a_file_here(c: Clinic) -> str:
    """Pin in a directory where nothing but the very command has run."""
    return write(f"{c.cwd}/.python-version", f"{OLD}\n")


def a_file_under_an_environment(c: Clinic) -> str:
    where = known(c)
    c.run("create", "--no-pip", cwd=where)
    return write(f"{where}/.tool-versions", f"python {OLD}\n")


def the_global_pin(c: Clinic) -> str:
    c.run("use", "--global", OLD)
    return "the global pin"


def this_shell(c: Clinic) -> str:
    c.env["BUBBLE_PYTHON"] = OLD
    return f"BUBBLE_PYTHON={OLD}"


def an_environment(c: Clinic) -> str:
    c.run("create", "train", "-p", OLD, "--no-pip")
    return "train"


def a_kernel(c: Clinic) -> str:
    path = by_venv(c, f"{c.root}/far/away/from/everything")
    spec = {"argv": [f"{path}/bin/python", "-m", "ipykernel_launcher"], "language": "python"}
    where = f"{c.env['HOME']}/.local/share/jupyter/kernels/far"
    write(f"{where}/kernel.json", json.dumps(spec))
    return "the Jupyter kernel far"


def below(*names: str) -> Callable[[Clinic], str]:
    def make(c: Clinic) -> str:
        return by_venv(c, "/".join([known(c), *names]))

    return make


def at_home(path: str) -> Callable[[Clinic], str]:
    def make(c: Clinic) -> str:
        return by_venv(c, f"{c.env['HOME']}/{path}")

    return make


def by_variable(name: str, path: str) -> Callable[[Clinic], str]:
    def make(c: Clinic) -> str:
        c.env[name] = f"{c.root}/tools of others"
        return by_venv(c, f"{c.env[name]}/{path}")

    return make


def a_copied_interpreter(c: Clinic) -> str:
    path = by_venv(c, f"{known(c)}/env")
    os.unlink(f"{path}/bin/python")
    write(f"{path}/bin/python", "copied, as `venv --copies` does\n")
    return path


def a_link_to_one(c: Clinic) -> str:
    path = by_venv(c, f"{c.root}/far/away/from/everything")
    where = known(c)
    os.symlink(path, f"{where}/.venv")
    return f"{where}/.venv"


USES: dict[str, Callable[[Clinic], str]] = {
    "a version file": a_version_file,
    "its second line": a_second_line,
    "a version file above": a_file_above,
    "a version file here": a_file_here,
    "a version file that an environment overrules": a_file_under_an_environment,
    "the global pin": the_global_pin,
    "this shell": this_shell,
    "an environment": an_environment,
    "a kernel": a_kernel,
    "venv": below("env"),
    "tox": below(".tox", "py311"),
    "nox": below(".nox", "tests-3-11"),
    "a project in a project": below("services", "api", ".venv"),
    "copies": a_copied_interpreter,
    "a link": a_link_to_one,
    "a tool's own": at_home("tool"),
    "pipx": at_home(".local/share/pipx/venvs/black"),
    "pipx before": at_home(".local/pipx/venvs/black"),
    "PIPX_HOME": by_variable("PIPX_HOME", "venvs/black"),
    "pre-commit": at_home(".cache/pre-commit/repo0a1b2c/py_env-python3.11"),
    "PRE_COMMIT_HOME": by_variable("PRE_COMMIT_HOME", "repo0a1b2c/py_env-python3"),
    "poetry": at_home(".cache/pypoetry/virtualenvs/demo-Xy-py3.11"),
    "poetry itself": at_home(".local/share/pypoetry/venv"),
    "hatch": at_home(".local/share/hatch/env/virtual/demo/Xy12/demo"),
    "virtualenvwrapper": by_variable("WORKON_HOME", "demo"),
    "pipenv": at_home(".local/share/virtualenvs/demo-Xy"),
    "pdm": at_home(".local/share/pdm/venvs/demo"),
    "uv's tools": at_home(".local/share/uv/tools/ruff"),
    "XDG_DATA_HOME": by_variable("XDG_DATA_HOME", "pipx/venvs/black"),
}
EACH = pytest.mark.parametrize("use", USES)


@EACH
def test_nothing_removes_unasked_what_is_in_use(use: str, clinic: Clinic) -> None:
    who = USES[use](clinic)
    pruned = call(clinic, "python", "upgrade", "--prune")
    assert pruned.returncode == 0, pruned.stderr
    assert pruned.stderr.startswith(f"cpython-{OLD} stays: ")
    assert who in pruned.stderr
    assert not pruned.stdout
    clinic.run("gc", "--all")
    refused = call(clinic, "python", "uninstall", OLD)
    assert refused.returncode == 1
    message, hint = one_error(refused.stderr)
    assert message.startswith(f"cpython-{OLD} is ")
    assert who in message
    assert is_there(clinic)
    forced = call(clinic, *hint.partition("bubble ")[2].split())
    assert forced.returncode == 0, forced.stderr
    assert who in forced.stdout
    assert not is_there(clinic)


@pytest.fixture
def running(clinic: Clinic) -> Iterator[str]:
    """Run the old interpreter; the double is a script, so a program takes its place."""
    program = f"{clinic.key(OLD)}/bin/python3.11"
    os.unlink(program)
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "600"]) as process:
        while os.readlink(f"/proc/{process.pid}/exe") != program:
            pass
        yield f"process {process.pid}"
        process.send_signal(signal.SIGTERM)


@LINUX_ONLY
def test_what_a_process_runs_is_in_use(clinic: Clinic, running: str) -> None:
    assert f"{running} uses it" in call(clinic, "python", "upgrade", "--prune").stderr
    clinic.run("gc", "--all")
    assert running in one_error(call(clinic, "python", "uninstall", OLD).stderr)[0]
    assert is_there(clinic)


@LINUX_ONLY
def test_the_store_goes_with_bubble_only_when_nothing_runs_from_it(
    clinic: Clinic, running: str
) -> None:
    seen = call(clinic, "self", "uninstall", "--all", "--dry-run", "--json")
    assert json.loads(seen.stdout)["data"]["used_by"] == [running]
    refused = call(clinic, "self", "uninstall", "--all", "--yes")
    assert refused.returncode == 1
    assert running in one_error(refused.stderr)[0]
    assert is_there(clinic)
    assert call(clinic, "self", "uninstall", "--all", "--yes", "--force").returncode == 0
    assert not is_there(clinic)


def test_what_another_patch_serves_as_well_may_go_alone_and_not_together(clinic: Clinic) -> None:
    where = known(clinic)
    clinic.run("create", "train", "-p", "3.11", "--no-pip")
    clinic.run("python", "install", "3.12.4")
    both = call(clinic, "python", "uninstall", OLD, NEW, "3.12")
    assert both.returncode == 1
    message, _ = one_error(both.stderr)
    assert message.startswith(f"cpython-{NEW} is used by 1 environment: train; ")
    assert f"{where}/.python-version" in message
    assert is_there(clinic)
    assert is_there(clinic, "3.12.4"), "where one is in use, nothing is removed"
    assert call(clinic, "python", "uninstall", NEW).returncode == 0
    assert not is_there(clinic, NEW)
    assert call(clinic, "python", "uninstall", OLD).returncode == 1


def test_a_shells_request_of_the_past_refuses_no_uninstall(clinic: Clinic) -> None:
    shell = {**clinic.env, "BUBBLE_PYTHON": OLD}
    subprocess.run(["python", "-V"], env=shell, cwd=clinic.cwd, check=True)
    clinic.run("gc", "--all")
    assert is_there(clinic), "nobody said that it shall go"
    assert call(clinic, "python", "uninstall", OLD).returncode == 0


def test_a_directory_on_a_disk_that_is_away_keeps_what_it_ran(clinic: Clinic) -> None:
    place = f"{clinic.root}/disk"
    write(f"{place}/project/.python-version", f"{OLD}\n")
    subprocess.run(["python", "-V"], env=clinic.env, cwd=f"{place}/project", check=True)
    os.rename(place, f"{clinic.root}/away")
    os.mkdir(place)  # the empty mount point
    call(clinic, "gc", "--all")
    assert call(clinic, "python", "upgrade", "--prune").returncode == 0
    assert is_there(clinic)


# gc and a word


def test_gc_removes_no_interpreter_without_a_word(clinic: Clinic) -> None:
    done = call(clinic, "gc")
    assert done.returncode == 0
    assert is_there(clinic)
    assert clinic.key(OLD) in done.stderr
    hint = done.stderr.splitlines()[-1].partition(": ")[2]
    assert hint == "bubble gc --yes"
    data = json.loads(clinic.run("gc", "--json"))["data"]
    assert [item["path"] for item in data["kept"]] == [clinic.key(OLD)]
    assert data["removed"] == []
    assert clinic.key(OLD) in clinic.run(*hint.split()[1:])
    assert not is_there(clinic)


@pytest.mark.parametrize("answer", ["y", "n"])
def test_gc_asks_on_a_terminal(clinic: Clinic, answer: str) -> None:
    with Terminal([f"{clinic.tools}/bubble", "gc"], clinic.env, clinic.cwd) as terminal:
        terminal.read_until("[y/N]")
        assert clinic.key(OLD) in terminal.typed.replace("\r\n", "")
        assert is_there(clinic)
        terminal.press(answer.encode() + b"\n")
        assert terminal.finish() == 0
    assert is_there(clinic) is (answer == "n")


@pytest.mark.parametrize("word", [["--yes"], ["--all"], ["--only", "pythons"]])
def test_a_word_is_an_option_or_the_kinds_name(clinic: Clinic, word: list[str]) -> None:
    clinic.run("gc", "--dry-run", *word)
    assert is_there(clinic)
    clinic.run("gc", *word)
    assert not is_there(clinic)


# a process while its environment is carried along


@LINUX_ONLY
def test_an_upgrade_names_the_processes_that_run_the_old_patch(
    clinic: Clinic, running: str
) -> None:
    assert "restart" not in call(clinic, "python", "upgrade").stderr, "nothing was carried along"
    clinic.run("python", "uninstall", NEW)
    done = call(clinic, "python", "upgrade")
    assert done.returncode == 0
    assert done.stderr.endswith(f"or it may import from the new one: {running}\n")
    clinic.run("python", "uninstall", NEW)
    data = json.loads(clinic.run("python", "upgrade", "--json"))["data"]
    assert data["running"] == [running]

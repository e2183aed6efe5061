"""scripts/install.sh: from nothing but a shell to a running bubble, and without a trace again."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bubble.system.host import host_platform
from support.builds import packed_mirror
from support.fault_server import serve
from support.machines import Machine
from support.namespace import on_disks
from support.needs import FULL, FULL_ONLY, ROOT_ONLY, needs
from support.releases import ROOT, pointed, release, wheels
from support.wheels import wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A release with all that it installs beside it."""
    out = release(str(tmp_path_factory.mktemp("release")))
    wheels(out)
    return out


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory, whole: str) -> str:
    """Another release, with the same packages."""
    out = release(str(tmp_path_factory.mktemp("newer")), version="99.1")
    shutil.copytree(f"{whole}/wheels", f"{out}/wheels")
    return out


@pytest.fixture
def machine(tmp_path: Path, whole: str) -> Machine:
    return Machine(str(tmp_path), whole)


@pytest.fixture
def bare(tmp_path: Path, whole: str) -> Machine:
    """The script alone, which fetches all but the packages from a server."""
    out = f"{tmp_path}/alone"
    os.mkdir(out)
    shutil.copy2(f"{whole}/install.sh", out)
    return Machine(str(tmp_path), out)


def test_one_command_brings_a_running_bubble_and_one_takes_all_of_it_away(machine: Machine) -> None:
    with open(f"{machine.home}/.bashrc", "w") as file:
        file.write("echo mine")  # and no line end
    os.utime(f"{machine.home}/.bashrc", (1, 1))
    os.makedirs(f"{machine.home}/.local/share/empty")
    for name in ("one", "two"):
        adopted = [sys.executable, "-m", "venv", "--without-pip", f"{machine.home}/{name}"]
        subprocess.run(adopted, check=True)
    before = machine.everything(times=True)
    done = machine.run("--yes")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 10
    compiled = bytecode(machine)
    assert compiled
    assert all(is_unchecked(path) for path in compiled)
    assert machine.bubble("--version").stdout == machine.run("--version").stdout.join(
        ["bubble ", ""]
    )
    info = machine.bubble("self", "info")
    assert "by install.sh" in info.stdout
    assert machine.bubble("list").returncode == 0
    assert machine.bubble("doctor").returncode == 0
    assert "isn't a Python" not in machine.bubble("python", "list", "--installed").stdout
    for shell in ("fish", "zsh", "nu"):
        assert machine.bubble("init", shell, "--install").returncode == 0
    python(machine)
    assert machine.bubble("config", "set", "http-retries", "2").returncode == 0
    for name in ("one", "two"):
        assert machine.bubble("adopt", f"{machine.home}/{name}").returncode == 0
    assert machine.bubble("remove", f"{machine.home}/two").returncode == 0
    made = machine.bubble("create", "lab", "-p", "3.11")
    assert made.returncode == 0, made.stderr
    packages = f"{machine.home}/.local/share/bubble/envs/lab/lib/python3.11/site-packages"
    os.makedirs(f"{packages}/ipykernel/resources")  # a double: a kernel is files of ours
    for name in ("ipykernel_launcher.py", "ipykernel/resources/logo-64x64.png"):
        with open(f"{packages}/{name}", "w"):
            pass
    kernel = machine.bubble("kernel", "install", "lab")
    assert kernel.returncode == 0, kernel.stderr
    assert os.listdir(f"{machine.home}/.local/share/jupyter/kernels")
    looked = machine.bubble("self", "uninstall", "--all", "--dry-run")
    assert f"{machine.home}/.local/lib/bubble" in looked.stdout
    refused = machine.bubble("self", "uninstall", "--all")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert bytecode(machine) == compiled, "a start had to compile"
    gone = machine.bubble("self", "uninstall", "--all", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert machine.everything(times=True) == before


def bytecode(machine: Machine) -> set[str]:
    """Return which files of bubble's own Python are compiled."""
    versions = f"{machine.home}/.local/lib/bubble/versions"
    return set(glob.iglob(f"{glob.escape(versions)}/**/*.pyc", recursive=True))


def is_unchecked(path: str) -> bool:
    """Whether bytecode is held against a hash that nobody looks at (PEP 552), not a time."""
    with open(path, "rb") as file:
        return file.read(8)[4:] == b"\1\0\0\0"


def python(machine: Machine) -> None:
    """Install a Python of the release's kind into the machine's store."""
    catalogue = f"{packed_mirror(['3.11'])}/catalogue.json"
    done = machine.bubble("python", "install", "3.11", BUBBLE_CATALOG=catalogue)
    assert done.returncode == 0, done.stderr


def test_what_was_damaged_anywhere_is_mended_by_a_second_run(machine: Machine) -> None:
    assert machine.run("--no-init").returncode == 0
    before = machine.everything()
    (root,) = glob.glob(f"{glob.escape(machine.home)}/.local/lib/bubble/versions/*")
    for name in ("site-packages/packaging/__init__.py", "json/__pycache__/decoder.*.pyc"):
        (path,) = glob.glob(f"{glob.escape(root)}/lib/python3.*/{name}")
        with open(path, "r+b") as file:
            file.truncate(20)
        assert machine.run("--no-init").returncode == 0
        assert os.path.getsize(path) > 20, name
        assert set(machine.everything()) == set(before)


@FULL_ONLY
@ROOT_ONLY
def test_on_a_full_disk_it_is_installed_with_all_its_bytecode_or_not_at_all(
    tmp_path: Path, whole: str, machine: Machine
) -> None:
    version = machine.run("--version").stdout.strip()
    step = 20 << 10  # KiB; what is unpacked takes a hundred and more MiB
    answer = on_disks(tmp_path, "tmpfs", "512", str(step), whole, version)
    assert answer["problems"] == []
    assert answer["kib"] > 4 * step


WORK = """
set -e
while [ ! -e "$1/stop" ]; do
    bubble --version
    [ "$(bubble run work python -c 'print(6 * 7)')" = 42 ]
    [ "$(python3.11 -c 'print(6 * 7)')" = 42 ]
    [ "$(bubble which python3.11)" != '' ]
    : >"$1/round.$2"
done
"""


def test_an_update_and_the_way_back_are_unseen_by_those_at_work(
    machine: Machine, tmp_path: Path, newer: str
) -> None:
    assert machine.run("--no-init").returncode == 0
    old = machine.bubble("--version").stdout
    python(machine)
    assert machine.bubble("create", "work", "-p", "3.11").returncode == 0
    assert machine.bubble("global", "3.11").returncode == 0
    shims = f"{machine.home}/.local/share/bubble/shims"
    workers = [
        subprocess.Popen(
            ["/bin/sh", "-c", WORK, "sh", str(tmp_path), str(number)],
            env=machine.env(PATH=f"{shims}:{machine.env()['PATH']}"), cwd=machine.home,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for number in range(16 if FULL else 1)
    ]  # fmt: skip
    try:
        updated = machine.bubble("self", "update", "--from", newer)
        assert updated.returncode == 0, updated.stderr
        assert machine.bubble("--version").stdout == "bubble 99.1\n"
        back = machine.bubble("self", "update", "--back")
        assert back.returncode == 0, back.stderr
        assert machine.bubble("--version").stdout == old
        again = machine.bubble("self", "update", "--back")
        assert again.returncode == 0, again.stderr
        assert machine.bubble("--version").stdout == "bubble 99.1\n"
    finally:
        with open(f"{tmp_path}/stop", "w"):
            pass
        said = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(workers), said
    assert {line for text in said for line in text.splitlines()} <= {old.strip(), "bubble 99.1"}
    assert all(os.path.exists(f"{tmp_path}/round.{number}") for number in range(len(workers)))


@needs("curl", "bash")
def test_the_page_on_ci_runs_as_it_is_written_and_installing_keeps_no_cache(
    bare: Machine, whole: str, tmp_path: Path
) -> None:
    bare.has("curl", "sleep", "bash", "env")
    project = f"{tmp_path}/project"
    shutil.copytree(bare.out, f"{project}/ci")
    with open(f"{project}/.python-version", "w") as file:
        file.write("3.11\n")
    with open(f"{project}/requirements.txt", "w") as file:
        file.write("pytest\n")
    packages = f"{tmp_path}/packages"
    shutil.copytree(f"{whole}/wheels", packages)
    wheel(packages, "pytest", "1.0", script="pytest", says="passed")
    more = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": packages,
        "BUBBLE_CATALOG": f"{packed_mirror(['3.11'])}/catalogue.json",
        "GITHUB_PATH": f"{tmp_path}/path",
    }
    said = ""
    with serve(whole) as server:
        pointed(f"{project}/ci/install.sh", server.url)
        for number, step in enumerate(ci_steps()):
            path = bare.bin
            if os.path.exists(f"{tmp_path}/path"):
                with open(f"{tmp_path}/path") as file:
                    path = ":".join([*reversed(file.read().splitlines()), path])
            done = subprocess.run(
                ["bash", "-e", "-c", step], env=bare.env(**more, PATH=path), cwd=project,
                stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True,
            )  # fmt: skip
            assert done.returncode == 0, (step, done.stderr)
            if number == 0:
                assert os.listdir(bare.home) == [".local"]
            said = done.stdout
    assert said == "passed\n"


def ci_steps() -> list[str]:
    """Return what the sample of docs/how-to/ci.md runs, a script a step."""
    with open(f"{ROOT}/docs/how-to/ci.md", encoding="utf-8") as file:
        sample = file.read().partition("```yaml\n")[2].partition("```")[0]
    found = []
    for step in sample.split("\n  - run: ")[1:]:
        lines = step.splitlines()
        found.append("\n".join(lines[1:]) if lines[0] == "|" else lines[0])
    return found


def test_two_runs_of_the_release_script_give_the_same_bytes(tmp_path: Path, whole: str) -> None:
    again = release(f"{tmp_path}/again")
    for name in ("SHA256SUMS", "install.sh"):
        with open(f"{whole}/{name}", "rb") as one, open(f"{again}/{name}", "rb") as other:
            assert one.read() == other.read()


@pytest.mark.skipif(not FULL, reason="not here: the long form (BUBBLE_TEST_FULL=1)")
def test_a_release_has_a_bundle_a_platform_twice_the_same_bytes(
    tmp_path: Path, machine: Machine
) -> None:
    made = [release(f"{tmp_path}/{number}", bundles=True) for number in range(2)]
    (name,) = [n for n in os.listdir(made[0]) if n.startswith("bubble-")]
    assert name.endswith(f"-{host_platform(os.environ)}.sh")
    for file in (name, "SHA256SUMS"):
        with open(f"{made[0]}/{file}", "rb") as one, open(f"{made[1]}/{file}", "rb") as other:
            assert one.read() == other.read()
    machine.has("head")
    done = subprocess.run(
        ["sh", f"{made[0]}/{name}", "--no-init"],
        env=machine.env(), capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert machine.bubble("--version").returncode == 0

"""The doctor's visits: `--fix`, locks, full disks, what people read, and real builds."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys

import pytest

from bubble.envs.doctor.system import install_command
from bubble.system.lock import Lock
from support.clinic import Clinic, old, program, write
from support.mortal import mortal
from support.needs import NEEDS_REAL_BUILD, ROOT_ONLY, not_here, real_build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result


@pytest.fixture
def clinic(tmp_path: Path, env: dict[str, str]) -> Clinic:
    return Clinic(str(tmp_path), env, ["3.11.9"])


def test_fix_runs_what_is_bubbles_own_and_leaves_the_rest(clinic: Clinic) -> None:
    write(f"{clinic.layout.trash}/something/file", "")
    os.unlink(f"{clinic.layout.pythons}/3.11")
    os.unlink(f"{clinic.prefix}/bin/python3.11")
    program(f"{clinic.root}/early/python3", "echo early")
    clinic.env["PATH"] = f"{clinic.root}/early:{clinic.env['PATH']}"
    assert set(clinic.examine()) >= {"store.leftovers", "python.damaged", "path.shadowed"}
    assert set(clinic.examine("--fix")) == {"path.shadowed"}
    assert clinic.run("python", "find", "3.11").strip()
    assert os.path.exists(f"{clinic.layout.pythons}/3.11/bin/python")


def test_fix_says_what_it_ran_and_what_failed(clinic: Clinic) -> None:
    os.unlink(f"{clinic.prefix}/bin/python3.11")
    shutil.rmtree(clinic.layout.cache)
    shutil.rmtree(f"{clinic.root}/mirror")
    done = _doctor(clinic, "--fix")
    assert done.returncode == 1
    command = f"bubble python verify --repair {os.path.basename(clinic.prefix)}"
    assert f"ran      {command}: it failed: " in done.stdout
    assert "python.damaged" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_without_fix_nothing_changes(clinic: Clinic) -> None:
    write(f"{clinic.layout.trash}/something/file", "")
    old(write(f"{clinic.layout.pythons}/.3.11.1.0a1b2c3d.tmp", ""), 7200)
    before = _tree(clinic.layout.home)
    assert "store.leftovers" in clinic.examine()
    assert _tree(clinic.layout.home) == before


def test_people_read_the_finding_its_id_and_its_command(clinic: Clinic) -> None:
    os.unlink(f"{clinic.prefix}/bin/python3.11")
    done = _doctor(clinic)
    key = os.path.basename(clinic.prefix)
    assert "error    cpython-3.11.9 has lost its interpreter  [python.damaged]" in done.stdout
    assert f"         mend: bubble python verify --repair {key}" in done.stdout
    assert done.returncode == 1
    assert done.stderr.startswith("bubble doctor --fix runs 2 of these commands\nerror: 1 error")


def test_a_held_lock_names_its_holder_and_ending_it_frees_it(clinic: Clinic) -> None:
    path = f"{clinic.layout.locks}/cpython-3.12.4-linux-x86_64-gnu"
    code = (
        "import sys\nfrom bubble.system.lock import Lock\n"
        "with Lock(sys.argv[1]):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        found = clinic.examine()["store.lock"]
        assert f"process {holder.pid} (" in found["what"]
        assert found["severity"] == "note"
        old(path, 3600)
        assert clinic.examine()["store.lock"]["severity"] == "warning"
        assert found["fix"] == f"kill {holder.pid}"
        assert "store.lock" not in clinic.mend(found)
        holder.wait()


def test_looking_for_locks_disturbs_nobody(clinic: Clinic) -> None:
    with Lock(f"{clinic.layout.locks}/shared", shared=True, timeout=0):
        assert "store.lock" not in clinic.examine()
    with Lock(f"{clinic.layout.locks}/shared", timeout=0):
        pass


@ROOT_ONLY
def test_a_disk_that_is_about_to_be_full_is_mended_by_emptying_the_cache(clinic: Clinic) -> None:
    with _mounted(clinic.layout.cache, "1100m"):
        downloads = clinic.layout.downloads
        os.makedirs(downloads)
        with open(f"{downloads}/{'0' * 64}", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 200 << 20)
        found = clinic.examine()["disk.space"]
        assert found["fix"] == "bubble cache prune"
        assert "disk.space" not in clinic.mend(found)


def test_an_unreadable_directory_is_a_finding_and_not_a_failure(clinic: Clinic) -> None:
    clinic.before = mortal()
    os.chmod(clinic.layout.pythons, 0)
    try:
        found = clinic.examine()["store.unreadable"]
        assert clinic.layout.pythons in found["what"]
        assert "chown -R" in found["fix"]
    finally:
        os.chmod(clinic.layout.pythons, 0o755)


def test_an_activated_environment_may_come_before_the_shims(clinic: Clinic) -> None:
    clinic.run("create", "train", "-p", "3.11", "--no-pip")
    path = f"{clinic.layout.envs}/train"
    clinic.env |= {"VIRTUAL_ENV": path, "PATH": f"{path}/bin:{clinic.env['PATH']}"}
    assert clinic.examine() == {}


def test_an_interrupted_writer_that_lives_is_left_alone(clinic: Clinic) -> None:
    old(write(f"{clinic.layout.pythons}/.3.11.{os.getpid()}.0a1b2c3d.tmp", ""))
    assert clinic.examine() == {}


def test_hostile_names_are_shown_escaped_and_quoted(clinic: Clinic) -> None:
    hostile = f"{clinic.root}/a \x1b[31m'b; touch pwned"
    program(f"{hostile}/python3", "echo hostile")
    clinic.env["PATH"] = f"{hostile}:{clinic.env['PATH']}"
    assert "\x1b" not in _doctor(clinic).stdout
    found = clinic.examine()["path.shadowed"]
    assert "path.shadowed" not in clinic.mend(found)
    assert not os.path.exists(f"{clinic.cwd}/pwned")


def test_the_packages_of_the_systems_own_manager_are_named(layout: Layout, tmp_path: Path) -> None:
    program(f"{tmp_path}/bin/apk", "true")
    there, nothing = {"PATH": f"{tmp_path}/bin"}, {"PATH": f"{tmp_path}"}
    assert install_command("compiler", there, layout).endswith("apk add gcc musl-dev")
    assert install_command("ca", nothing, layout).endswith("apt-get install -y ca-certificates")


@pytest.mark.real
@NEEDS_REAL_BUILD
def test_a_real_build_finds_its_terminals_by_the_doctors_command(
    bubble: Callable[..., Result], env: dict[str, str]
) -> None:
    archive = real_build()
    with open(archive, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    done = bubble("python", "install", "--from", archive, "--sha256", sha256, *_key(archive))
    assert done.status == 0, done.err
    seen = bubble("doctor", "--json", env={"TERM": "xterm"}).json["data"]["findings"]
    found = [f for f in seen if f["id"] == "system.terminfo"]
    if not found:
        not_here("this build finds its terminals by itself")
    if "TERMINFO_DIRS" not in found[0]["fix"]:
        not_here("the system describes no terminals")
    script = "import curses; curses.setupterm('xterm', 1); print(curses.tigetnum('colors'))"
    python = bubble("python", "find", "3").out.strip()
    for fix, works in (("true", False), (found[0]["fix"], True)):
        ran = subprocess.run(
            ["/bin/sh", "-c", f'{fix}; exec "$0" -c "$1"', python, script],
            env=env,
            capture_output=True,
            check=False,
        )
        assert (ran.returncode == 0) is works, ran.stderr


def _key(archive: str) -> list[str]:
    """Name the build in full where its file's name doesn't tell it."""
    version = os.path.basename(archive).partition("-")[2].partition("+")[0]
    return [f"cpython-{version}-linux-x86_64-gnu"] if "REPACK" in archive else []


def _doctor(clinic: Clinic, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [f"{clinic.tools}/bubble", "doctor", *options],
        env=clinic.env,
        cwd=clinic.cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _tree(root: str) -> dict[str, int]:
    found = {}
    for place, directories, files in os.walk(root):
        for name in (*directories, *files):
            path = f"{place}/{name}"
            found[path] = os.lstat(path).st_mtime_ns
    return found


@contextlib.contextmanager
def _mounted(path: str, size: str) -> Iterator[None]:
    os.makedirs(path, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        not_here("root can't mount")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)

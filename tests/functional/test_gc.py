"""Garbage: what goes, and above all what stays."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from bubble.envs.discarding.gc import plan
from bubble.selection import known, registry
from support.clinic import Clinic, old, write
from support.handmade import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSIONS = ["3.11.9", "3.11.8", "3.11.7", "3.12.4"]


@pytest.fixture
def clinic(tmp_path: Path, env: dict[str, str]) -> Clinic:
    made = Clinic(str(tmp_path), env, VERSIONS)
    made.run("python", "install", "3.11.8")
    return made


def gc(clinic: Clinic, *options: str, cwd: str = "") -> dict[str, list[str]]:
    """Return the paths that went, by kind."""
    data = json.loads(clinic.run("gc", "--json", *options, cwd=cwd))["data"]
    found: dict[str, list[str]] = {}
    for item in data["removed"]:
        found.setdefault(item["kind"], []).append(item["path"])
    assert data["bytes"] == sum(item["bytes"] for item in data["removed"])
    return found


def shim(clinic: Clinic, cwd: str) -> None:
    """Run python through the shim, which makes the directory known."""
    subprocess.run(["python", "--version"], env=clinic.env, cwd=cwd, check=True)


def pythons(clinic: Clinic) -> set[str]:
    """Return the versions that are installed."""
    rows = json.loads(clinic.run("python", "list", "--installed", "--json"))["data"]
    return {row["version"] for row in rows}


def test_an_old_patch_that_nothing_uses_goes_and_the_newest_stays(clinic: Clinic) -> None:
    clinic.run("python", "install", "3.12.4")
    assert gc(clinic, "--yes")["pythons"] == [clinic.key("3.11.8")]
    assert pythons(clinic) == {"3.11.9", "3.12.4"}
    assert gc(clinic) == {}


def test_all_takes_the_newest_as_well_where_nothing_uses_it(clinic: Clinic) -> None:
    clinic.run("create", "train", "-p", "3.11", "--no-pip")
    clinic.run("python", "install", "3.12.4")
    assert set(gc(clinic, "--all")["pythons"]) == {clinic.key("3.11.8"), clinic.key("3.12.4")}
    assert pythons(clinic) == {"3.11.9"}


def test_a_dry_run_names_what_goes_with_its_size_and_changes_nothing(clinic: Clinic) -> None:
    write(f"{clinic.layout.trash}/something/file", "x" * 10000)
    said = clinic.run("gc", "--dry-run", "--yes")
    assert clinic.key("3.11.8") in said
    assert "would free" in said.splitlines()[-1]
    assert os.path.exists(clinic.key("3.11.8"))
    assert os.path.exists(f"{clinic.layout.trash}/something/file")
    assert gc(clinic, "--dry-run", "--yes") == gc(clinic, "--yes")


def named_environment(c: Clinic) -> None:
    c.run("create", "train", "-p", "3.11.8", "--no-pip")


def project_pin(c: Clinic) -> None:
    write(f"{c.root}/project/.python-version", "3.11.8\n")
    shim(c, f"{c.root}/project")


def chosen_directory(c: Clinic) -> None:
    os.makedirs(f"{c.root}/project")
    c.run("use", "3.11.8", cwd=f"{c.root}/project")


def second_pin(c: Clinic) -> None:
    write(f"{c.root}/project/.python-version", "3.11.9\n3.11.8\n")
    shim(c, f"{c.root}/project")


def global_pin(c: Clinic) -> None:
    c.run("use", "--global", "3.11.8")


def this_shell(c: Clinic) -> None:
    c.env["BUBBLE_PYTHON"] = "3.11.8"


def another_shell(c: Clinic) -> None:
    c.env["BUBBLE_PYTHON"] = "3.11.8"
    shim(c, c.cwd)
    del c.env["BUBBLE_PYTHON"]


def unregistered_environment(c: Clinic) -> None:
    """Make what `python -m venv` makes, in a directory where a shim has run."""
    write(f"{c.root}/project/.python-version", "3.11.9\n")
    shim(c, f"{c.root}/project")
    write(f"{c.root}/project/venv/pyvenv.cfg", f"home = {c.key('3.11.8')}/bin\n")
    os.makedirs(f"{c.root}/project/venv/bin")
    os.symlink(f"{c.key('3.11.8')}/bin/python3.11", f"{c.root}/project/venv/bin/python")


@pytest.mark.parametrize(
    "use",
    [
        named_environment,
        project_pin,
        chosen_directory,
        second_pin,
        global_pin,
        this_shell,
        another_shell,
        unregistered_environment,
    ],
)
def test_an_old_patch_that_is_used_stays(use: object, clinic: Clinic) -> None:
    assert callable(use)
    use(clinic)
    assert "pythons" not in gc(clinic, "--yes")
    assert "3.11.8" in pythons(clinic)


def test_a_shells_request_counts_for_a_month(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    another_shell(clinic)
    memo = f"{clinic.layout.variable_answers}/3.11.8"
    for days in (29, 31):
        later = SimpleNamespace(time=lambda days=days: time.time() + days * 86400)
        monkeypatch.setattr(known, "time", later)
        found = plan(machine(clinic.layout, clinic.env), "/", ["memos", "pythons"])
        paths = [memo, clinic.key("3.11.8")] if days > 30 else []
        assert [item.path for item in found] == paths


def test_a_pin_that_changed_since_no_longer_counts(clinic: Clinic) -> None:
    project_pin(clinic)
    write(f"{clinic.root}/project/.python-version", "3.11.9\n")
    assert gc(clinic, "--yes")["pythons"] == [clinic.key("3.11.8")]


@pytest.mark.skipif(sys.platform != "linux", reason="not here: Linux only")
def test_an_interpreter_that_runs_now_stays(clinic: Clinic) -> None:
    # the double is a script, whose process is a shell: put a program in its place
    program = f"{clinic.key('3.11.8')}/bin/python3.11"
    os.unlink(program)
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as running:
        while os.readlink(f"/proc/{running.pid}/exe") != program:
            pass
        assert "pythons" not in gc(clinic, "--only", "pythons")
        running.send_signal(signal.SIGTERM)
    assert gc(clinic, "--only", "pythons")["pythons"] == [clinic.key("3.11.8")]


def test_an_adopted_interpreter_never_goes(clinic: Clinic) -> None:
    shutil.copytree(clinic.key("3.11.8"), f"{clinic.root}/other", symlinks=True)
    shutil.rmtree(f"{clinic.root}/other/.bubble")
    clinic.run("python", "uninstall", "3.11.8")
    clinic.run("python", "adopt", f"{clinic.root}/other/bin/python3.11")
    assert gc(clinic, "--all")["pythons"] == [clinic.prefix]
    assert pythons(clinic) == {"3.11.8"}


def test_only_takes_the_kinds_that_are_named(clinic: Clinic) -> None:
    write(f"{clinic.layout.trash}/something/file", "")
    assert set(gc(clinic, "--only", "scratch")) == {"scratch"}
    assert "3.11.8" in pythons(clinic)
    assert not os.listdir(clinic.layout.trash)


# downloads


def test_what_is_installed_can_be_repaired_without_a_mirror_unless_all_went(
    clinic: Clinic,
) -> None:
    archives = set(os.listdir(clinic.layout.downloads))
    assert len(archives) == 2
    assert gc(clinic, "--only", "downloads") == {}
    assert set(os.listdir(clinic.layout.downloads)) == archives
    os.rename(f"{clinic.root}/mirror", f"{clinic.root}/away")
    os.unlink(f"{clinic.prefix}/bin/python3")
    clinic.run("python", "verify", "3.11.9", "--repair")
    os.rename(f"{clinic.root}/away", f"{clinic.root}/mirror")
    assert len(gc(clinic, "--all", "--only", "downloads")["downloads"]) == 2
    assert not os.listdir(clinic.layout.downloads)


def test_archives_that_are_unknown_go_and_the_others_stay(clinic: Clinic) -> None:
    downloads = clinic.layout.downloads
    before = set(os.listdir(downloads))
    clinic.run("python", "uninstall", "3.11.8")
    write(f"{downloads}/{'a' * 64}", "unknown")
    write(f"{downloads}/{'b' * 64}.part", "begun")
    write(f"{downloads}/{'b' * 64}.part.json", "{}")
    gone = {os.path.basename(path) for path in gc(clinic, "--only", "downloads")["downloads"]}
    assert gone == {"a" * 64, "b" * 64 + ".part", "b" * 64 + ".part.json"}
    kept = set(os.listdir(downloads))
    assert len(before) == 2
    assert kept == before, "both are in the catalogue: one is installed, one may be again"
    clinic.run("python", "install", "3.11.8")


def test_a_download_in_progress_stays(clinic: Clinic) -> None:
    write(f"{clinic.layout.downloads}/{'b' * 64}.part", "begun")
    with holding(f"{clinic.layout.download_locks}/{'b' * 64}"):
        assert "b" * 64 not in str(gc(clinic))
    assert "b" * 64 in str(gc(clinic))


def test_staging_in_progress_stays(clinic: Clinic) -> None:
    live = f"{clinic.layout.staging}/live.0123456789ab"
    write(f"{live}/file", "")
    old(live, 3600)
    with holding(live):
        assert "scratch" not in gc(clinic)
        assert os.path.exists(live)
    assert gc(clinic)["scratch"] == [live]


# memos and records


def test_memos_of_directories_that_are_gone_go(clinic: Clinic) -> None:
    project_pin(clinic)
    memo = clinic.layout.answer(f"{clinic.root}/project")
    assert os.path.exists(memo)
    shutil.rmtree(f"{clinic.root}/project")
    assert memo in gc(clinic, "--only", "memos")["memos"]
    assert not os.path.exists(os.path.dirname(memo)), "empty directories stay behind"
    assert os.path.isdir(os.path.dirname(clinic.layout.answer("/")))


def test_what_may_lie_on_a_disk_that_is_not_mounted_stays(clinic: Clinic) -> None:
    place = f"{clinic.root}/mount"
    write(f"{place}/project/.python-version", "3.11.9\n")
    clinic.run("create", "-p", "3.11.9", "--no-pip", cwd=f"{place}/project")
    shim(clinic, f"{place}/project")
    shutil.rmtree(f"{place}/project")  # and now the mount point is empty
    assert not {"memos", "records"} & set(gc(clinic))
    write(f"{place}/another", "")
    assert gc(clinic)["records"] == [f"{place}/project/.venv"]


def test_the_record_of_an_environment_that_is_gone_goes(clinic: Clinic) -> None:
    named_environment(clinic)
    shutil.rmtree(f"{clinic.layout.envs}/train")
    assert gc(clinic, "--only", "records")["records"] == [f"{clinic.layout.envs}/train"]
    assert registry.environments(clinic.layout) == []


def test_the_record_of_an_environment_that_was_moved_here_stays(clinic: Clinic) -> None:
    clinic.run("create", "-p", "3.11", "--no-pip")
    os.rename(clinic.cwd, f"{clinic.root}/moved")
    assert "records" not in gc(clinic, cwd=f"{clinic.root}/moved")
    assert len(registry.environments(clinic.layout)) == 1


def test_a_seed_that_no_interpreter_brings_along_goes(clinic: Clinic) -> None:
    seed = f"{clinic.layout.seeds}/pip-19.0"
    write(f"{seed}/pip/__init__.py", "")
    assert gc(clinic)["seeds"] == [seed]
    assert not os.path.exists(seed)


def test_kernels_of_environments_that_are_gone_go(clinic: Clinic) -> None:
    named_environment(clinic)
    packages = f"{clinic.layout.envs}/train/lib/python3.11/site-packages"
    write(f"{packages}/ipykernel_launcher.py", "")
    clinic.run("kernel", "install", "train")
    assert "kernels" not in gc(clinic)
    shutil.rmtree(f"{clinic.layout.envs}/train")
    [path] = gc(clinic)["kernels"]
    assert path.endswith("/jupyter/kernels/train")
    assert not os.path.exists(path)


def test_what_cannot_be_removed_is_told_and_does_not_keep_the_rest(clinic: Clinic) -> None:
    write(f"{clinic.layout.trash}/something/file", "")
    os.rename(clinic.layout.shims, f"{clinic.root}/shims")
    with holding(f"{clinic.layout.locks}/{os.path.basename(clinic.key('3.11.8'))}"):
        clinic.env["BUBBLE_LOCK_TIMEOUT"] = "0"
        done = subprocess.run(
            [f"{clinic.tools}/bubble", "gc", "--yes"],
            env=clinic.env,
            cwd=clinic.cwd,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "holds" in done.stderr
    assert not os.listdir(clinic.layout.trash)
    assert "3.11.8" in pythons(clinic)


def test_links_and_mounts_in_the_trash_are_not_followed(clinic: Clinic, canary: str) -> None:
    os.makedirs(f"{clinic.layout.trash}/something")
    os.symlink(canary, f"{clinic.layout.trash}/something/link")
    os.symlink(canary, f"{clinic.layout.trash}/link")
    gc(clinic)
    assert not os.listdir(clinic.layout.trash)


@contextlib.contextmanager
def holding(path: str) -> Iterator[None]:
    """Hold an exclusive flock on a file or directory in another process."""
    code = (
        "import fcntl, os, sys\n"
        "path = sys.argv[1]\n"
        "os.makedirs(os.path.dirname(path), exist_ok=True)\n"
        "flags = os.O_RDONLY if os.path.isdir(path) else os.O_RDWR | os.O_CREAT\n"
        "fcntl.flock(os.open(path, flags), fcntl.LOCK_EX)\n"
        "print('held', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield
        finally:
            child.communicate("")

"""What others make of locks: uv and pip install the same, uv answers the same; `lock --from`."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.builds import packed_mirror
from support.locking import doubles, make_wheels, manifest, own_pip, use_uv, versions
from support.needs import not_here, real_uv
from support.uv_answers import MINOR, by_lock, by_uv_compile, by_uv_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

    Bubble = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, env: dict[str, str]) -> Path:
    """Return the directory of a project with wheels, and a real interpreter to install."""
    use_uv(env, real_uv(), make_wheels(str(tmp_path / "wheels")), str(tmp_path / "tools"))
    env["BUBBLE_CATALOG"] = f"{packed_mirror(['3.12'])}/catalogue.json"
    directory = tmp_path / "project"
    directory.mkdir()
    manifest(directory, 'dependencies = ["alpha<2"]')
    return directory


def locked(bubble: Bubble, project: Path, *arguments: str) -> Result:
    done = bubble("lock", *arguments, cwd=project)
    assert done.status == 0, done.err
    return done


def test_from_locks_exactly_what_is_installed(
    bubble: Bubble, project: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    assert bubble("python", "install", "3.12").status == 0
    (project / "old.txt").write_text("alpha==1.0\nbeta==1.0\n")
    made = bubble("create", "-p", "3.12", "-r", "old.txt", cwd=project)
    assert made.status == 0, made.err
    manifest(project, 'dependencies = ["alpha"]')
    done = locked(bubble, project, "--from", ".venv")
    assert versions(f"{project}/pylock.toml") == {"alpha": "1.0", "beta": "1.0"}, done.err
    assert bubble("lock", "--check", cwd=project).status == 0
    make_wheels(str(tmp_path / "private"), [("homemade", "7.0", ()), ("handmade", "8.0", ())])
    add = ["-q", "--python", str(project / ".venv/bin/python"), "homemade", "handmade"]
    private = {**env, "UV_FIND_LINKS": str(tmp_path / "private")}
    subprocess.run([real_uv(), "pip", "install", *add], env=private, check=True)
    before = (project / "pylock.toml").read_bytes()
    done = bubble("lock", "--from", ".venv", cwd=project)
    assert done.status == 1
    assert "handmade==8.0, homemade==7.0" in done.err
    assert (project / "pylock.toml").read_bytes() == before


def test_a_lock_is_installed_to_the_same_set_by_uv_and_by_pip(
    bubble: Bubble, project: Path, env: dict[str, str], tmp_path: Path
) -> None:
    locked(bubble, project)
    lock = str(project / "pylock.toml")
    assert bubble("python", "install", "3.12").status == 0
    sets = []
    for installer in ("uv", "pip"):
        done = bubble("create", installer, "-p", "3.12", "-r", lock, "--installer", installer)
        assert done.status == 0, done.err
        sets.append(bubble("export", installer).out.split())
    assert sets == [["alpha==1.0", "beta==1.1"]] * 2
    target = f"{env['BUBBLE_HOME']}/envs/uv"
    synced = subprocess.run(
        [real_uv(), "pip", "sync", "-q", "--python", f"{target}/bin/python", lock],
        env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert synced.returncode == 0, synced.stderr
    assert bubble("create", "native", "-p", "3.12").status == 0
    python = f"{env['BUBBLE_HOME']}/envs/native/bin/python"
    own_pip(str(tmp_path))
    links = ("--no-index", "--find-links", str(tmp_path), "--disable-pip-version-check")
    pip = [python, "-m", "pip", "install", "-q"]
    subprocess.run([*pip, *links, "--upgrade", "pip"], env=env, check=True)
    said = subprocess.run([*pip, "--help"], env=env, capture_output=True, text=True, check=True)
    if "pylock.toml" not in said.stdout:
        not_here("the tests' own pip doesn't install from locks")
    subprocess.run([*pip, "-r", lock], env={**env, "PIP_NO_INDEX": "1"}, check=True)
    assert bubble("export", "native").out.split() == sets[0]


def test_uvs_own_answers_are_the_same(
    bubble: Bubble, project: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """The small form, without a network, of what `tests/real` asks of public projects."""
    env["BUBBLE_CATALOG"] = doubles(str(tmp_path / "this"), f"{MINOR}.9")
    wanted = ["alpha>=1", "gamma; python_version > '3.9'", "winonly; sys_platform == 'linux'"]
    wanted += ["beta<1.1; python_version < '3.10'"]
    manifest(project, f"dependencies = {json.dumps(wanted)}", python=MINOR)
    locked(bubble, project)
    ours = by_lock(f"{project}/pylock.toml", MINOR)
    assert ours == {("alpha", "2.0"), ("beta", "1.1"), ("gamma", "0.1"), ("winonly", "3.0")}
    del env["UV_NO_INDEX"]  # which `uv lock` takes for "no registry at all"
    assert ours == by_uv_lock(wanted, MINOR, env, str(tmp_path / "locked"))
    assert ours == by_uv_compile(wanted, MINOR, env, str(tmp_path / "compiled"))


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_pip_is_configured_to_decides_whichever_resolves(
    bubble: Bubble, project: Path, env: dict[str, str], tmp_path: Path, installer: str
) -> None:
    """The company's package, not the public one of the same name."""
    for name in [n for n in env if n.startswith(("PIP_", "UV_")) and n != "UV_CACHE_DIR"]:
        del env[name]
    company = make_wheels(str(tmp_path / "company"), [("alpha", "1.5", ())])
    own_pip(company)
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nno-index = true\nfind-links = {company}\ntarget = /nowhere\n")
    env["PIP_CONFIG_FILE"] = str(config)
    assert bubble("python", "install", "3.12").status == 0
    locked(bubble, project, "--installer", installer)
    assert versions(f"{project}/pylock.toml") == {"alpha": "1.5"}
    env["BUBBLE_OFFLINE"] = "1"
    assert locked(bubble, project, "--installer", installer).err.splitlines()[-1].startswith(
        "unchanged "
    )  # fmt: skip

"""Where a project's environments lie: what is there is never lost, never trusted, never half."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from bubble.selection.identity import is_itself
from bubble.selection.registry import environments
from support.environments import files
from support.needs import ROOT_ONLY
from support.projects import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bubble.system.layout import Layout
    from conftest import Result


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    return Site(bubble, str(tmp_path))


def lasting(site: Site) -> dict[str, tuple[object, ...]]:
    """Return all that is there, but for what the store keeps for itself and can do without."""
    own = ("bubble/locks/", "bubble/shortcuts/", "bubble/synced/now.", "cache/", "home/.cache/")
    return {p: what for p, what in files(site.directory).items() if not p.startswith(own)}


def fill(path: str) -> None:
    os.makedirs(f"{path}/deep")
    with open(f"{path}/deep/work", "w", encoding="ascii") as file:
        file.write("of a year\n")


def strangers_environment(site: Site, path: str) -> None:
    """Put an environment there that says to be one of bubble's, as a repository can bring it."""
    fill(path)
    shutil.copytree(f"{site.root}/.venvs/other", path, dirs_exist_ok=True, symlinks=True)
    with open(f"{path}/.bubble-environment", "w", encoding="ascii") as file:
        file.write("0" * 32 + "\n")


def foreign(site: Site, path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    done = site.bubble("python", "find", site.version)
    subprocess.run([done.out.strip(), "-m", "venv", "--without-pip", path], check=True, timeout=120)


def precious(site: Site, path: str) -> None:
    fill(f"{site.directory}/precious")
    os.symlink(f"{site.directory}/precious", path)


IN_THE_WAY: dict[str, Callable[[Site, str], object]] = {
    "a directory with somebody's work": lambda _, path: fill(path),
    "a file": lambda site, path: site.write(os.path.relpath(path, site.root), "work\n"),
    "a link to somebody's work": precious,
    "a link to nothing": lambda _, path: os.symlink("nowhere", path),
    "another tool's environment": foreign,
    "what says to be one of bubble's": strangers_environment,
}


@pytest.mark.parametrize("what", IN_THE_WAY)
@pytest.mark.parametrize("place", [".venv", ".venvs/train"])
def test_what_sync_did_not_make_is_refused_and_stays(site: Site, what: str, place: str) -> None:
    site.edit("[bubbles.train]", "[bubbles.other]\n\n[bubbles.train]")
    site.ok("sync", "other")
    IN_THE_WAY[what](site, f"{site.root}/{place}")
    name = "train" if place.endswith("train") else "default"
    site.ok("lock", name)
    before = lasting(site)
    done = site.call("sync", name)
    assert done.status == 1, done
    assert "bubble sync" in done.err
    assert lasting(site) == before
    os.rename(f"{site.root}/{place}", f"{site.root}/aside")
    site.ok("sync", name)  # as the hint says
    assert site.states()[name] == "in sync"


def test_what_create_made_is_kept_as_the_one_before(site: Site) -> None:
    site.ok("python", "install", site.version)
    site.ok("create", "-p", site.version, "--with", "gamma")
    done = site.ok("sync")
    assert "gamma 1.0" in done.err
    assert site.has() == {"alpha": "1.0", "beta": "1.0"}
    site.ok("rollback")
    assert site.has() == {"gamma": "1.0"}
    site.ok("rollback")
    assert site.has() == {"alpha": "1.0", "beta": "1.0"}


@pytest.mark.parametrize("directory", [".venvs", ".venvs/.previous"])
def test_places_that_are_links_lead_nobody_elsewhere(site: Site, directory: str) -> None:
    """A repository brings links where sync is to write, and to throw away."""
    site.ok("sync")
    precious = f"{site.directory}/precious"
    for name in ("default", ".previous/default", "train"):
        fill(f"{precious}/{name}")
    shutil.rmtree(f"{site.root}/.venvs", ignore_errors=True)
    os.makedirs(os.path.dirname(f"{site.root}/{directory}"), exist_ok=True)
    os.symlink(precious, f"{site.root}/{directory}")
    site.edit('"beta"', "")
    site.ok("lock", "--all")
    before = lasting(site)
    for name in ("default", "train") if directory == ".venvs" else ("default",):
        done = site.call("sync", name)
        assert done.status == 1, done
        assert "move it away" in done.err
        assert lasting(site) == before


def test_what_lies_where_the_one_before_is_kept_is_not_thrown_away(site: Site) -> None:
    site.ok("sync")
    fill(f"{site.root}/.venvs/.previous/default")
    site.edit('"beta"', "")
    site.ok("lock")
    before = lasting(site)
    done = site.call("sync")
    assert done.status == 1, done
    assert lasting(site) == before
    assert site.call("rollback").status == 1, "a stranger's is not brought back"
    assert lasting(site) == before


def test_only_the_very_environment_that_was_replaced_is_brought_back(
    site: Site, layout: Layout
) -> None:
    site.ok("sync")
    site.edit('"beta"', "")
    site.ok("sync")
    kept = f"{site.root}/.venvs/.previous/default"
    (known,) = [e for e in environments(layout) if e.path == kept]
    assert is_itself(known, layout)
    with open(f"{kept}/.bubble-environment", "w", encoding="ascii") as file:
        file.write("1" * 32 + "\n")
    before = files(site.root)
    done = site.call("rollback")
    assert done.status == 1, done
    assert "something else" in done.err
    assert files(site.root) == before


def test_a_moved_and_a_copied_project_get_environments_of_their_own(
    site: Site, layout: Layout
) -> None:
    site.ok("sync", "--all")
    copy = f"{site.directory}/copy"
    subprocess.run(["cp", "-a", site.root, copy], check=True, timeout=60)
    original = files(site.root)
    for directory in (copy, f"{site.directory}/moved"):
        if directory != copy:
            os.rename(copy, directory)
        done = site.bubble("sync", "--all", cwd=directory, env=site.env)
        assert done.status == 0, done
        for place in (".venv", ".venvs/train"):
            code = "import sys; print(sys.prefix)"
            said = subprocess.run(
                [f"{directory}/{place}/bin/python", "-c", code],
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            assert said.stdout.strip() == f"{directory}/{place}"
        assert os.readlink(f"{directory}/train/.venv") == "../.venvs/train"
        done = site.bubble("which", "python", cwd=f"{directory}/train", env=site.env)
        assert done.out.strip() == f"{directory}/.venvs/train/bin/python"
    assert files(site.root) == original
    assert site.states() == {"default": "in sync", "train": "in sync"}
    paths = [e.path for e in environments(layout) if is_itself(e, layout)]
    assert len({e.identity for e in environments(layout) if e.path in paths}) == len(paths)
    moved = f"{site.directory}/moved"
    done = site.bubble("rollback", cwd=moved, env=site.env)
    assert done.status == 0, done
    said = subprocess.run(
        [f"{moved}/.venv/bin/alpha"], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "alpha 1.0\n"
    with open(f"{moved}/.venv/bin/alpha", encoding="utf-8") as file:
        assert file.readline() == f"#!{moved}/.venv/bin/python\n"


@ROOT_ONLY
def test_what_is_mounted_in_an_environment_is_not_thrown_away(site: Site) -> None:
    site.ok("sync")
    site.edit('"beta"', "")
    site.ok("sync")
    site.edit('"alpha", ', '"alpha", "gamma"')
    site.ok("lock")
    kept = f"{site.root}/.venvs/.previous/default/mounted"
    os.mkdir(kept)
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", kept], check=False).returncode:
        pytest.skip("not here: mounts")
    try:
        before = files(site.root)
        done = site.call("sync")
        assert done.status == 1, done
        assert "umount" in done.err
        assert files(site.root) == before
    finally:
        subprocess.run(["umount", kept], check=True)
    site.ok("sync")

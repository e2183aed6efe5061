"""`bubble sync`: environments are what their locks say, exactly, in one step."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.environments import files
from support.needs import LINUX_ONLY
from support.projects import Site
from support.wheels import wheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    return Site(bubble, str(tmp_path))


def identity(site: Site, place: str = ".venv") -> str:
    with open(f"{site.root}/{place}/.bubble-environment", encoding="ascii") as file:
        return file.read()


def test_a_sync_makes_the_lock_and_what_it_says(site: Site) -> None:
    assert site.states() == {"default": "no lock", "train": "no lock"}
    done = site.ok("sync", "--all", "--json")
    assert [one["status"] for one in done.json["data"]] == ["made", "made"]
    assert site.has() == {"alpha": "1.0", "beta": "1.0"}
    assert site.has(".venvs/train") == {"gamma": "1.0"}
    assert site.states() == {"default": "in sync", "train": "in sync"}
    assert site.call("sync", "--check").status == 0
    for name in ("pylock.toml", "pylock.train.toml"):
        with open(f"{site.root}/{name}", encoding="utf-8") as file:
            assert site.entry["sha256"] in file.read()
    assert os.readlink(f"{site.root}/train/.venv") == "../.venvs/train"
    with open(f"{site.root}/.venvs/.gitignore", encoding="ascii") as file:
        assert file.read() == "*\n"


def test_nothing_to_do_changes_nothing(site: Site) -> None:
    site.ok("sync", "--all")
    before = files(site.root), identity(site)
    for words in (
        ("sync",),
        ("sync", "--all"),
        ("sync", "train", "--locked"),
        ("sync", "--frozen"),
    ):
        done = site.ok(*words)
        assert "unchanged" in done.err
        assert "changed " not in done.err.replace("unchanged ", "")
    assert (files(site.root), identity(site)) == before


CHANGES: dict[str, Callable[[Site], object]] = {
    "a package of the lock is missing": lambda s: pip(s, "uninstall", "-qy", "beta"),
    "a package is there too many": lambda s: pip(s, "install", "-q", "--no-deps", "gamma"),
    "a package has another version": lambda s: pip(
        s, "install", "-q", "--no-deps", wheel(s.directory, "alpha", "0.5")
    ),
    "a package was installed again": lambda s: pip(
        s, "install", "-q", "--no-deps", "--force-reinstall", "alpha"
    ),
    "the interpreter's link is gone": lambda s: os.unlink(f"{s.root}/.venv/bin/python"),
    "its configuration was changed": lambda s: s.write(".venv/pyvenv.cfg", "home = /usr/bin\n"),
    "it is gone": lambda s: os.rename(f"{s.root}/.venv", f"{s.directory}/gone"),
}


def pip(site: Site, *words: str) -> None:
    done = subprocess.run(
        [f"{site.root}/.venv/bin/python", "-m", "pip", *words, "--disable-pip-version-check"],
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": site.wheels},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("what", CHANGES)
def test_what_others_did_to_an_environment_is_seen_told_and_made_good(
    site: Site, what: str
) -> None:
    site.ok("sync")
    CHANGES[what](site)
    state = site.call("status", "default", "--json").json["data"][0]
    assert state["state"] in {"drifted", "missing", "other interpreter"}, state
    assert state["mend"] == "bubble sync"
    done = site.ok("sync", "--locked", "--json")
    assert done.json["data"][0]["status"] in {"changed", "made"}
    assert done.json["data"][0]["why"] or done.json["data"][0]["status"] == "made"
    assert site.has() == {"alpha": "1.0", "beta": "1.0"}
    assert site.call("sync", "--check", "default").status == 0


def test_extras_are_kept_when_that_is_said_and_go_with_the_next_exact_one(site: Site) -> None:
    site.ok("sync")
    pip(site, "install", "-q", "--no-deps", "gamma")
    done = site.ok("sync", "--inexact", "--json")
    assert done.json["data"][0]["kept"] == ["gamma"]
    assert site.has() == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
    said = subprocess.run(
        [f"{site.root}/.venv/bin/gamma"], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "gamma 1.0\n"
    assert site.ok("sync", "--inexact", "--json").json["data"][0]["status"] == "unchanged"
    assert site.ok("sync", "--json").json["data"][0]["status"] == "changed"
    assert site.has() == {"alpha": "1.0", "beta": "1.0"}


def test_a_manifest_that_changed_is_locked_again_refused_or_passed_over(site: Site) -> None:
    site.ok("sync")
    wheel(site.wheels, "alpha", "2.0", script="alpha")
    assert site.states()["default"] == "in sync"  # what an index has by now is no change
    site.edit('["alpha", "beta"]', '["alpha>=2"]')
    assert site.states()["default"] == "stale lock"
    before = files(site.root)
    refused = site.call("sync", "--locked")
    assert refused.status == 1
    assert "bubble lock" in refused.err
    assert "unchanged" in site.ok("sync", "--frozen").err
    would = site.ok("sync", "--dry-run", "--json").json["data"][0]
    found = [(c["name"], c["before"], c["after"]) for c in would["changes"]]
    assert ("alpha", "1.0", "2.0") in found
    assert files(site.root) == before
    done = site.ok("sync")
    assert "alpha 1.0 → 2.0" in done.err
    assert site.has() == {"alpha": "2.0"}


@LINUX_ONLY
def test_what_runs_in_the_old_one_goes_on(site: Site) -> None:
    site.ok("sync")
    code = "import sys; print(1, flush=True); sys.stdin.readline(); import alpha; alpha.main()"
    with subprocess.Popen(
        [f"{site.root}/.venv/bin/python", "-c", code],
        cwd=f"{site.root}/.venv/lib",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        site.edit('["alpha", "beta"]', '["beta"]')
        site.ok("sync")
        assert site.has() == {"beta": "1.0"}
        # what it works in and holds open is the old one's still
        kept = f"{site.root}/.venvs/.previous/default/lib"
        assert os.path.samefile(f"/proc/{process.pid}/cwd", kept)
        process.communicate("\n", timeout=60)
    assert os.path.exists(f"{site.root}/.venvs/.previous/default/bin/alpha")


def test_a_lock_for_another_machine_is_refused_before_anything_changes(site: Site) -> None:
    other = site.key.replace(site.platform, "windows-x86_64-none")
    site.lock_by_hand("", "alpha-1.0", key=other)
    before = files(site.root)
    done = site.call("sync", "--frozen")
    assert done.status == 1
    assert "no interpreter for" in done.err
    assert files(site.root) == before


PACKAGES = '"$VIRTUAL_ENV"/lib/python*/site-packages'
INSTALLER_FAULTS = {
    "a file is cut": f"for f in {PACKAGES}/alpha/__init__.py; do rm $f; echo >$f; done",
    "a file is missing": f"rm {PACKAGES}/alpha/__init__.py",
    "a package is missing": f"rm -r {PACKAGES}/beta-1.0.dist-info {PACKAGES}/beta",
    "a package is there too many": f"cd {PACKAGES}; cp -r alpha-2.0.dist-info eve-1.dist-info; "
    "echo 'Name: eve\nVersion: 1\n' >eve-1.dist-info/METADATA",
    "a package is another version": f"cd {PACKAGES}; mv alpha-2.0.dist-info alpha-9.dist-info; "
    "rm alpha-9.dist-info/METADATA; "
    "printf 'Name: alpha\nVersion: 9\n' >alpha-9.dist-info/METADATA",
    "it fails at its end": "exit 3",
}


def meddle(site: Site, then: str) -> dict[str, str | None]:
    """Return variables for a uv that does something more after it has installed."""
    uv = f"{str(site.env['PATH']).partition(':')[0]}/uv"
    os.makedirs(f"{site.directory}/meddling", exist_ok=True)
    path = f"{site.directory}/meddling/uv"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\n"{uv}" "$@" || exit\n')
        file.write(f'case "$*" in *"pip install"*) {then};; esac\n')
    os.chmod(path, 0o755)
    return {"PATH": f"{site.directory}/meddling:{os.environ['PATH']}"}


@pytest.mark.parametrize("fault", INSTALLER_FAULTS)
def test_what_is_not_as_the_lock_and_the_records_say_takes_no_place(site: Site, fault: str) -> None:
    site.ok("sync")
    before = files(f"{site.root}/.venv")
    wheel(site.wheels, "alpha", "2.0", script="alpha", hashed=True)
    site.edit('"alpha"', '"alpha>1"')
    done = site.call("sync", env=meddle(site, INSTALLER_FAULTS[fault]))
    assert done.status == 1, done
    assert "hint: nothing was changed" in done.err
    assert files(f"{site.root}/.venv") == before
    assert not os.path.lexists(f"{site.root}/.venvs/.previous/default")
    site.ok("sync")
    assert site.has() == {"alpha": "2.0", "beta": "1.0"}


def test_pip_fills_an_environment_as_uv_does(bubble: Callable[..., Result], tmp_path: Path) -> None:
    site = Site(bubble, str(tmp_path), uv=False)
    site.lock_by_hand("", "alpha-1.0", "gamma-1.0")
    done = site.call("sync", "--frozen")
    assert done.status == 0, done
    assert site.has() == {"alpha": "1.0", "gamma": "1.0"}
    assert "unchanged" in site.ok("sync", "--frozen").err


def test_a_marker_decides_which_packages_are_this_machines(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    site = Site(bubble, str(tmp_path))
    path = site.lock_by_hand("", "alpha-1.0", "beta-1.0")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    marked = 'name = "beta"\nmarker = "sys_platform == \'win32\'"'
    site.write("pylock.toml", text.replace('name = "beta"', marked))
    site.ok("sync", "--frozen")
    assert site.has() == {"alpha": "1.0"}


def test_two_syncs_at_once_make_one_environment(site: Site) -> None:
    site.ok("lock", "--all")
    program = os.path.join(os.path.dirname(sys.executable), "bubble")
    env = {**os.environ, **{k: v for k, v in site.env.items() if v is not None}}
    processes = [
        subprocess.Popen(
            [program, "sync"],
            cwd=site.root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert sum("made " in text for text in said) == 1, said
    assert not os.path.lexists(f"{site.root}/.venvs/.previous/default")
    assert site.has() == {"alpha": "1.0", "beta": "1.0"}


def test_a_lock_that_changes_while_packages_are_installed_changes_nothing(site: Site) -> None:
    site.ok("sync")
    before = files(f"{site.root}/.venv")
    site.ok("lock")
    wheel(site.wheels, "alpha", "2.0")
    site.edit('"alpha"', '"alpha>1"')
    site.ok("lock")
    done = site.call("sync", env=meddle(site, f"echo '# later' >>{site.root}/pylock.toml"))
    assert done.status == 1, done
    assert "changed meanwhile" in done.err
    assert files(f"{site.root}/.venv") == before
    site.ok("sync")
    assert site.has()["alpha"] == "2.0"

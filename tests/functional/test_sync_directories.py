"""`directories = ["train"]`: shims, hooks and commands there use that bubble; links say so."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from support.needs import which
from support.projects import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result


@pytest.fixture
def site(bubble: Callable[..., Result], tmp_path: Path) -> Site:
    return Site(bubble, str(tmp_path))


def python_of(directory: str, shell: str = "sh") -> str:
    """Return what `python` is below the shims in an absolute directory, as a shell runs it."""
    env = {**os.environ, "PATH": f"{os.environ['BUBBLE_HOME']}/shims:{os.environ['PATH']}"}
    code = 'cd "$1" && python -c "import sys; print(sys.prefix)"'
    words = [shell, "-c", code, "sh", directory]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or done.stderr


def test_every_way_to_a_directory_gives_its_bubble(site: Site) -> None:
    os.makedirs(f"{site.root}/train/deep/er")
    os.symlink(site.root, f"{site.directory}/alias")
    os.symlink(f"{site.root}/train/deep", f"{site.directory}/down")
    site.ok("sync", "--all")
    train, own = f"{site.root}/.venvs/train", f"{site.root}/.venv"
    ways = {
        f"{site.root}/train": train,
        f"{site.root}/train/deep/er": train,
        f"{site.directory}/alias/train": train,
        f"{site.directory}/alias/train/deep": train,
        site.root: own,
        f"{site.directory}/alias": own,
    }
    shells = [s for s in ("dash", "bash", "zsh", "ksh", "busybox") if which(s)]
    for shell in [s for s in shells if s != "busybox"] or ["sh"]:
        for directory, expected in ways.items():
            for _ in range(2):  # by the resolver, then by the memo
                assert python_of(directory, shell) == expected, (shell, directory)
    for directory, expected in ways.items():
        done = site.bubble("which", "python", cwd=directory, env={**site.env, "PWD": directory})
        assert done.out.strip() == f"{expected}/bin/python"
        done = site.bubble("current", cwd=directory, env={**site.env, "PWD": directory})
        assert expected in done.out
    done = site.call("explain", cwd="train")
    assert done.status == 0, done
    assert train in done.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_prompt_and_hook_follow_a_sync_as_a_creation(site: Site, shell: str) -> None:
    if not which(shell):
        pytest.skip(f"needs {shell} (apt install {shell})")
    site.ok("sync", "--all")
    done = site.bubble("init", shell, "--hook", env=site.env)
    assert done.status == 0, done
    init = site.write("../init", done.out)
    code = f'. "{init}"; cd "{site.root}"; echo "1 $VIRTUAL_ENV"; cd train; echo "2 $VIRTUAL_ENV"'
    if shell == "fish":
        code = code.replace(". ", "source ", 1)
    said = subprocess.run(
        [shell, "-i", "-c", code] if shell != "bash" else ["bash", "--norc", "-c", code],
        env={**os.environ, "PATH": f"{os.environ['BUBBLE_HOME']}/shims:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said


def test_links_come_and_go_with_the_manifest(site: Site) -> None:
    site.ok("sync", "--all")
    site.edit('directories = ["train"]', 'directories = ["fit"]')
    assert site.call("sync", "train").status == 1, "it isn't there"
    os.mkdir(f"{site.root}/fit")
    assert site.states()["train"] in {"not linked", "stale lock"}
    site.ok("sync", "train")
    assert not os.path.lexists(f"{site.root}/train/.venv")
    assert os.path.samefile(f"{site.root}/fit/.venv", f"{site.root}/.venvs/train")
    site.edit('directories = ["fit"]', "")
    site.ok("sync", "train")
    assert not os.path.lexists(f"{site.root}/fit/.venv")
    site.edit('dependencies = ["gamma"]', 'dependencies = ["gamma"]\ndirectories = ["fit"]')
    site.ok("sync", "train")
    os.unlink(f"{site.root}/fit/.venv")
    assert site.states()["train"] == "not linked"
    done = site.ok("sync", "train")
    assert "changed" in done.err
    assert os.path.islink(f"{site.root}/fit/.venv")
    site.ok("remove", ".venvs/train")
    assert not os.path.lexists(f"{site.root}/fit/.venv")


def test_a_directory_may_go_to_another_bubble(site: Site) -> None:
    site.ok("sync", "--all")
    site.edit(
        'dependencies = ["alpha", "beta"]', 'dependencies = ["alpha"]\ndirectories = ["train"]'
    )
    site.edit('dependencies = ["gamma"]\ndirectories = ["train"]', 'dependencies = ["gamma"]')
    site.ok("sync", "--all")
    assert os.readlink(f"{site.root}/train/.venv") == "../.venv"
    assert site.states() == {"default": "in sync", "train": "in sync"}


IN_THE_WAY: dict[str, Callable[[str], object]] = {
    "a directory": os.mkdir,
    "a file": lambda path: open(path, "w", encoding="ascii").close(),
    "another link": lambda path: os.symlink("..", path),
    "a link out of the project": lambda path: os.symlink("/usr", path),
}


@pytest.mark.parametrize("what", IN_THE_WAY)
def test_what_is_in_a_links_way_is_told_before_anything_changes(site: Site, what: str) -> None:
    IN_THE_WAY[what](f"{site.root}/train/.venv")
    site.ok("lock", "train")
    done = site.call("sync", "train")
    assert done.status == 1, done
    assert "move it away" in done.err
    assert os.path.lexists(f"{site.root}/train/.venv")
    assert not os.path.lexists(f"{site.root}/.venvs/train")


def test_a_link_that_bubble_did_not_make_is_used_and_never_taken_away(site: Site) -> None:
    os.symlink("../.venvs/train", f"{site.root}/train/.venv")  # in a repository
    site.ok("sync", "train")
    site.edit('directories = ["train"]', "")
    site.ok("sync", "train")
    site.ok("remove", ".venvs/train")
    assert os.readlink(f"{site.root}/train/.venv") == "../.venvs/train"


def test_a_directory_through_a_link_is_refused(site: Site) -> None:
    shutil.rmtree(f"{site.root}/train")
    os.mkdir(f"{site.directory}/elsewhere")
    os.symlink(f"{site.directory}/elsewhere", f"{site.root}/train")
    done = site.call("sync", "train")
    assert done.status == 1, done
    assert not os.listdir(f"{site.directory}/elsewhere")


def test_a_version_file_that_asks_for_another_python_is_an_error_before_anything_changes(
    site: Site,
) -> None:
    site.write("train/.python-version", "3.8\n")
    done = site.call("sync", "train")
    assert done.status == 1, done
    assert f"{site.root}/train/.python-version asks for “3.8”" in done.err
    assert not os.path.lexists(f"{site.root}/.venvs/train")
    site.write("train/.python-version", f"{site.version}\n")
    site.ok("sync", "train")
    assert site.has(".venvs/train") == {"gamma": "1.0"}


def test_git_is_told_of_where_it_would_show_a_link(site: Site) -> None:
    os.mkdir(f"{site.root}/.git")
    assert "put .venv into .gitignore" in site.ok("sync", "train").err
    site.write(".gitignore", ".venv\n")
    os.unlink(f"{site.root}/train/.venv")
    assert "gitignore" not in site.ok("sync", "train").err

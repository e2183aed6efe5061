"""`bubble clone`: the same packages in a place of its own, whatever becomes of the original."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess

import pytest

from support.environments import files, install, names_in, prefix_of, says, with_tool
from support.needs import needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from support.environments import Bubble


@pytest.fixture
def train(bubble: Bubble, tmp_path: Path) -> str:
    return with_tool(bubble, tmp_path, "train")


def clone(bubble: Bubble, source: str, target: str, cwd: str | None = None) -> str:
    done = bubble("clone", source, target, "--json", **({"cwd": cwd} if cwd else {}))
    assert done.status == 0, done.err
    return str(done.json["data"]["path"])


def test_a_clone_works_when_the_original_is_deleted(bubble: Bubble, train: str) -> None:
    path = clone(bubble, "train", "other")
    assert bubble("remove", "train").status == 0
    assert not os.path.lexists(train)
    assert says(path, "tool") == "tool 1.0"
    assert prefix_of(path) == path
    assert path in bubble("run", "other", "pip", "--version").out
    assert names_in(path, train) == []


def test_changing_one_leaves_the_other_as_it_was(
    bubble: Bubble, train: str, tmp_path: Path
) -> None:
    path = clone(bubble, "train", "other")
    before = files(train)
    install(bubble, path, tmp_path, "tool", "2.0")
    assert says(path, "tool") == "tool 2.0"
    assert bubble("run", "other", "pip", "uninstall", "-y", "tool").status == 0
    assert files(train) == before
    assert says(train, "tool") == "tool 1.0"


def test_no_file_of_a_clone_that_is_written_to_is_a_file_of_its_original(
    bubble: Bubble, train: str
) -> None:
    done = bubble("clone", "train", "other", "--json")
    counted = done.json["data"]["files"]
    path = done.json["data"]["path"]
    assert path != train
    found = 0
    for directory, _, names in os.walk(path):
        for name in names:
            full = f"{directory}/{name}"
            if not os.path.islink(full):
                found += 1
                info = os.stat(full)
                assert info.st_nlink == 1 or not info.st_mode & 0o222, full
    assert counted["cloned"] + counted["copied"] + counted["linked"] == found


def test_a_certificate_that_is_added_to_a_clone_is_in_no_other(bubble: Bubble, train: str) -> None:
    path = clone(bubble, "train", "other")
    [bundle] = glob.glob(f"{train}/lib/*/site-packages/pip/_vendor/certifi/cacert.pem")
    with open(bundle, "rb") as file:
        before = file.read()
    with open(bundle.replace(train, path), "ab") as file:
        file.write(b"corp\n")
    with open(bundle, "rb") as file:
        assert file.read() == before


def test_an_editable_install_still_points_at_its_project(
    bubble: Bubble, train: str, tmp_path: Path
) -> None:
    project = tmp_path / "mine"
    project.mkdir()
    (project / "mine.py").write_text("def main():\n    print('mine')\n")
    packages = next(n for n in os.listdir(f"{train}/lib") if n.startswith("python"))
    with open(f"{train}/lib/{packages}/site-packages/__editable__.mine.pth", "w") as file:
        file.write(f"{project}\n{train}/src/inside\n")
    path = clone(bubble, "train", "other")
    with open(f"{path}/lib/{packages}/site-packages/__editable__.mine.pth") as file:
        assert file.read() == f"{project}\n{path}/src/inside\n"
    done = subprocess.run(
        [f"{path}/bin/python", "-c", "import mine; mine.main()"], capture_output=True, check=True
    )
    assert done.stdout == b"mine\n"


# a space, quotes of every kind, what shells expand, another script
HARD = ("a b", "it's", 'dou"ble', "do$lar `x`", "ünïcødé", "l" * 120)


@pytest.mark.parametrize("name", HARD)
def test_a_clone_works_in_any_directory(
    bubble: Bubble, train: str, tmp_path: Path, name: str
) -> None:
    directory = tmp_path / name
    directory.mkdir()
    path = clone(bubble, train, f"{directory}/.venv")
    assert path == f"{directory}/.venv"
    assert says(path, "tool") == "tool 1.0"
    assert prefix_of(path) == path
    script = '. ./.venv/bin/activate; printf "%s\\n%s\\n" "$VIRTUAL_ENV" "$(command -v tool)"'
    for shell in ("dash", "bash", "zsh"):
        if shutil.which(shell):
            done = subprocess.run(
                [shell, "-c", script], cwd=directory, capture_output=True, check=True
            )
            assert done.stdout.decode() == f"{path}\n{path}/bin/tool\n", shell
    assert (
        os.path.realpath(bubble("which", "tool", cwd=directory).out.strip()) == f"{path}/bin/tool"
    )


@needs("fish")
@pytest.mark.parametrize("name", HARD[:4])
def test_a_clone_is_activated_by_fish(
    bubble: Bubble, train: str, tmp_path: Path, name: str
) -> None:
    directory = tmp_path / name
    directory.mkdir()
    path = clone(bubble, train, f"{directory}/.venv")
    done = subprocess.run(
        ["fish", "--no-config", "-c", "source .venv/bin/activate.fish; echo $VIRTUAL_ENV"],
        cwd=directory,
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == f"{path}\n"


def test_a_clone_of_a_clone_in_a_hard_place_comes_back_clean(
    bubble: Bubble, train: str, tmp_path: Path
) -> None:
    hard = tmp_path / "it's $hard"
    hard.mkdir()
    first = clone(bubble, "train", f"{hard}/.venv")
    second = clone(bubble, first, "again")
    assert names_in(second, "$hard") == []
    assert names_in(second, f"{train}/") == []
    assert says(second, "tool") == "tool 1.0"
    with open(f"{second}/bin/tool") as file:
        assert file.readline() == f"#!{second}/bin/python\n"


def test_a_clone_shows_its_own_name(bubble: Bubble, train: str) -> None:
    path = clone(bubble, "train", "other")
    done = subprocess.run(
        ["sh", "-c", f". {path}/bin/activate; echo $VIRTUAL_ENV_PROMPT; echo $PS1"],
        capture_output=True,
        check=True,
        env={"PS1": "$ ", "PATH": "/bin:/usr/bin"},
    )
    assert b"other" in done.stdout
    assert os.path.basename(train).encode() not in done.stdout


@pytest.mark.parametrize("target", ["../x", "-rf", ".", "3.12", "system", "pypy3.10", "a" * 65])
def test_a_bad_target_changes_nothing(
    bubble: Bubble, train: str, target: str, tmp_path: Path, home: str
) -> None:
    inside = tmp_path / "empty" / "cwd"
    inside.mkdir(parents=True)
    if target == "../x":
        (tmp_path / "empty" / "x").mkdir()
    before = sorted(os.listdir(f"{home}/envs")), sorted(os.listdir(f"{home}/registry"))
    done = bubble("clone", "train", "--", target, cwd=str(inside))
    assert done.status != 0
    assert "hint" in done.err
    assert before == (sorted(os.listdir(f"{home}/envs")), sorted(os.listdir(f"{home}/registry")))
    assert os.path.isdir(train)


def test_a_taken_name_is_refused(bubble: Bubble, train: str) -> None:
    clone(bubble, "train", "other")
    before = files(train)
    done = bubble("clone", "other", "train")
    assert done.status == 1
    assert "train is there already" in done.err
    assert files(train) == before


def test_a_broken_environment_is_not_cloned(bubble: Bubble, train: str) -> None:
    os.unlink(f"{train}/bin/python")
    done = bubble("clone", "train", "other")
    assert done.status == 1
    assert "bubble repair train" in done.err

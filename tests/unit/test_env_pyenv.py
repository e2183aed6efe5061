"""What lies oddly below pyenv's root, and what its owner's start-up files say of it."""

from __future__ import annotations

import os

import pytest

from bubble.envs.exchange.pyenv import Item, take_over
from bubble.envs.exchange.pyenv_lines import setup_lines
from bubble.model.errors import BubbleError
from support.handmade import machine, write
from support.needs import LINUX_ONLY
from support.pyenv_tree import PyenvTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from bubble.system.layout import Layout


def taken(layout: Layout, root: object, *, dry_run: bool = False) -> dict[str, Item]:
    """Return name → what became of it."""
    found = take_over(str(root), machine(layout), dry_run=dry_run)
    return {f"{item.kind} {item.name}": item for item in found}


@LINUX_ONLY
def test_a_directory_that_can_not_be_listed_is_said_and_stops_nothing_else(
    layout: Layout, tmp_path: Path
) -> None:
    (tmp_path / "versions" / "3.1.4").mkdir(parents=True)
    (tmp_path / "versions" / "3.1.4" / "envs").symlink_to("envs")
    found = taken(layout, tmp_path)
    assert found["other 3.1.4/envs"].action == "left"
    assert f"{tmp_path}/versions/3.1.4/envs can't be listed: " in found["other 3.1.4/envs"].detail
    assert found["python 3.1.4"].detail == "there is no interpreter in it"


@LINUX_ONLY
def test_versions_that_can_not_be_listed_end_it(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "versions").symlink_to("versions")
    with pytest.raises(BubbleError, match=r"versions can't be listed: ") as caught:
        take_over(str(tmp_path), machine(layout))
    assert caught.value.kind == "permission"


def test_a_dry_run_sees_that_two_interpreters_would_be_the_same_one(
    layout: Layout, tmp_path: Path
) -> None:
    tree = PyenvTree(f"{tmp_path}/pyenv")
    first = tree.python()
    other = f"{tree.versions}/zzz"  # of the same version, with a prefix of its own
    script = f'exec {tree.prefix}/bin/python3 "$@" | sed "s|{tree.prefix}|{other}|g"'
    tree.write("versions/zzz/bin/python3", f"#!/bin/sh\n{script}\n")
    os.chmod(f"{other}/bin/python3", 0o755)
    told = taken(layout, tree.root, dry_run=True)
    assert told["python zzz"].action == "left"
    assert told["python zzz"].detail == f"cpython-{tree.version} is that of {first}"
    assert not os.path.exists(layout.pythons)
    done = taken(layout, tree.root)
    assert {name: item.action for name, item in done.items()} == {
        name: item.action for name, item in told.items()
    }


def test_lines_are_looked_for_in_a_home_and_in_fishs_own_files_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fish = f"{tmp_path}/.config/fish/conf.d"
    path = write(f"{fish}/own.fish", "# pyenv\n  pyenv init - | source\n")
    write(f"{fish}/own.fish.bak", "pyenv init - | source\n")
    (line,) = setup_lines({"HOME": str(tmp_path)})
    assert (line.path, line.number, line.text) == (path, 2, "pyenv init - | source")
    monkeypatch.chdir(tmp_path)
    assert setup_lines({"HOME": "."}) == setup_lines({}) == ()

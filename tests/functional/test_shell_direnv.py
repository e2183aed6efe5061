"""Beside direnv: each takes back what it put there, and nothing of what the other did."""

from __future__ import annotations

import os
import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.needs import FULL, needs
from support.sessions import EACH, Session, source
from support.shells import Home
from support.shimworld import write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs("direnv")
ORDERS = pytest.mark.parametrize("order", ["direnv first", "bubble first"])
# what `layout python` asks of a Python, which may then be any
_PYTHON = """#!/bin/sh
case $1 in
    -c) echo 3.11 venv ;;
    *) mkdir -p "$3/bin" ;;
esac
"""
ENVRCS = {
    "layout": "layout python @python@\n",
    "activate": ". .venv/bin/activate\n",
    "path": "PATH_add bin\nexport VALUE=1\n",
}
_ACTIVATE = """
deactivate () {
    unset VIRTUAL_ENV
}
deactivate nondestructive
VIRTUAL_ENV=@path@
export VIRTUAL_ENV
_OLD_VIRTUAL_PATH="$PATH"
PATH="$VIRTUAL_ENV/bin:$PATH"
export PATH
"""


class Desk:
    """Two projects of bubble's, directories with an .envrc, and a shell with both hooks."""

    def __init__(self, root: str, env: dict[str, str]) -> None:
        self.home = Home(root, "home")
        self.env = env
        self.one, self.first = self.home.project("one")
        self.two, self.second = self.home.project("two")
        write(f"{root}/python", _PYTHON, 0o755)

    def envrc(self, directory: str, kind: str) -> str:
        """Write an .envrc that direnv is allowed to load; return what it makes active."""
        own = f"{directory}/.venv"
        text = ENVRCS[kind].replace("@python@", f"{self.home.root}/python")
        write(f"{directory}/.envrc", text)
        if kind == "activate":
            os.makedirs(f"{own}/bin", exist_ok=True)
            write(f"{own}/bin/activate", _ACTIVATE.replace("@path@", own))
        user = f"{self.home.root}/user"
        direnv = {"HOME": user, "XDG_DATA_HOME": f"{user}/.local/share"}
        subprocess.run(
            ["direnv", "allow", directory], env={**self.env, **direnv}, check=True, timeout=60
        )
        return {"layout": f"{directory}/.direnv/python-3.11", "activate": own, "path": ""}[kind]

    def shell(self, name: str, order: str, cwd: str = "", **more: str) -> Session:
        if name == "fish":
            theirs = "direnv hook fish | source\n"
        else:
            theirs = f'eval "$(direnv hook {name})"\n'
        ours = source(self.home, name)
        rc = (theirs, ours) if order == "direnv first" else (ours, theirs)
        return Session(name, self.home.root, {**self.env, **more}, rc=rc, cwd=cwd)


@pytest.fixture
def desk(tmp_path: Path, env: dict[str, str]) -> Desk:
    return Desk(str(tmp_path / "w"), env)


@EACH
@ORDERS
@pytest.mark.parametrize("kind", ENVRCS)
def test_from_project_to_project_nothing_of_either_is_left(
    shell: str, order: str, kind: str, desk: Desk
) -> None:
    theirs = f"{desk.home.root}/theirs"
    os.makedirs(theirs)
    expected = desk.envrc(theirs, kind)
    with desk.shell(shell, order) as session:
        plain = session.path
        for _ in range(2):
            session.cd(desk.one)
            assert (session.active, session.path) == (desk.first, [f"{desk.first}/bin", *plain])
            session.cd(theirs)
            assert session.active == expected
            own = f"{expected or theirs}/bin"
            assert session.path == [own, *plain]
            session.cd(desk.two)
            assert (session.active, session.path) == (desk.second, [f"{desk.second}/bin", *plain])
            session.cd(theirs).cd("/")
            assert (session.active, session.path) == ("", plain)


@EACH
@ORDERS
@pytest.mark.parametrize("kind", ENVRCS)
def test_a_directory_may_have_both(shell: str, order: str, kind: str, desk: Desk) -> None:
    os.makedirs(f"{desk.one}/sub")
    os.makedirs(f"{desk.two}/sub")
    for directory in (desk.one, desk.two):
        desk.envrc(directory, kind)
    with desk.shell(shell, order) as session:
        plain = session.path
        for _ in range(2):
            for directory, prefix in ((desk.one, desk.first), (desk.two, desk.second)):
                session.cd(directory)
                other = desk.second if prefix == desk.first else desk.first
                assert f"{prefix}/bin" in session.path
                assert f"{other}/bin" not in session.path
                session.cd(f"{directory}/sub")
                assert f"{other}/bin" not in session.path
            session.cd("/")
            assert (session.active, session.path) == ("", plain)


@EACH
@ORDERS
@pytest.mark.parametrize("kind", ENVRCS)
def test_a_shell_that_starts_in_such_a_directory_leaves_what_it_inherited(
    shell: str, order: str, kind: str, desk: Desk
) -> None:
    theirs = f"{desk.home.root}/theirs"
    os.makedirs(theirs)
    desk.envrc(theirs, kind)
    inherited = {
        "VIRTUAL_ENV": desk.first,
        "_BUBBLE_HOOK": desk.first,
        "PATH": f"{desk.first}/bin:{desk.home.layout.shims}:{desk.env['PATH']}",
    }
    with desk.shell(shell, order, cwd=theirs, **inherited) as session:
        assert f"{desk.first}/bin" not in session.path
        session.cd("/")
        assert session.active == ""
        assert session.path == [desk.home.layout.shims, *desk.env["PATH"].split(":")]
        assert session.cd(desk.two).active == desk.second


@EACH
@ORDERS
def test_what_the_user_put_on_path_stays(shell: str, order: str, desk: Desk) -> None:
    theirs = f"{desk.home.root}/theirs"
    os.makedirs(theirs)
    desk.envrc(theirs, "path")
    typed = f"{desk.first}/bin"
    word = f"set -gx PATH {typed} $PATH" if shell == "fish" else f"PATH={typed}:$PATH"
    with desk.shell(shell, order) as session:
        session.cd(desk.one).cd("/").do(word)
        assert typed in session.cd(theirs).path
        assert typed in session.cd(desk.two).path
        assert typed in session.cd("/").path
        assert typed in session.cd(desk.one).cd("/").path


@pytest.mark.parametrize("kind", ENVRCS)
@pytest.mark.parametrize("bash", ["wrapped", "an array"])
def test_bashs_prompt_commands_may_be_an_array_or_be_run_by_an_editor(
    bash: str, kind: str, desk: Desk
) -> None:
    theirs = f"{desk.home.root}/theirs"
    os.makedirs(theirs)
    desk.envrc(theirs, kind)
    # VS Code's shell integration runs what it found, as it found it
    wrap = '__prompt() { eval "$original"; }\noriginal=$PROMPT_COMMAND\nPROMPT_COMMAND=__prompt\n'
    array = "PROMPT_COMMAND=(true true)\n"
    rc = (
        array if bash == "an array" else "",
        source(desk.home, "bash"),
        'eval "$(direnv hook bash)"\n',
        wrap if bash == "wrapped" else "",
    )
    with Session("bash", desk.home.root, desk.env, rc=rc) as session:
        plain = session.path
        for _ in range(2):
            assert session.cd(desk.one).path == [f"{desk.first}/bin", *plain]
            assert f"{desk.first}/bin" not in session.cd(theirs).path
            assert session.cd(desk.two).path == [f"{desk.second}/bin", *plain]
            assert session.cd(theirs).cd("/").path == plain


@EACH
@ORDERS
@pytest.mark.parametrize("seed", range(20 if FULL else 1))
def test_on_a_walk_nothing_is_left_of_where_one_was(
    shell: str, order: str, seed: int, desk: Desk
) -> None:
    rng = random.Random(seed)
    # a directory → its own environment, and what its .envrc puts on PATH
    places = {"/": ("", ""), desk.one: (desk.first, ""), desk.two: (desk.second, "")}
    for kind in ENVRCS:
        directory = f"{desk.home.root}/only-{kind}"
        os.makedirs(directory)
        places[directory] = ("", desk.envrc(directory, kind) or directory)
        directory, prefix = desk.home.project(f"both-{kind}")
        places[directory] = (prefix, desk.envrc(directory, kind) or directory)
        os.makedirs(f"{directory}/sub")
        places[f"{directory}/sub"] = places[directory]
    with desk.shell(shell, order) as session:
        plain = session.path
        walk: list[str] = []
        for _ in range(40):
            walk.append(rng.choice(list(places)))
            own, theirs = places[walk[-1]]
            session.cd(walk[-1])
            extra = {entry for entry in session.path if entry not in plain}
            # where direnv finds one active, its layout takes that; else its own, and it stays
            assert extra <= {f"{one}/bin" for one in (own, theirs) if one}, walk
            assert extra or not (own or theirs), walk
            if not theirs:
                assert (session.active, session.path[bool(own) :]) == (own, plain), walk

"""What people type on the first day, with another tool's words in their fingers."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from support.builds import small_mirror

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

WORKS = ""
# a line → what the one line of advice says, or WORKS
TYPED = {
    # pyenv
    "versions": WORKS,
    "install 3.12": WORKS,
    "install -s 3.12": WORKS,
    "install --skip-existing 3.12": WORKS,
    "install -v 3.12": WORKS,
    "install -f 3.12": WORKS,
    "install -k 3.12": "leave it out",
    "install -l": "bubble python list --all-versions",
    "install --list": "bubble python list --all-versions",
    "install 3.12:latest": "the newest that there is: 3.12",
    "install 3.13-dev": "the newest that there is: 3.13",
    "uninstall 3.9": "bubble python list --installed",
    "uninstall -f 3.12": WORKS,
    "uninstall": "bubble python uninstall",
    "version": "bubble current",
    "version-name": "bubble current",
    "version-origin": "bubble current",
    "version-file": "bubble explain",
    "local 3.12": WORKS,
    "local": WORKS,
    "global 3.12": WORKS,
    "global": "bubble use 3.12",
    "rehash": WORKS,
    "which python": WORKS,
    "whence python": WORKS,
    "exec python -V": WORKS,
    "shell 3.12": "bubble init --install",
    "prefix 3.12": "bubble python find VERSION",
    "root": "bubble python dir",
    "shims": "bubble whence CMD",
    "commands": "bubble --help",
    "hooks": "bubble --help",
    "latest 3": "bubble python find VERSION",
    "latest -k 3": "bubble python find VERSION",
    "virtualenv 3.12 site": "bubble create NAME -p VERSION",
    "virtualenvs": "bubble list",
    "virtualenv-delete site": "bubble remove NAME",
    "virtualenv-init -": "bubble init --install --hook",
    "init --path": "bubble init --install",
    "init -": "bubble init",
    "completions bash": WORKS,
    "--version": WORKS,
    "--help": "usage: bubble",
    "help": "usage: bubble",
    # uv
    "python list": WORKS,
    "python install 3.12": WORKS,
    "python find": WORKS,
    "python dir": WORKS,
    "python pin 3.12": "bubble use VERSION",
    "python uninstall 3.9": "bubble python list --installed",
    "python upgrade": WORKS,
    "pin 3.12": "bubble use VERSION",
    "venv": "bubble create",
    "venv --python 3.12": "bubble create",
    "pip install requests": "bubble run .venv pip",
    "add requests": "bubble run .venv pip install PACKAGE",
    "install requests": "bubble run .venv pip install requests",
    "tool install ruff": "bubble create NAME PACKAGE",
    "tree": "bubble info .venv",
    "cache dir": WORKS,
    "cache clean": "bubble cache prune",
    "cache prune": WORKS,
    "self update": "pull",
    "self version": "bubble self info",
    "run python -V": "bubble list",
    # mise, asdf, rtx
    "ls": "bubble list",
    "ls-remote python": "bubble python list --available",
    "list-all python": "bubble python list --available",
    "current": WORKS,
    "use python@3.12": WORKS,
    "use --global 3.12": WORKS,
    "where python": "bubble python find VERSION",
    "trust": "bubble adopt DIR",
    "plugins": "bubble --help",
    "settings": "bubble doctor",
    "outdated": "bubble python list",
    "upgrade": "bubble python upgrade",
    "doctor": "mend",
    "prune": "bubble gc --dry-run",
    # conda
    "create -n site python=3.12": "bubble create NAME",
    "create --name site": "bubble create NAME",
    "create python=3.12": "bubble create -p 3.12",
    "create site python=3.12 numpy": "bubble create site -p 3.12 numpy",
    "env list": "bubble list",
    "env create -f environment.yml": "bubble import environment.yml",
    "env remove -n site": "bubble remove NAME",
    "env export": "bubble export",
    "info --envs": "bubble info --help",
    "activate base": "bubble init --install",
    "deactivate": "bubble init --install",
    "search numpy": "bubble python list --available",
    "clean --all": "bubble gc --dry-run",
    "config --show": "bubble doctor",
    "list": WORKS,
    "remove numpy": "bubble list",
    "update": "bubble python update",
    # virtualenvwrapper, pipenv, poetry
    "mkvirtualenv site": "bubble create NAME",
    "workon site": "bubble activate NAME",
    "lsvirtualenv": "bubble list",
    "rmvirtualenv site": "bubble remove NAME",
    "freeze": "bubble export",
    "show": "bubble info ENV",
    "delete site": "bubble remove ENV",
    "rm site": "bubble remove ENV",
    "cp a b": "bubble clone ENV NEW",
    "mv a b": "bubble rename NAME NEW",
    "switch 3.12": "bubble use VERSION",
    "mistyped": "bubble --help",
}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_mirror(str(tmp_path_factory.mktemp("mirror")), ["3.12.4", "3.13.1"])


def test_a_hundred_lines_are_tried() -> None:
    assert len(TYPED) >= 100


@pytest.mark.parametrize("line", TYPED)
def test_it_works_or_leads_right_in_one_line(
    line: str, bubble: Callable[..., Result], catalogue: str, tmp_path: Path
) -> None:
    env = {"BUBBLE_CATALOG": catalogue}
    assert bubble("python", "install", "3.12", env=env).status == 0
    with open(tmp_path / ".python-version", "w") as file:
        file.write("3.12\n")
    done = bubble(*shlex.split(line), env=env, cwd=str(tmp_path))
    said = TYPED[line]
    if said == WORKS:
        assert done.status == 0, done.err
        return
    if said.startswith("usage"):
        assert said in done.out + done.err
        return
    assert said in done.out + done.err, done.err
    assert len(re.findall("(?m)^  hint: ", done.err)) <= 1

"""Bad input in the first hour: one clear message each, and nothing has changed.

Of the installer, `bubble self`, `config`, `create`, `init`, `use` and the rest of the way in.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from bubble.cli.main import main
from support.builds import small_mirror
from support.environments import files
from support.told import one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

# a line, and words of its one message or hint
CASES = {
    # create
    "create 'a b'": "can't be an environment's name",
    "create ../up": "a project's own takes no name",
    "create venv": "this project's own takes no name: bubble create",
    "create 3.12": "bubble create -p 3.12",
    "create x -p 3.99": "no installed Python satisfies “3.99”",
    "create x -p 3.99 --install": "there is no 3.99",
    "create x -p nonsense": "an environment is made against an installed Python",
    "create x -p ''": "REQUEST is empty",
    "create x -p 3.12 python=3.11": "say it once: -p VERSION",
    "create x -p ./here python=3.12": "conda's -p is a place",
    "create numpy=1.26": "bubble create --with 'numpy==1.26.*'",
    "create x -r missing.txt": "missing.txt",
    "create x -r environment.yml": "bubble import environment.yml",
    "create x --installer conda": "invalid choice",
    "create x --no-such-option": "no option “--no-such-option”",
    # use, install
    "use 3.99": "bubble use 3.99 --install",
    "use /usr/bin/python3": "bubble python adopt /usr/bin/python3",
    "use --unset 3.12": "--unset takes no request",
    "use 3.x": "is no Python request",
    "use no-such-environment": "no Python version and no environment",
    "local": "say which Python to use",
    "global 3.99": "bubble use --global 3.99 --install",
    "install 3.99": "there is no 3.99",
    "install 3.12:latest": "the newest that there is: 3.12",
    # init
    "init tcsh": "is no shell that bubble knows",
    "init bash zsh": "one shell at a time",
    "init sh --hook": "leave out --hook",
    "init bash --install --uninstall": "not allowed with",
    # self
    "self update --to": "expected one argument",
    "self update --from /no/such/directory": "",
    "self uninstall --no-such-option": "no option “--no-such-option”",
    # config
    "config set": "the following arguments are required",
    "config set offline perhaps": "offline must be true or false",
    "config set http-retries many": "http-retries must be a whole number from 0 to 100",
    "config set http-timeout -- -1": "http-timeout must be a number of seconds",
    "config set home relative/path": "home must be an absolute path",
    "config set ofline true": "did you mean: offline",
    "config set python 3.12": "bubble use --global VERSION",
    "config set mirror a b": "mirror has one value, and there are 2",
    "config get nonsense": "“nonsense” is no setting",
    "config unset nonsense": "“nonsense” is no setting",
}
INSTALLER = {
    "--no-such-option": "there is no option --no-such-option",
    "--prefix": "--prefix takes a directory",
    "--offline": "--offline takes a directory",
    "--offline /no/such/directory": "there is no directory /no/such/directory",
    "--prefix 'a\nb'": "a path with a line break in it can't be used",
    "surplus": "there is no option surplus",
}


class Day:
    """A catalogue, and a store with 3.12 that nothing of this changes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.catalogue = small_mirror(str(root / "mirror"), ["3.12.4"])
        self.project = root / "project"
        self.project.mkdir()
        (self.project / "environment.yml").write_text("dependencies: [pandas]\n")

    def variables(self, env: dict[str, str]) -> dict[str, str]:
        """Return the variables with this store, everything of the user's below one directory."""
        return {
            **env,
            "HOME": str(self.root / "user"),
            "BUBBLE_CATALOG": self.catalogue,
            "BUBBLE_HOME": str(self.home),
            "PWD": str(self.project),
        }


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("day"))


@pytest.fixture
def variables(day: Day, env: dict[str, str], bubble: Callable[..., Result]) -> dict[str, str]:
    found = day.variables(env)
    if not day.home.exists():
        (day.root / "user").mkdir()
        assert bubble("python", "install", "3.12", env=found).status == 0
    return found


def kept(day: Day) -> dict[str, tuple[object, ...]]:
    """Return what lies there, without what is derived: memos, and the locks that stay."""
    derived = ("home/locks", "home/answers", "home/requests", "home/shims.seen", "home/staging")
    found = files(str(day.root))
    return {path: what for path, what in found.items() if not path.startswith(derived)}


def test_there_are_thirty_and_more() -> None:
    assert len(CASES) + len(INSTALLER) >= 30


@pytest.mark.parametrize("line", CASES)
def test_bad_input_is_one_clear_message_and_changes_nothing(
    line: str,
    variables: dict[str, str],
    day: Day,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(day.project)
    before = kept(day)
    status = main(shlex.split(line), variables)
    told = capsys.readouterr()
    assert kept(day) == before
    message, hint = one_error(told.err)
    assert status in {1, 2}
    assert told.out == ""
    assert CASES[line] in f"{message}; {hint}", told.err
    assert hint


@pytest.mark.parametrize("line", INSTALLER)
def test_the_installer_refuses_bad_input_and_changes_nothing(
    line: str, day: Day, variables: dict[str, str], tmp_path: Path
) -> None:
    template = os.path.join(os.path.dirname(__file__), "..", "..", "scripts", "install.sh")
    script = tmp_path / "install.sh"
    with open(template, encoding="utf-8") as file:
        script.write_text(file.read().replace("version=@version@", "version=1.0"))
    before = kept(day)
    done = subprocess.run(
        ["sh", script, *shlex.split(line)],
        env=variables,
        cwd=day.project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert kept(day) == before
    assert done.returncode != 0
    assert INSTALLER[line] in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2

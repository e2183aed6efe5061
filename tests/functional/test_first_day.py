"""What people type on the first day, with another tool's words in their fingers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from bubble.cli.main import main
from support.builds import small_mirror
from support.env_scene import small_pip
from support.first_day import TYPED, WORKS
from support.told import one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result

LED = [line for line, said in TYPED.items() if said != WORKS]


class Day:
    """A catalogue, and a store with 3.12, which nobody changes: whoever does takes a copy."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.catalogue = small_mirror(str(root / "mirror"), ["3.12.4", "3.13.1"])
        self.project = root / "project"
        self.project.mkdir()
        (self.project / ".python-version").write_text("3.12\n")

    def variables(self, env: dict[str, str]) -> dict[str, str]:
        return {**env, "BUBBLE_CATALOG": self.catalogue, "BUBBLE_HOME": str(self.home)}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("day"))


@pytest.fixture
def variables(day: Day, env: dict[str, str], bubble: Callable[..., Result]) -> dict[str, str]:
    found = day.variables(env)
    if not day.home.exists():
        done = bubble("python", "install", "3.12", env=found)
        assert done.status == 0
        bundled = (
            f"{done.out.strip().removesuffix('/bin/python')}/lib/python3.12/ensurepip/_bundled"
        )
        os.makedirs(bundled)
        small_pip(bundled)
    return found


def test_what_is_tried_is_of_every_tool() -> None:
    assert len(TYPED) >= 340


@pytest.mark.parametrize("line", [line for line, said in TYPED.items() if said == WORKS])
def test_it_works(
    line: str,
    variables: dict[str, str],
    day: Day,
    bubble: Callable[..., Result],
    tmp_path: Path,
) -> None:
    shutil.copytree(day.home, tmp_path / "bubble", symlinks=True)
    shutil.copytree(day.project, tmp_path / "project")
    env = {**variables, "BUBBLE_HOME": str(tmp_path / "bubble")}
    done = bubble(*shlex.split(line), env=env, cwd=tmp_path / "project")
    assert done.status == 0, done.err


@pytest.mark.parametrize("line", LED)
def test_it_leads_right_in_one_line(
    line: str,
    variables: dict[str, str],
    day: Day,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(day.project)
    status = main(shlex.split(line), {**variables, "PWD": str(day.project)})
    told = capsys.readouterr()
    said = TYPED[line]
    if said.startswith("usage"):
        assert said in told.out + told.err
        return
    if status:
        assert said in one_error(told.err)[1]
    else:
        assert said in told.out + told.err
    assert len(re.findall("(?m)^  hint: ", told.err)) <= 1

"""A system's store that isn't for everybody, and a user who has nothing yet but that store."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest

from support.everybodys import Place
from support.needs import NOT_ROOT
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result


@pytest.fixture
def place(tmp_path: Path, bubble: Callable[..., Result], env: dict[str, str]) -> Place:
    return Place(tmp_path, bubble, env)


CLOSED = (
    *(
        "list",
        "list --json",
        "python list --installed",
        "python find 3.12",
        "python find",
        "rehash",
    ),
    *("which python", "current", "explain", "exec python -V", "run lab labtool", "info lab"),
    *("export lab", "clone lab mine", "activate lab", "exec -p lab labtool", "gc --dry-run"),
    *("whence labtool", "create other -p 3.12 --no-pip", "doctor", "rehash"),
)


@NOT_ROOT
@pytest.mark.parametrize("what", ["", "/pythons", "/registry"])
def test_a_store_that_is_for_others_is_as_none_to_everybody_else(place: Place, what: str) -> None:
    here = place.directory("here", "lab")
    lines = [line for line in CLOSED if what != "/registry" or "lab" in line or line == "list"]
    alone = [place.run(*line.split(), cwd=here, BUBBLE_SYSTEM_HOME="none") for line in lines]
    shutil.rmtree(place.home, ignore_errors=True)
    os.chmod(f"{place.system}{what}", 0)
    try:
        closed = [place.run(*line.split(), cwd=here) for line in lines]
    finally:
        os.chmod(f"{place.system}{what}", 0o755)
        place.before = place.seen()
    for line, without, found in zip(lines, alone, closed, strict=True):
        if what != "/pythons":  # its environments are told of there, as closed
            assert (found.status, found.out) == (without.status, without.out), (line, found)
        assert "permission denied" not in found.err, line
    if not what:
        doctor = dict(zip(lines, closed, strict=True))["doctor"]
        assert f"{place.system}, is closed to you" in doctor.err, doctor


def test_a_user_who_has_nothing_yet_is_told_nothing_wrong_by_doctor(place: Place) -> None:
    found = json.loads(place.run("doctor", "--json").out)["data"]["findings"]
    assert {f["id"] for f in found} <= {"path.no-shims", "shims.outdated"}, found
    assert place.run("doctor").status == 0


@pytest.mark.parametrize(
    "line",
    [
        "create x -p 3.13",
        "python uninstall 3.12",
        "remove ghost",
        "create lab -p 3.12 --no-pip",
        "python install 3.99",
        "python verify 3.13",
        "python upgrade 3.13",
        "doctor",
        "create --help-me",
    ],
)
def test_what_is_proposed_to_an_administrator_is_for_the_systems_store(
    line: str, place: Place
) -> None:
    os.unlink(f"{place.system}/pythons/3.11")  # doctor proposes something, too
    done = place.run("--system", *line.split())
    told = place.run("--system", *line.split(), "--json")
    said = done.out + done.err + told.out
    commands = re.findall(r"(?<![/\w-])bubble (?!doctor runs|--help)[a-z-][^;\n\"]*", said)
    assert commands
    assert not [c for c in commands if not c.startswith("bubble --system")], said


def test_following_what_is_proposed_changes_the_systems_store_alone(place: Place) -> None:
    refused = place.run("--system", "create", "x", "-p", "3.13")
    _, hint = one_error(refused.err)
    words = hint.partition(";")[0].removeprefix("hint: ").split()
    assert words[:2] == ["bubble", "--system"], hint
    assert place.run(*words[1:]).status == 0
    assert place.run("--system", "create", "x", "-p", "3.13", "--no-pip").status == 0
    assert not os.path.exists(place.home)

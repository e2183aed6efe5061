"""Requests that can't be met: nothing is done by halves, and what is nearest is named."""

from __future__ import annotations

import os

import pytest

from support.builds import interpreters, small_mirror
from support.needs import not_here
from support.told import one_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Result


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path, env: dict[str, str]) -> str:
    """Make a mirror of small builds; every command of the test uses its catalogue."""
    path = small_mirror(str(tmp_path / "mirror"), ("3.9.25", "3.12.1", "3.15.2"))
    env["BUBBLE_CATALOG"] = path
    return path


def test_a_prefix_with_only_python3_is_found(bubble: Callable[..., Result], tmp_path: Path) -> None:
    program = tmp_path / "prefix" / "bin" / "python3"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = bubble("python", "find", str(tmp_path / "prefix"))
    assert (done.status, done.out) == (0, f"{program}\n")


def test_a_path_is_adopted_and_the_systems_python_is_chosen(bubble: Callable[..., Result]) -> None:
    message, hint = one_error(bubble("python", "install", "/usr/bin/python3").err)
    assert "is a path" in message
    assert hint.endswith("bubble python adopt /usr/bin/python3")
    message, hint = one_error(bubble("python", "install", "system").err)
    assert "belongs to the system" in message
    assert hint.endswith("bubble use system")


@pytest.mark.parametrize(
    ("asked", "nearest"), [("3.16", "3.15.2"), ("3.12.9", "3.12.1"), ("3.10", "3.9.25")]
)
def test_a_list_of_nothing_names_what_is_nearest(
    asked: str, nearest: str, bubble: Callable[..., Result]
) -> None:
    done = bubble("python", "list", asked)
    assert (done.status, done.out) == (0, "")
    assert nearest in done.err


def test_what_a_mirror_cannot_have_is_answered_with_what_it_can(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    done = bubble("mirror", "create", str(tmp_path / "my mirror"), "9.9")
    message, hint = one_error(done.err)
    assert "the nearest is 3.15.2" in message
    assert hint == f"bubble mirror create '{tmp_path}/my mirror' 3.15.2"


def test_nothing_is_removed_when_one_request_is_wrong(
    bubble: Callable[..., Result], home: str
) -> None:
    assert bubble("python", "install", "3.9", "3.12").status == 0
    done = bubble("python", "uninstall", "3.12", "3.99", "3.9")
    assert (done.status, done.out) == (1, "")
    assert "3.99" in one_error(done.err)[0]
    assert {"3.9", "3.12"} < set(os.listdir(f"{home}/pythons"))
    twice = bubble("python", "uninstall", "3.12", "3.12.1", "3.9")
    assert (twice.status, twice.err) == (0, "")
    assert len(twice.out.splitlines()) == 2


def test_an_empty_store_is_called_empty(bubble: Callable[..., Result]) -> None:
    message, hint = one_error(bubble("python", "find").err)
    assert "no Python is installed" in message
    assert "“3”" not in message
    assert hint.endswith("bubble python install 3.12")
    done = bubble("python", "upgrade")
    assert (done.status, done.out) == (0, "")
    assert "there is nothing to upgrade" in done.err


def test_a_python_2_is_called_what_it_is(bubble: Callable[..., Result], tmp_path: Path) -> None:
    program = tmp_path / "old" / "bin" / "python3"
    program.parent.mkdir(parents=True)
    # stands in for a Python 2: no -I, and the version that it tells
    program.write_text(
        '#!/bin/sh\n[ "$1" != -I ] || { echo Unknown option: -I >&2; exit 2; }\nexit 22\n'
    )
    program.chmod(0o755)
    done = bubble("mirror", "pack", str(tmp_path / "m"), str(program))
    message = one_error(done.err)[0]
    assert "is a Python 2, which can't be packed" in message


def test_a_real_python_2_is_called_what_it_is(
    bubble: Callable[..., Result], tmp_path: Path
) -> None:
    roots = {os.path.dirname(prefix) for _, prefix in interpreters()}
    found = [f"{root}/2.7.18/bin/python2.7" for root in roots]
    program = next((path for path in found if os.path.exists(path)), "")
    if not program:
        not_here("no Python 2.7 beside the other interpreters")
    done = bubble("mirror", "pack", str(tmp_path / "m"), program)
    assert "is a Python 2, which can't be packed" in one_error(done.err)[0]

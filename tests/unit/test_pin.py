"""A pin: which spelling is written, through which links, and who else would read it differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bubble.model.request import parse_request
from bubble.selection.pin import canonical, pin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("cpython-3.14.0rc2", "3.14.0rc2"),
        ("3.15.0a1t", "3.15.0a1t"),
        ("cpython@3.13+freethreaded", "3.13t"),
        ("3.13+debug", "3.13+debug"),
        ("pypy@3.10", "pypy3.10"),
    ],
)
def test_it_is_spelt_as_most_tools_do_and_means_the_same(text: str, written: str) -> None:
    request = parse_request(text)
    assert canonical(request) == written
    again = parse_request(written)
    assert (again.implementation, again.release, again.stage, again.serial, again.variant) == (
        (request.implementation, request.release, request.stage, request.serial, request.variant)
    )


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("3.12", ()),
        ("3.13+debug", ("pyenv and mise don't read “3.13+debug”",)),
        ("pypy3.10-7.3.16", ("uv doesn't read “pypy3.10-7.3.16”",)),
    ],
)
def test_what_another_tool_does_not_read_is_told(
    text: str, warnings: tuple[str, ...], tmp_path: Path
) -> None:
    assert pin(str(tmp_path / ".python-version"), [parse_request(text)]).warnings == warnings


def test_a_link_to_another_directorys_version_file_is_followed_whatever_that_names(
    tmp_path: Path,
) -> None:
    shared = tmp_path / "shared" / ".python-version"
    shared.parent.mkdir()
    shared.write_text("# ours\nan-environment\n")
    link = tmp_path / ".python-version"
    link.symlink_to(shared)
    assert pin(str(link), [parse_request("3.12")]).path == str(shared)
    assert shared.read_text() == "# ours\n3.12\n"
    assert link.is_symlink()

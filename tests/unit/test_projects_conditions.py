"""Which packages of a lock are for this machine: as packaging's own markers say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from bubble.model.errors import BubbleError
from bubble.projects import conditions
from bubble.projects.wanted import wanted

KEY = "cpython-3.12.4-linux-x86_64-gnu"
SYSTEMS = ("linux", "win32", "darwin", "posix", "nt", "", "Linux", "a.b c")


@given(
    st.sampled_from(["sys_platform", "os_name"]),
    st.sampled_from(["==", "!="]),
    st.sampled_from(SYSTEMS),
)
def test_a_marker_of_a_system_means_what_the_parser_of_all_says(
    name: str, operator: str, value: str
) -> None:
    marker = f"{name} {operator} '{value}'"
    assert conditions._simple(marker) == Marker(marker).evaluate()


@pytest.mark.parametrize(
    "marker",
    [
        "sys_platform == 'linux' and python_version < '3'",
        "sys_platform == 'li\\nux'",
        "'linux' == sys_platform",
        "sys_platform  == 'linux'",
        "(os_name == 'posix')",
        "os_name == 'posix' or os_name == 'nt'",
        "platform_machine == 'x86_64'",
        "sys_platform in 'linux'",
    ],
)
def test_other_markers_are_for_the_parser(marker: str) -> None:
    assert conditions._simple(marker) is None


def _lock(*markers: object) -> bytes:
    lines = ['lock-version = "1.0"']
    for number, marker in enumerate(markers):
        lines += ["[[packages]]", f'name = "p{number}"', 'version = "1"']
        lines += [] if marker is None else [f"marker = {marker}"]
    return "\n".join(lines).encode()


def test_of_a_lock_those_are_wanted_whose_marker_holds() -> None:
    data = _lock(
        None,
        "\"os_name == 'nt'\"",
        "\"python_version >= '3.12'\"",
        "\"python_full_version < '3.12.4'\"",
        "\"os_name != 'nt'\"",
    )
    assert set(wanted(data, "/pylock.toml", KEY)) == {"p0", "p2", "p4"}


@pytest.mark.parametrize("marker", ["'nonsense'", "7", "['x']", "\"what == 'x'\""])
def test_a_marker_that_is_none_is_an_error_of_the_lock(marker: Any) -> None:
    with pytest.raises(BubbleError, match=r"/pylock\.toml can't be read as a lock file") as caught:
        wanted(_lock(marker), "/pylock.toml", KEY)
    assert caught.value.kind == "lock"

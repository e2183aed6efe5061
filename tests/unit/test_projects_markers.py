"""Which markers can hold for one minor version of Python, and which always do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from bubble.projects.markers import always_holds, can_hold

TABLE = [
    # marker, can hold for 3.12, always holds for it
    ("python_version >= '3.12'", True, True),
    ("python_version == '3.12'", True, True),
    ("python_full_version == '3.12.*'", True, True),
    ("python_version < '3.12'", False, False),
    ("python_full_version >= '3.13'", False, False),
    ("python_full_version < '3.12.3'", True, False),
    ("python_full_version >= '3.12.3'", True, False),
    ("python_full_version == '3.12.7'", True, False),
    ("python_full_version != '3.12.7'", True, False),
    ("'3.12' == python_version", True, True),
    ("python_version in '3.11 3.12'", True, True),
    ("python_version not in '3.11,3.12'", False, False),
    ("sys_platform == 'win32'", True, False),
    ("sys_platform == 'win32' and python_version >= '3.13'", False, False),
    ("sys_platform == 'win32' or python_version >= '3.13'", True, False),
    ("sys_platform == 'win32' or python_version >= '3.12'", True, True),
    ("(os_name == 'nt' or platform_machine == 'a b') and python_version < '3.12'", False, False),
    ("sys_platform == 'python_version < 3'", True, False),
    ("platform_python_implementation != 'PyPy' and python_full_version < '3.12'", False, False),
    ('platform_version != "it\'s"', True, False),
]


@pytest.mark.parametrize(("marker", "can", "always"), TABLE)
def test_a_marker_is_judged_by_python_alone(marker: str, can: bool, always: bool) -> None:
    assert (can_hold(marker, "3.12"), always_holds(marker, "3.12")) == (can, always)


@pytest.mark.parametrize(
    ("marker", "can", "always"),
    [
        ("python_full_version < '3.12.3'", False, False),
        ("python_full_version < '3.12.5'", True, False),
        ("python_full_version >= '3.12.3'", True, True),
        ("python_full_version == '3.12.4' or python_full_version > '3.12.4'", True, True),
        ("python_version == '3.12'", True, True),
    ],
)
def test_releases_before_the_first_that_counts_do_not_count(
    marker: str, can: bool, always: bool
) -> None:
    assert (can_hold(marker, "3.12.4"), always_holds(marker, "3.12.4")) == (can, always)


_PATCHES = range(12)
_ATOMS = st.sampled_from(
    [f"python_full_version {op} '3.{minor}.{patch}'"
     for op in ("<", ">=", "==", "!=") for minor in (11, 12, 13) for patch in (0, 3, 7)]
    + [f"python_version {op} '3.{minor}'" for op in ("<", ">=", "==") for minor in (11, 12, 13)]
    + ["sys_platform == 'win32'", "sys_platform != 'win32'", "os_name == 'nt'"]
)  # fmt: skip
_MARKERS = st.recursive(
    _ATOMS,
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
        lambda t: f"({t[0]}) {t[1]} ({t[2]})"
    ),
    max_leaves=6,
)


@given(_MARKERS)
def test_what_holds_somewhere_is_never_said_not_to(marker: str) -> None:
    """The brute force: every patch release on two systems."""
    parsed = Marker(marker)
    held = [
        parsed.evaluate(
            {
                "python_version": "3.12",
                "python_full_version": f"3.12.{patch}",
                "sys_platform": system,
                "os_name": name,
            }
        )
        for patch in _PATCHES
        for system, name in (("win32", "nt"), ("linux", "posix"))
    ]
    if any(held):
        assert can_hold(marker, "3.12")
    if not all(held):
        assert not always_holds(marker, "3.12")

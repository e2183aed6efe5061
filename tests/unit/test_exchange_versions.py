"""Poetry's and pipenv's dependencies in PEP 508's words, and the graph of a lock as markers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from bubble.projects.exchange.graph import conditions, joined
from bubble.projects.exchange.poetry_versions import specifier
from bubble.projects.exchange.tool_tables import entry, python_marker

if TYPE_CHECKING:
    from pathlib import Path

# of Poetry's documentation, "dependency specification"
RANGES = {
    "^1.2.3": ">=1.2.3,<2.0.0",
    "^1.2": ">=1.2,<2.0",
    "^1": ">=1,<2",
    "^0.2.3": ">=0.2.3,<0.3.0",
    "^0.0.3": ">=0.0.3,<0.0.4",
    "^0.0": ">=0.0,<0.1",
    "^0": ">=0,<1",
    "~1.2.3": ">=1.2.3,<1.3",
    "~1.2": ">=1.2,<1.3",
    "~1": ">=1,<2",
    "~=1.2": "~=1.2",
    "*": "",
    "": "",
    "1.*": "==1.*",
    "1.2.*": "==1.2.*",
    "1.2.3": "==1.2.3",
    "==1.2.3": "==1.2.3",
    ">= 1.2.0": ">=1.2.0",
    ">1,<2": ">1,<2",
    ">1 <2": ">1,<2",
    "!= 1.2.3": "!=1.2.3",
    "^1.2 || ^2.0": ">=1.2,<3.0",
    "^1 | ^2": ">=1,<3",
}


@pytest.mark.parametrize("text", RANGES)
def test_a_range_of_poetrys_is_one_of_pep_440(text: str) -> None:
    assert specifier(text) == RANGES[text]
    SpecifierSet(specifier(text))


@pytest.mark.parametrize("text", ["^1 || ^3", "latest", "^x", "1.2.3-", ">=1 || <0.5", "== "])
def test_what_pep_440_cant_say_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        specifier(text)


ENTRIES: list[tuple[Any, tuple[str, ...], tuple[str, ...]]] = [
    ("^2.31", ("x>=2.31,<3.0",), ()),
    ("*", ("x",), ()),
    ({"version": ">=1", "extras": ["a", "b"]}, ("x[a,b]>=1",), ()),
    ({"version": "^1", "python": "^3.10"},
     ("x>=1,<2 ; python_version >= '3.10' and python_version < '4.0'",), ()),
    ({"version": "*", "markers": "sys_platform == 'win32'"}, ("x ; sys_platform == 'win32'",), ()),
    ({"version": "*", "platform": "darwin"}, ("x ; sys_platform == 'darwin'",), ()),
    ({"version": "*", "sys_platform": "== 'win32'"}, ("x ; sys_platform == 'win32'",), ()),
    ({"git": "https://git.example/x.git", "tag": "v1", "subdirectory": "py"},
     ("x @ git+https://git.example/x.git@v1#subdirectory=py",), ()),
    ({"git": "git@git.example:me/x.git"}, ("x @ git+ssh://git@git.example/me/x.git",), ()),
    ({"url": "https://f.example/x-1.0-py3-none-any.whl"},
     ("x @ https://f.example/x-1.0-py3-none-any.whl",), ()),
    ({"path": "lib", "develop": True}, (), ("-e ./lib",)),
    ({"path": "lib"}, (), ("./lib",)),
    ({"path": "lib", "editable": True, "extras": ["a"]}, (), ("-e ./lib[a]",)),
    ([{"version": "^1", "python": "<3.9"}, {"version": "^2", "python": ">=3.9"}],
     ("x>=1,<2 ; python_version < '3.9'", "x>=2,<3 ; python_version >= '3.9'"), ()),
]  # fmt: skip


@pytest.mark.parametrize(("value", "dependencies", "lines"), ENTRIES)
def test_an_entry_of_a_tools_table(
    value: object, dependencies: tuple[str, ...], lines: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "lib").mkdir()
    found = entry("x", value, str(tmp_path), str(tmp_path))
    assert found.dependencies == dependencies
    assert found.lines == lines
    assert not found.left
    for line in found.dependencies:
        Requirement(line)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", {"path": "../../etc"}),
        ("x", {"path": "/etc"}),
        ("x", {"url": "file:///etc/passwd"}),
        ("x", {"git": "file:///home/me/x"}),
        ("x", 3),
        ("x", {}),
        ("x", {"version": 3}),
        ("x", "^1 || ^4"),
        ("x", {"version": "*", "markers": "); import os"}),
        ("x y", "*"),
        ("--index-url=http://evil.example", "*"),
        ("x\n--index-url http://evil.example", "*"),
    ],
)
def test_what_has_no_words_is_listed_and_nothing_else_comes_of_it(
    name: str, value: object, tmp_path: Path
) -> None:
    found = entry(name, value, str(tmp_path), str(tmp_path))
    assert not found.dependencies
    assert not found.lines
    (left,) = found.left
    assert left.why
    assert "\n" not in left.what


def test_credentials_of_an_entry_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    for value in (
        {"git": "https://me:s3cret@git.example/x.git"},
        {"url": "https://me:s3cret@f.example/x-1.0-py3-none-any.whl"},
        {"url": "https://f.example/x-1.0-py3-none-any.whl?sig=s3cret"},
    ):
        found = entry("x", value, str(tmp_path), str(tmp_path))
        assert "s3cret" not in repr(found)
        assert found.dependencies
        assert found.notes


@given(st.integers(0, 3), st.integers(0, 20), st.integers(0, 9))
def test_a_marker_on_python_holds_where_the_range_does(major: int, minor: int, low: int) -> None:
    text = f">=3.{low},<4.0"
    marker = Marker(python_marker(text))
    version = f"{major}.{minor}"
    environment = {"python_version": version, "python_full_version": f"{version}.0"}
    assert marker.evaluate(environment) == SpecifierSet(text).contains(version)


# graphs


def test_a_package_is_needed_where_one_of_its_ways_holds() -> None:
    edges = {
        "a": [("c", "os_name == 'nt'")],
        "b": [("c", "sys_platform == 'darwin'"), ("d", "")],
        "c": [("e", "python_version < '3.11'")],
    }
    found = conditions([("a", ""), ("b", "extra_root == 'x'")], edges)
    assert found["a"] == ""
    assert found["d"] == "extra_root == 'x'"
    assert found["c"] == ("(extra_root == 'x' and sys_platform == 'darwin') or os_name == 'nt'")
    assert "python_version < '3.11'" in found["e"]
    assert "z" not in found


def test_a_circle_ends_and_the_shortest_condition_stays() -> None:
    edges = {"a": [("b", "m == '1'")], "b": [("a", "n == '1'"), ("c", "")], "c": [("b", "")]}
    assert conditions([("a", "")], edges) == {"a": "", "b": "m == '1'", "c": "m == '1'"}
    assert conditions([("a", ""), ("c", "")], edges) == {"a": "", "b": "", "c": ""}


def test_a_graph_with_too_many_ways_is_refused_and_not_waited_for() -> None:
    edges = {
        f"n{i}": [(f"n{i + 1}", f"a{i} == '1'"), (f"n{i + 1}", f"b{i} == '1'")] for i in range(60)
    }
    with pytest.raises(ValueError, match="ways"):
        conditions([("n0", "")], edges)


@given(st.data())
def test_the_condition_of_a_node_is_that_of_walking_there(data: st.DataObject) -> None:
    """Oracle: for each assignment of the atoms, plain reachability over the edges that hold."""
    atoms = ["sys_platform == 'win32'", "os_name == 'nt'", "platform_machine == 'x'"]
    nodes = list(range(5))
    edge = st.tuples(st.sampled_from(nodes), st.sampled_from(["", *atoms]))
    edges = {n: data.draw(st.lists(edge, max_size=3)) for n in nodes}
    roots = data.draw(st.lists(edge, max_size=2))
    found = conditions(roots, edges)
    for values in itertools.product((True, False), repeat=3):
        holds = dict(zip(atoms, values, strict=True)) | {"": True}
        reached: set[int] = set()
        waiting = [n for n, marker in roots if holds[marker]]
        while waiting:
            node = waiting.pop()
            if node not in reached:
                reached.add(node)
                waiting += [n for n, marker in edges[node] if holds[marker]]
        environment = {
            "sys_platform": "win32" if values[0] else "linux",
            "os_name": "nt" if values[1] else "posix",
            "platform_machine": "x" if values[2] else "y",
        }
        said = {
            n for n, marker in found.items() if not marker or Marker(marker).evaluate(environment)
        }
        assert said == reached


def test_two_markers_together_hold_where_both_do() -> None:
    assert joined("", "a == 'x'") == "a == 'x'"
    assert joined("a == 'x'", "") == "a == 'x'"
    assert joined("a == 'x' or b == 'y'", "c == 'z'") == "(a == 'x' or b == 'y') and c == 'z'"

"""Where a key stands in a TOML document: in every layout that TOML allows."""

from __future__ import annotations

import os
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubble.projects.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bubble.projects.lines import Keys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAYOUTS: dict[str, tuple[str, dict[Keys, int]]] = {
    "plain": ('a = 1\n\nb = "2"\n', {("a",): 1, ("b",): 3}),
    "a table": ("[t]\n# c\nk = 1\n", {("t",): 1, ("t", "k"): 3}),
    "dotted": ("\na.b . c = 1\n", {("a", "b", "c"): 2}),
    "quoted": (
        '\n"a.b".\'c d\' = 1\n"\\u00e9" = 2\n"" = 3',
        {("a.b", "c d"): 2, ("é",): 3, ("",): 4},
    ),
    "an inline table": (
        '\nt = { k = 1, "x" = { y = [ 1 ] } }\n',
        {("t", "k"): 2, ("t", "x", "y"): 2},
    ),
    "an array over lines": (
        'a = [\n  "1", # "x",\n\n  "2"\n  , \'3\',\n]\nb = 1\n',
        {("a", 0): 2, ("a", 1): 4, ("a", 2): 5, ("b",): 7},
    ),
    "arrays in arrays": ("a = [[1],\n[2,\n3]]", {("a", 1): 2, ("a", 1, 1): 3}),
    "arrays of tables": (
        "[[a]]\nk = 1\n[[a.b]]\n[[a]]\nk = 2\n[a.c]\nd = 3\n",
        {("a", 0, "k"): 2, ("a", 0, "b", 0): 3, ("a", 1, "k"): 5, ("a", 1, "c", "d"): 7},
    ),
    "comments that look like keys": ("# a = 1\n#[t]\na = 1 # b = 2\n", {("a",): 3}),
    "strings that look like keys": (
        'x = """\na = 1\n[t]\\\n"""\ny = \'\'\'\nb = """\n\'\'\'\na = "]\\"#"\n[t]\n',
        {("x",): 1, ("y",): 5, ("a",): 8, ("t",): 9},
    ),
    "quotes at a string's end": (
        'x = """"a""""\ny = \'\'\'\'b\'\'\'\'\'\nz = 1',
        {("y",): 2, ("z",): 3},
    ),
    "CRLF": ("a = 1\r\n\r\nb = [\r\n1,\r\n]\r\nc = 3\r\n", {("b", 0): 4, ("c",): 6}),
    "dates with a blank": (
        "a = 1979-05-27 07:32:00\nb = [1979-05-27 07:32:00]\nc = 1",
        {("c",): 3},
    ),
    "nothing at a value's end": ("a = {}\nb = []\nc = 0x1f", {("c",): 3}),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_line_of_a_key_is_known_in_every_layout(name: str) -> None:
    text, expected = LAYOUTS[name]
    found = lines_of(text)
    assert {keys: found.get(keys) for keys in expected} == expected
    assert found.keys() == set(_paths(tomllib.loads(text)))


def _paths(value: object, above: Keys = ()) -> Iterator[Keys]:
    """Yield the path of every key and element that a parsed document has."""
    pairs: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, item in pairs:
        yield (*above, key)
        yield from _paths(item, (*above, key))


def test_real_documents_have_a_line_for_every_key_that_the_parser_finds() -> None:
    listed = subprocess.run(
        ["find", os.path.join(ROOT, ".venv"), ROOT, "-name", "*.toml", "-size", "-200k"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\n")
    tried = 0
    for path in filter(os.path.isfile, listed):
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        try:
            parsed = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        assert lines_of(text).keys() == set(_paths(parsed)), path
        tried += 1
    assert tried, "not even the project's own was found"


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)
VALUES = st.sampled_from(
    ["1", '"x"', "'#'", "[]", "{}", "true", '"""\n=\n"""', "'''\n[t]\n'''", "[\n# c\n1,\n2]",
     "{ a = [ 1 ], b.c = 2 }", "[ { k = '''\n''' },\n{ k = 1 } ]", "1979-05-27", '"\\"#"'],
)  # fmt: skip
NOISE = st.sampled_from(["", "# a = 1\n", "\n", "  \n", "#[x]\n", '\t# = "\n'])


@given(st.lists(st.tuples(NOISE, KEYS, VALUES, st.booleans()), max_size=8), st.booleans())
def test_a_key_is_found_on_the_line_that_it_was_written_on(
    entries: list[tuple[str, str, str, bool]], crlf: bool
) -> None:
    text = ""
    expected: dict[Keys, int] = {}
    for number, (noise, key, value, is_table) in enumerate(entries):
        name = key + str(number)
        escaped = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        text += noise
        line = text.count("\n") + 1
        if is_table:
            text += f"[ t . {escaped} ] # k = 1\n k={value}\n"
            expected |= {("t", name): line, ("t", name, "k"): line + 1}
        else:
            text += f"[{escaped}.a]\n{escaped} . b = {value}# c\n"
            expected |= {(name, "a"): line, (name, "a", name, "b"): line + 1}
    parsed = tomllib.loads(text)
    found = lines_of(text.replace("\n", "\r\n") if crlf else text)
    assert {keys: found.get(keys) for keys in expected} == expected
    assert found.keys() == set(_paths(parsed))

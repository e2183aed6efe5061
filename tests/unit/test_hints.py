"""Every error in the sources has a next step, and every command in one is a command that exists."""

from __future__ import annotations

import ast
import itertools
import os
import re

import pytest

import bubble
from bubble.cli.table import COMMANDS, GROUPS
from bubble.model.errors import BubbleError
from support.told import commands_in, parse_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = os.path.dirname(bubble.__file__)
# an interrupt is its own explanation, and a fault of ours has no way out
WITHOUT = {"interrupted", "internal"}


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for directory, _, names in os.walk(SOURCES):
        for name in sorted(n for n in names if n.endswith(".py")):
            path = os.path.join(directory, name)
            with open(path, encoding="utf-8") as file:
                yield os.path.relpath(path, SOURCES), ast.parse(file.read(), path)


def _errors() -> list[tuple[str, ast.Call]]:
    return [
        (f"{place}:{node.lineno}", node)
        for place, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "BubbleError"
    ]


ERRORS = _errors()


def test_the_search_for_errors_finds_them() -> None:
    assert len(ERRORS) > 100


def test_a_path_behind_a_command_is_quoted_for_the_shell() -> None:
    """What somebody copies is one word, whatever is in it: `printable` is for people alone."""
    commands = "|".join(map(re.escape, COMMANDS))
    command = re.compile(rf"\b(?:bubble (?:{commands})|mv|rm|chown|chmod)(?: -{{1,2}}[a-z]+)* $")
    bare = re.compile(r"printable\(|\.(?:path|title|who|base_prefix|prefix|detail)$")
    found = []
    for place, tree in _trees():
        for node in ast.walk(tree):
            parts = node.values if isinstance(node, ast.JoinedStr) else []
            for before, after in itertools.pairwise(parts):
                if isinstance(before, ast.Constant) and isinstance(after, ast.FormattedValue):
                    value = ast.unparse(after.value)
                    if command.search(str(before.value)) and bare.search(value):
                        found.append(f"{place}:{before.lineno} {value}")
    assert not [one for one in found if "shell_word(" not in one and "quote" not in one]


def test_every_error_has_a_next_step() -> None:
    without = [
        place
        for place, call in ERRORS
        if not any(word.arg == "hint" for word in call.keywords)
        and not (isinstance(call.args[0], ast.Constant) and call.args[0].value in WITHOUT)
    ]
    assert not without, without


@pytest.mark.parametrize("place", [place for place, _ in ERRORS])
def test_the_commands_in_a_hint_exist(place: str) -> None:
    (call,) = [call for where, call in ERRORS if where == place]
    for word in call.keywords:
        if word.arg == "hint":
            for text in _texts(word.value):
                try:
                    commands_in(text)
                except BubbleError as error:  # a choice among words that isn't known here
                    if "invalid choice: “X”" not in error.message:
                        raise


def _texts(node: ast.expr) -> list[str]:
    """Return what an expression may say, with X for each value that isn't known here."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            words = [p.value if isinstance(p, ast.Constant) else "X" for p in parts]
            return ["".join(map(str, words))]
        case ast.IfExp(body=body, orelse=otherwise):
            return [*_texts(body), *_texts(otherwise)]
    return []


@pytest.mark.parametrize(
    "hint",
    [
        "bubble python lst",
        "bubble python list --avail",
        "see what there is: bubble python list --available shows what there is",
        "bubble nope --help",
    ],
)
def test_a_command_that_does_not_exist_is_seen(hint: str) -> None:
    with pytest.raises(Exception, match=r"bubble|many"):
        commands_in(hint)


def test_all_examples_of_the_overview_parse() -> None:
    from bubble.cli.help import _EXAMPLES

    for line, _ in _EXAMPLES:
        parse_line(line)
    assert {words.split()[0] for words in COMMANDS if " " in words} == set(GROUPS)

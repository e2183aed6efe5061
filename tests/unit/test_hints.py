"""Every error in the sources has a next step, and every command in one is a command that exists."""

from __future__ import annotations

import ast
import os

import pytest

import bubble
from bubble.cli.table import COMMANDS, GROUPS
from bubble.model.errors import BubbleError
from support.told import commands_in, parse_line

SOURCES = os.path.dirname(bubble.__file__)
# an interrupt is its own explanation, and a fault of ours has no way out
WITHOUT = {"interrupted", "internal"}


def _errors() -> list[tuple[str, ast.Call]]:
    found = []
    for directory, _, names in os.walk(SOURCES):
        for name in sorted(n for n in names if n.endswith(".py")):
            path = os.path.join(directory, name)
            with open(path, encoding="utf-8") as file:
                tree = ast.parse(file.read(), path)
            place = os.path.relpath(path, SOURCES)
            found += [
                (f"{place}:{node.lineno}", node)
                for node in ast.walk(tree)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "BubbleError"
            ]
    return found


ERRORS = _errors()


def test_the_search_for_errors_finds_them() -> None:
    assert len(ERRORS) > 100


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
                    if "invalid choice: 'X'" not in error.message:
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

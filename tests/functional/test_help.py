"""Help: what a newcomer reads first, for every command that there is."""

from __future__ import annotations

import re
import unicodedata
from importlib import import_module

import pytest

from bubble.cli.main import main
from bubble.cli.table import ALIASES, COMMANDS, GROUPS, commands_of
from support.told import json_error, one_error, parse_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bubble.cli.context import Command
    from conftest import Result

EACH = pytest.mark.parametrize("words", sorted(COMMANDS))


def module_of(words: str) -> Command:
    command: Command = import_module(f"bubble.cli.commands.{COMMANDS[words][0]}")
    return command


@EACH
def test_every_command_has_help_with_a_usage_and_examples(
    words: str,
    env: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*words.split(), "--help"], env) == 0
    told = capfd.readouterr()
    assert told.err == ""
    assert told.out.startswith(f"usage: bubble {words}")
    assert "--json" in told.out
    for line in told.out.splitlines():
        width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        assert width <= 100, line
    for spelling in (["help", *words.split()], [*words.split(), "-h"]):
        assert main(spelling, env) == 0
        assert capfd.readouterr().out == told.out


@EACH
def test_every_example_is_a_line_that_parses(words: str) -> None:
    examples: tuple[tuple[str, str], ...] = getattr(module_of(words), "EXAMPLES", ())
    assert examples, f"{words} has no examples"
    for line, meaning in examples:
        assert meaning
        assert not meaning.endswith(".")
        evaluated = re.fullmatch(r'eval "\$\((.+)\)"', line)
        parse_line(evaluated[1] if evaluated else line)


@EACH
def test_every_argument_says_what_it_is_for(words: str) -> None:
    from bubble.cli.arguments import make_parser

    parser = make_parser(words, COMMANDS[words][1], module_of(words))
    for action in parser._actions:
        assert action.help, f"{words}: {action.option_strings or action.metavar}"
        assert action.nargs == 0 or action.metavar, f"{words}: {action.option_strings}"


def test_the_overview_names_every_command_and_variable(bubble: Callable[..., Result]) -> None:
    shown = bubble("--help")
    assert (shown.status, shown.err) == (0, "")
    for words, (_, summary) in COMMANDS.items():
        assert f"  {words.rpartition(' ')[2]} " in shown.out
        assert summary in shown.out
    for variable in ("BUBBLE_HOME", "BUBBLE_CACHE_DIR", "BUBBLE_MIRROR", "BUBBLE_CATALOG",
                     "BUBBLE_OFFLINE", "BUBBLE_NO_PROGRESS", "NO_COLOR"):  # fmt: skip
        assert variable in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100


def test_without_a_command_the_overview_is_shown_and_the_status_is_usage(
    bubble: Callable[..., Result],
) -> None:
    assert bubble().status == 2
    assert bubble().out == bubble("--help").out == bubble("help").out
    asked = bubble("--json")
    assert json_error(asked.out, asked.status)["hint"] == "bubble --help"


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_a_group_lists_its_commands(group: str, bubble: Callable[..., Result]) -> None:
    shown = bubble(group, "--help")
    assert shown.status == 0
    assert all(f"  {name} " in shown.out for name in commands_of(group))
    if group in ALIASES:  # it does something alone: `bubble config` shows the settings
        assert bubble(group).status == 0
        return
    assert bubble(group).out == shown.out
    assert bubble(group).status == 2
    asked = bubble(group, "--json")
    assert json_error(asked.out, asked.status)["hint"] == f"bubble {group} --help"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pyhton list", "bubble python"),
        ("python instll 3.12", "bubble python install"),
        ("python install --re-install 3.12", "--reinstall"),
        ("mirror creat x", "bubble mirror create"),
    ],
)
def test_a_slip_of_the_finger_is_answered_with_what_was_meant(
    typed: str, meant: str, bubble: Callable[..., Result]
) -> None:
    done = bubble(*typed.split())
    assert done.status == 2
    assert one_error(done.err)[1] == f"did you mean: {meant}"


def test_the_version_is_told(bubble: Callable[..., Result]) -> None:
    from bubble import __version__

    assert bubble("--version").out == bubble("-V").out == f"bubble {__version__}\n"

"""What the command line says when something is wrong: one error, one next step, nothing raw."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import unicodedata
from importlib import import_module

from bubble.cli.arguments import make_parser
from bubble.cli.table import ALIASES, COMMANDS, GROUPS
from bubble.model.errors import EXIT_STATUS, KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def one_error(text: str) -> tuple[str, str]:
    """Return message and hint of the one error that `text` (stderr) tells; check its form."""
    nothing_raw(text)
    lines = text.splitlines()
    places = [i for i, line in enumerate(lines) if line.startswith("error: ")]
    assert len(places) == 1, text
    assert len(lines) == places[0] + 2, f"the error isn't the last thing said: {text}"
    message, hint = lines[places[0]].removeprefix("error: "), lines[-1]
    assert hint.startswith("  hint: "), text
    hint = hint.removeprefix("  hint: ")
    assert message
    commands_in(hint)
    return message, hint


def json_error(text: str, status: int) -> dict[str, Any]:
    """Return the error of a JSON document, held against the contract and the exit status."""
    document = json.loads(text)
    assert document["schema"] == 1
    assert document["ok"] is False
    error = document["error"]
    assert isinstance(error, dict)
    assert error["kind"] in KINDS
    assert error["message"]
    assert error["hint"]
    assert EXIT_STATUS.get(error["kind"], 1) == status
    commands_in(error["hint"])
    return error


def json_data(text: str) -> Any:
    """Return the data of a JSON document that says that all went well."""
    document = json.loads(text)
    assert document["schema"] == 1
    assert document["ok"] is True
    assert "error" not in document
    return document["data"]


def nothing_raw(text: str) -> None:
    """Check that there is no traceback, and no control character but the line's end."""
    assert "Traceback" not in text, text
    raw = {c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and c != "\n"}
    assert not raw, f"{raw}: {text!r}"


def commands_in(hint: str) -> list[str]:
    """Return the command lines of bubble in a hint, each parsed by the real parser.

    A command stands alone, or at the end of its part of the hint: `…: bubble python list`.
    """
    found = []
    for part in re.split(r"; |, or ", hint):
        at = re.search(r"(?:^|: )bubble (?=[a-z-])", part)
        if at and "did you mean" not in part:
            line = part[at.start() :].removeprefix(": ")
            parse_line(line)
            found.append(line)
    return found


def parse_line(line: str) -> Namespace | None:
    """Parse a command line of bubble, without running it; raise if it is none."""
    name, *words = shlex.split(line, comments=True)
    assert name == "bubble", line
    words = list(itertools.takewhile(lambda word: word not in {"|", ">", ";", "&&"}, words))
    if words[:1] == ["--system"]:
        del words[0]
    if words and words[-1] in {"--help", "--version"}:
        known = {"", *COMMANDS, *GROUPS}
        assert " ".join(words[:-1]) in known, line
        return None
    if words[0] in GROUPS and not words[1:]:  # one that does something alone
        words = [*ALIASES[words[0]]]
    depth = 2 if words[0] in GROUPS else 1
    command = " ".join(words[:depth])
    assert command in COMMANDS, line
    module, summary = COMMANDS[command]
    parser = make_parser(command, summary, import_module(f"bubble.cli.commands.{module}"))
    return parser.parse_all(words[depth:])

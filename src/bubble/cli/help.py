"""What is said when no command was named, or one that isn't there."""

from __future__ import annotations

from bubble import __version__
from bubble.cli.table import COMMANDS, GROUPS, commands_of
from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.cli.output import Output

_HELP = {"--help", "-h", "help"}
_EXAMPLES = (
    ("bubble python install 3.12", "install the newest CPython 3.12"),
    ("bubble python list", "see what is installed and what there is"),
    ("bubble use 3.12", "choose it for this directory: python is that one there"),
    ("bubble create", "make this project's environment, .venv"),
    ("bubble explain", "see which Python runs here, and why"),
)
_VARIABLES = (
    ("BUBBLE_HOME", "where installations live"),
    ("BUBBLE_CACHE_DIR", "where downloads are kept"),
    ("BUBBLE_SYSTEM_HOME", "the store of everybody's, below your own; none: no such"),
    ("BUBBLE_MIRROR", "replaces upstream's …/releases/download prefix"),
    ("BUBBLE_CATALOG", "another catalogue: a path or URL"),
    ("BUBBLE_OFFLINE=1", "no network: cache and file:// only"),
    ("BUBBLE_NO_PROGRESS, NO_COLOR", "plain output"),
)


def no_command(argv: Sequence[str], output: Output) -> int:
    """Show help where it was asked for, else raise BubbleError(usage) with the nearest command."""
    words = [word for word in argv if word != "--json"]
    asked_for_help = not _HELP.isdisjoint([*words[:2], *words[-1:]])
    words = [word for word in words if word not in _HELP]
    if output.json and not asked_for_help and (not words or (words[0] in GROUPS and not words[1:])):
        where = f"bubble {words[0]}" if words else "bubble"
        raise BubbleError("usage", "say which command", hint=f"{where} --help")
    if not words:
        output.text(_overview())
    elif words[0] in GROUPS and len(words) == 1:
        output.text(_group(words[0]))
    elif asked_for_help and " ".join(words) in COMMANDS:
        _help_of(" ".join(words), output)
    else:
        raise _unknown(words)
    return 0 if asked_for_help else 2


def _overview() -> list[str]:
    lines = [
        f"bubble {__version__}: Pythons, installed, chosen per directory, thrown away.",
        "",
        "usage: bubble COMMAND [ARGUMENT…]",
        "       bubble --system COMMAND [ARGUMENT…]   on the store that is everybody's",
    ]
    for group, summary in GROUPS.items():
        lines += ["", f"bubble {group} …: {summary}", *_rows(commands_of(group).items())]
    singles = [(words, text) for words, (_, text) in COMMANDS.items() if " " not in words]
    lines += ["", "commands:", *_rows(singles)]
    lines += ["", "examples:", *_rows(_EXAMPLES), "", "environment variables:", *_rows(_VARIABLES)]
    return [*lines, "", "bubble COMMAND --help says more."]


def _group(group: str) -> list[str]:
    return [
        f"usage: bubble {group} COMMAND [ARGUMENT…]",
        "",
        f"{GROUPS[group]}:",
        *_rows(commands_of(group).items()),
        "",
        f"bubble {group} COMMAND --help says more.",
    ]


def _rows(pairs: object) -> list[str]:
    rows = list(pairs)  # type: ignore[call-overload] # any iterable of pairs
    width = max(len(left) for left, _ in rows)
    return [f"  {left.ljust(width)}  {right}" for left, right in rows]


def _help_of(words: str, output: Output) -> None:
    from importlib import import_module

    from bubble.cli.arguments import parse

    name, summary = COMMANDS[words]
    parse(words, summary, import_module(f"bubble.cli.commands.{name}"), ["--help"], output)


def _unknown(words: Sequence[str]) -> BubbleError:
    from bubble.cli import suggestions

    group = words[0] if words[0] in GROUPS else ""
    depth = 2 if group else 1
    asked = " ".join(words[:depth])
    what = "option" if words[depth - 1].startswith("-") else "command"
    hint = suggestions.command(asked, COMMANDS, GROUPS, words[depth:])
    asked = words[depth - 1] if what == "option" else asked
    return BubbleError(
        "usage",
        f"there is no {what} “{printable(asked, 80)}”",
        hint=hint or f"the commands: bubble {group} --help".replace("  ", " "),
    )

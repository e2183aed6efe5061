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
    ("bubble python find 3.12", "print its path"),
)
_VARIABLES = (
    ("BUBBLE_HOME", "where installations live"),
    ("BUBBLE_CACHE_DIR", "where downloads are kept"),
    ("BUBBLE_MIRROR", "replaces upstream's …/releases/download prefix"),
    ("BUBBLE_CATALOG", "another catalogue: a path or URL"),
    ("BUBBLE_OFFLINE=1", "no network: cache and file:// only"),
    ("BUBBLE_NO_PROGRESS, NO_COLOR", "plain output"),
)


def no_command(argv: Sequence[str], output: Output) -> int:
    """Show help where it was asked for, else raise BubbleError(usage) with the nearest command."""
    words = [word for word in argv if word != "--json"]
    if not words or words[0] in _HELP:
        if words[1:]:
            raise BubbleError(
                "usage",
                "help takes no command",
                hint=f"bubble {printable(' '.join(words[1:]))} --help",
            )
        output.text(_overview())
        return 0 if words else 2
    if words[0] in GROUPS and (len(words) == 1 or words[1] in _HELP):
        output.text(_group(words[0]))
        return 0 if len(words) > 1 else 2
    depth = 2 if words[0] in GROUPS else 1
    asked = " ".join(words[:depth])
    raise BubbleError(
        "usage", f"there is no command “{printable(asked)}”", hint=_nearest(words[0], asked)
    )


def _overview() -> list[str]:
    lines = [
        f"bubble {__version__}: Pythons, installed, chosen per directory, thrown away.",
        "",
        "usage: bubble COMMAND [ARGUMENT…]",
    ]
    for group, summary in GROUPS.items():
        lines += ["", f"bubble {group} …: {summary}", *_rows(commands_of(group).items())]
    singles = [(words, text) for words, (_, text) in COMMANDS.items() if " " not in words]
    if singles:
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


def _nearest(first: str, asked: str) -> str:
    import difflib

    alone = {words.rpartition(" ")[2]: words for words in COMMANDS}
    if first in alone:
        return f"bubble {alone[first]}"
    close = difflib.get_close_matches(asked, [*COMMANDS, *GROUPS], n=1, cutoff=0.6)
    close = close or [alone[w] for w in difflib.get_close_matches(first, alone, n=1, cutoff=0.6)]
    return f"did you mean: bubble {close[0]}" if close else "bubble --help lists the commands"

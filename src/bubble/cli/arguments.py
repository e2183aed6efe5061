"""argparse, dressed: errors as BubbleError, help with examples, `--json` everywhere."""

from __future__ import annotations

import argparse

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from bubble.cli.output import Output


class Parser(argparse.ArgumentParser):
    """A parser that raises BubbleError(usage) instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would have printed."""
        raise BubbleError(
            "usage", printable(message.replace("\n", " ")), hint=f"{self.prog} --help"
        )


class _Help(Exception):  # noqa: N818 - a way out of argparse, not an error
    pass


class _HelpAction(argparse.Action):
    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise _Help


def parse(
    words: str, summary: str, module: object, arguments: Sequence[str], output: Output
) -> argparse.Namespace | None:
    """Parse a command's arguments; None when help was asked for and printed.

    `module` has `define(parser)` and EXAMPLES, pairs of a command line and what it does.
    """
    parser = make_parser(words, summary, module)
    try:
        return parser.parse_args(arguments)
    except _Help:
        output.text(parser.format_help().rstrip().split("\n"))
        return None


def make_parser(words: str, summary: str, module: object) -> Parser:
    """Return the parser of one command."""
    examples: Sequence[tuple[str, str]] = getattr(module, "EXAMPLES", ())
    width = max((len(line) for line, _ in examples), default=0)
    shown = "\n".join(f"  {line.ljust(width)}  # {meaning}" for line, meaning in examples)
    details: str = getattr(module, "DETAILS", "")
    parser = Parser(
        prog=f"bubble {words}",
        description=f"{summary[0].upper()}{summary[1:]}.\n{details}".rstrip(),
        epilog=f"examples:\n{shown}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    getattr(module, "define")(parser)  # noqa: B009 - a module is checked by its protocol test
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("-h", "--help", action=_HelpAction, nargs=0, help="show this help")
    return parser

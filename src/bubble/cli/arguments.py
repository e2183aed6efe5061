"""argparse, dressed: errors as BubbleError, help with examples, `--json` everywhere."""

from __future__ import annotations

import argparse

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from bubble.cli.context import Command
    from bubble.cli.output import Output

_WIDTH = 80
# what an environment's name or path is called in usages
_ENVIRONMENTS = {"ENV", "ENV|FILE", "NAME", "NEW"}


class Parser(argparse.ArgumentParser):
    """A parser that raises BubbleError(usage) instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would have printed."""
        raise BubbleError(
            "usage", printable(message.replace("\n", " ")), hint=f"{self.prog} --help"
        )

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> object:
        """Refuse an empty word: an unset variable must not mean “this directory's”."""
        chooses = {"REQUEST"} if action.option_strings else _ENVIRONMENTS
        if "" in arg_strings and action.metavar in chooses:
            self.error(f"{action.metavar} is empty")
        values: object = super()._get_values(action, arg_strings)
        return values

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Say what there is to choose from, whatever release of argparse this is."""
        if action.choices is not None and value not in action.choices:
            known = ", ".join(str(choice) for choice in action.choices if choice != "")
            raise argparse.ArgumentError(action, f"invalid choice: “{value}” (one of: {known})")
        super()._check_value(action, value)

    def parse_all(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse; raise BubbleError(usage) for what is too much, with the nearest option."""
        for action in self._actions:
            if action.nargs == argparse.ZERO_OR_MORE:  # or it is named among what is missing
                action.required = False
        # options may stand between a command's words, except where what follows is another's
        opaque = any(action.nargs == argparse.REMAINDER for action in self._actions)
        parse = self.parse_known_args if opaque else self.parse_known_intermixed_args
        options, rest = parse(arguments)
        if not rest:
            return options
        from bubble.cli import suggestions

        asked = rest[0].partition("=")[0]
        said = suggestions.line([*self.prog.split()[1:], *arguments])
        if not asked.startswith("-"):
            raise BubbleError(
                "usage",
                f"“{printable(rest[0], 80)}” is one argument too many",
                hint=said or f"{self.prog} --help",
            )
        known = [option for action in self._actions for option in action.option_strings]
        hint = said or suggestions.option(asked, self.prog.removeprefix("bubble "), known)
        raise BubbleError(
            "usage",
            f"{self.prog} has no option “{printable(asked, 80)}”",
            hint=hint or f"{self.prog} --help",
        )


class _Help(Exception):  # noqa: N818 - a way out of argparse, not an error
    pass


class _HelpAction(argparse.Action):
    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise _Help


def parse(
    words: str, summary: str, module: Command, arguments: Sequence[str], output: Output
) -> argparse.Namespace | None:
    """Parse a command's arguments; None when help was asked for and printed.

    `module` has `define(parser)` and EXAMPLES, pairs of a command line and what it does.
    """
    parser = make_parser(words, summary, module)
    try:
        return parser.parse_all(arguments)
    except _Help:
        output.text(parser.format_help().rstrip().split("\n"))
        return None


def make_parser(words: str, summary: str, module: Command) -> Parser:
    """Return the parser of one command."""
    details: str = getattr(module, "DETAILS", "")
    shown = _examples(module.EXAMPLES)
    parser = Parser(
        prog=f"bubble {words}",
        description="\n\n".join(t for t in (f"{summary[0].upper()}{summary[1:]}.", details) if t),
        epilog=f"examples:\n{shown}" if shown else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    module.define(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("-h", "--help", action=_HelpAction, nargs=0, help="show this help")
    return parser


def _examples(pairs: Sequence[tuple[str, str]]) -> str:
    """Return examples as lines; each below what it does where it wouldn't fit beside it."""
    width = max((len(line) for line, _ in pairs), default=0)
    lines = [f"  {line.ljust(width)}  # {meaning}" for line, meaning in pairs]
    if max(map(len, lines), default=0) > _WIDTH:
        lines = [f"  # {meaning}\n  {line}" for line, meaning in pairs]
    return "\n".join(lines)

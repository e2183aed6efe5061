"""`bubble config get`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble config get offline", "its value: true, false, or what was set"),)
DETAILS = "Nothing is printed where the default holds; the exit status is 0 all the same."
JSON = "{key, value, default, variable, origin, line, meaning}, as in `config list`"


def define(parser: ArgumentParser) -> None:
    """Declare the argument."""
    parser.add_argument("key", metavar="KEY", help="a setting: bubble config list shows them")


def execute(options: Namespace, context: Context) -> Outcome:
    """Print it."""
    from bubble.cli.commands.config_list import row
    from bubble.cli.configuration import read
    from bubble.cli.configuring import setting_of
    from bubble.model.text import printable

    found = row(setting_of(options.key), read(context.env), context)
    text = found.pop("text")
    return Outcome(data=found, lines=(printable(text, 4000),) if text else ())

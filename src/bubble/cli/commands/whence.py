"""`bubble whence`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble whence black", "every installed Python that has the command"),)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("command", metavar="CMD", help="a command's name")


def execute(options: Namespace, context: Context) -> Outcome:
    """List who has it."""
    from bubble.model.errors import BubbleError
    from bubble.model.text import printable
    from bubble.selection.resolve import owners, require_name

    name = require_name(options.command)
    found = owners(name, context.layout)
    if not found:
        raise BubbleError(
            "command_not_found",
            f"no installed Python has a command {printable(name)}",
            hint="see what there is: bubble python list --installed",
        )
    return Outcome(
        data=[{"key": str(i.key), "path": f"{i.prefix}/bin/{name}"} for i in found],
        lines=tuple(f"{i.key.name}  {i.prefix}/bin/{name}" for i in found),
    )

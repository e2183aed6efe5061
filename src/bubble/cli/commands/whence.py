"""`bubble whence`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble whence black", "every Python and environment that has the command"),)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("command", metavar="CMD", help="a command's name")


def execute(options: Namespace, context: Context) -> Outcome:
    """List who has it."""
    from bubble.model.errors import BubbleError
    from bubble.model.text import printable
    from bubble.selection.commands import owners, require_name

    name = require_name(options.command)
    found = owners(name, context.layout)
    if not found:
        raise BubbleError(
            "command_not_found",
            f"no installed Python and no environment has a command {printable(name)}",
            hint="see what there is: bubble python list --installed; or: bubble list",
        )
    return Outcome(
        data=[
            {
                "key": None if owner.environment else os.path.basename(owner.prefix),
                "environment": owner.title if owner.environment else None,
                "path": owner.path(name),
                "run": owner.run(name),
            }
            for owner in found
        ],
        lines=tuple(f"{owner.title}  {owner.path(name)}" for owner in found),
        notes=(f"to run it there: {found[0].run(name)}",),
    )

"""`bubble rename`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble rename train training", "the same environment under another name"),)
DETAILS = "A .python-version that names the old one must be changed by hand."


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="NAME", help="what it is called")
    parser.add_argument("name", metavar="NEW", help="what it shall be called")


def execute(options: Namespace, context: Context) -> Outcome:
    """Rename."""
    from bubble.cli.commands.info import find
    from bubble.envs.kernel import move_kernels
    from bubble.envs.rename import rename

    source = find(options.source, context)
    renamed = rename(source, options.name, context.layout)
    move_kernels(source, renamed, context.env)
    context.renew_shims()
    return Outcome(
        data={"name": renamed.name, "path": renamed.path, "was": source.name},
        lines=(f"renamed {source.name} to {renamed.name}",),
    )

"""`bubble run`."""

from __future__ import annotations

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.cli.context import Context, Outcome

EXAMPLES = (
    ("bubble run train python train.py", "a command in a named environment"),
    ("bubble run .venv pytest -x", "in this project's"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    import argparse

    parser.add_argument("environment", metavar="ENV", help="a name or a path")
    parser.add_argument(
        "command", metavar="CMD", nargs=argparse.REMAINDER, help="the command and its arguments"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Become the command."""
    from bubble.envs.knowing.locate import locate
    from bubble.envs.run import run

    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not words:
        raise BubbleError("usage", "say which command to run", hint="bubble run --help")
    world = context.world()
    run(locate(options.environment, world.cwd, world.layout), words, world)

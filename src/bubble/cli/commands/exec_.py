"""`bubble exec`."""

from __future__ import annotations

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.cli.context import Context, Outcome

EXAMPLES = (
    ("bubble exec python -V", "with the Python that this directory selects"),
    ("bubble exec -p 3.12 python -m this", "with another one, once"),
    ("bubble exec -p 3.11 make test", "any command; its `python` is that one"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    import argparse

    parser.add_argument("-p", "--python", metavar="REQUEST", default="", help="which Python")
    parser.add_argument(
        "command", metavar="CMD", nargs=argparse.REMAINDER, help="the command and its arguments"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Become the command."""
    from bubble.selection.fallback import execute as become
    from bubble.selection.resolve import require_name, resolve, select
    from bubble.selection.run import environment, find_command
    from bubble.selection.sources import option

    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not words:
        raise BubbleError("usage", "say which command to run", hint="bubble exec --help")
    world = context.world()
    selection = resolve(option(options.python), world) if options.python else select(world)
    name = words[0] if "/" in words[0] else require_name(words[0])
    env = environment(selection, world, options.python)
    become(find_command(name, selection, world), words[1:], env)

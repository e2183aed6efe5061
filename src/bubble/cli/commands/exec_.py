"""`bubble exec`."""

from __future__ import annotations

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.cli.context import Context, Outcome
    from bubble.selection.resolve import Selection

EXAMPLES = (
    ("bubble exec python -V", "with the Python that this directory selects"),
    ("bubble exec -p 3.12 python -m this", "with another one, once"),
    ("bubble exec -p 3.11 make test", "any command; its `python` is that one"),
    (
        "bubble exec -p train python -V",
        "with a bubble of this project, or a named environment",
    ),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    import argparse

    parser.add_argument("-p", "--python", metavar="REQUEST", default="", help="which Python")
    parser.add_argument(
        "command", metavar="CMD", nargs=argparse.REMAINDER, help="the command and its arguments"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Become the command, or run pip and renew the shims; 126 or 127 where that can't be."""
    from bubble.cli.commands.shim_fallback import status_of

    context.output.json = options.json  # one that stands behind CMD is the command's own
    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not words:
        raise BubbleError("usage", "say which command to run", hint="bubble exec --help")
    _require_no_mise(words)
    try:
        status = perform(words, options.python, context)
    except BubbleError as error:
        if error.kind == "usage":
            raise
        context.output.failure(error)
        raise SystemExit(status_of(error)) from None
    raise SystemExit(status)


def _require_no_mise(words: list[str]) -> None:
    """Raise BubbleError(usage) for `exec python@3.12 -- python`, as mise has it."""
    if "@" not in words[0]:
        return
    from bubble.cli.suggestions import line

    hint = line(["x", *words])
    if hint:
        raise BubbleError("usage", f"{printable(words[0], 80)} is a Python, no command", hint=hint)


def perform(words: list[str], request: str, context: Context) -> int:
    """Become the command, as the directory or a request selects it; else return its status."""
    import sys

    from bubble.model.request import parse_request
    from bubble.selection.commands import require_name
    from bubble.selection.fallback import perform
    from bubble.selection.resolve import resolve, select
    from bubble.selection.run import environment, find_command, undisturbed
    from bubble.selection.sources import option

    name = words[0] if "/" in words[0] else require_name(words[0])
    world = context.world()
    if request and parse_request(request).kind == "name":
        from bubble.projects.running import request_for

        request = request_for(request, world, "exec -p")

    def selected() -> Selection:
        return resolve(option(request), world) if request else select(world)

    if context.configuration is None:
        selection = selected()
    else:
        from bubble.cli.bringing import bringing

        selection = bringing(selected, request, world, context)
    world = undisturbed(selection, world)
    path = find_command(name, selection, world)
    env = environment(path, selection, world, looked_up="/" not in name, chosen=bool(request))
    return perform(words[0], path, words[1:], env, world.layout, sys.executable)

"""`bubble shell`: shows this shell's request; the shell function sets it (`bubble init`)."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.selection.resolve import World

EXAMPLES = (
    ("bubble shell 3.12", "in this shell, until it ends"),
    ("bubble shell 3.12 3.11", "several: the first that has a command runs it"),
    ("bubble shell", "what this shell asks for"),
    ("bubble shell --unset", "back to what the directory asks for"),
)
DETAILS = (
    "It sets BUBBLE_PYTHON, which only a function of the shell can do: see bubble init --help."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    import argparse

    parser.add_argument("requests", metavar="REQUEST", nargs="*", help="which Python")
    parser.add_argument("--unset", action="store_true", help="ask for nothing any more")
    # the function's own question: what to set the variable to
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)


def execute(options: Namespace, context: Context) -> Outcome:
    """Show what is set, check what is to be set, or say what is missing to set it."""
    from bubble.selection.sources import VARIABLE

    if options.unset and options.requests:
        raise BubbleError("usage", "--unset takes no request", hint="bubble shell --help")
    if options.check:
        text, warnings = _checked(options.requests, context)
        return Outcome(data={"variable": VARIABLE, "value": text}, lines=(text,), warnings=warnings)
    if options.unset or options.requests:
        raise no_function("shell")
    value = context.env.get(VARIABLE, "")
    if not value:
        return Outcome(
            data={"variable": VARIABLE, "value": None},
            notes=("this shell asks for nothing: the directory decides (bubble current)",),
        )
    return Outcome(data={"variable": VARIABLE, "value": value}, lines=(value,))


def no_function(command: str) -> BubbleError:
    """Return the error for what only the shell's function can do."""
    return BubbleError(
        "usage",
        f"“bubble {command}” changes the shell that it is typed in, and this one lacks bubble's "
        "function",
        hint="set it up for new shells: bubble init --install; other ways: bubble init --help",
    )


def _checked(texts: list[str], context: Context) -> tuple[str, tuple[str, ...]]:
    """Return the variable's value for the requests, and what comes before them in this shell.

    Each of them must be installed.
    """
    import os

    from bubble.selection.reached import shadow_of, warning
    from bubble.selection.resolve import resolve
    from bubble.selection.sources import option

    if not texts or not all(texts):
        raise BubbleError("usage", "say which Python to use", hint="bubble shell --help")
    parts = [part for text in texts for part in ([text] if "/" in text else text.split(":"))]
    world = context.world()
    parts = [_project_s(part, world) for part in parts]
    selections = [resolve(option(part), world) for part in parts]
    warnings = warning("python", shadow_of(selections[0], world), world)
    if not any("/" in part for part in parts):
        return ":".join(parts), warnings
    if len(parts) > 1:
        raise BubbleError(
            "usage", "a path stands alone in BUBBLE_PYTHON", hint=f"bubble shell {parts[0]}"
        )
    return os.path.abspath(os.path.join(world.cwd, os.path.expanduser(parts[0]))), warnings


def _project_s(text: str, world: World) -> str:
    """Return a request, the path of the environment for what a project calls its own."""
    from bubble.model.request import parse_request

    if parse_request(text).kind != "name":
        return text
    from bubble.projects.running import request_for

    return request_for(text, world, "shell")

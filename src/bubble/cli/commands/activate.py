"""`bubble activate`: the shell function does it; the program says how to get that."""

from __future__ import annotations

from bubble.cli.commands.shell import no_function
from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble activate", "the environment of this directory"),
    ("bubble activate web", "a named environment"),
    ("bubble activate ./tools/env", "any other, by its path"),
    ("bubble deactivate", "take it back"),
)
DETAILS = (
    "The shell's function does it, without a process: see bubble init --help. Only where no .venv\n"
    "lies in the directory itself does it ask which environment is selected there."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    import argparse

    parser.add_argument(
        "environment", metavar="ENV", nargs="?", default="", help="a name or a path"
    )
    # the function's own question: which one is selected here
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)


def execute(options: Namespace, context: Context) -> Outcome:
    """Tell the function which environment is meant, or say that there is no function."""
    if not options.check:
        raise no_function("activate")
    from bubble.envs.knowing.here import located

    path = located(options.environment, context.world()).path
    return Outcome(data={"path": path}, lines=(path,))

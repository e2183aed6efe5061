"""`bubble activate`: the shell function does it; the program says how to get that."""

from __future__ import annotations

from bubble.cli.commands.shell import no_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.cli.context import Context, Outcome

EXAMPLES = (
    ("bubble activate", "the .venv of this directory"),
    ("bubble activate web", "a named environment"),
    ("bubble activate ./tools/env", "any other, by its path"),
    ("bubble deactivate", "take it back"),
)
DETAILS = "The shell's function does it, without a process: see bubble init --help."


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("environment", metavar="ENV", nargs="?", help="a name or a path")


def execute(_options: Namespace, _context: Context) -> Outcome:
    """Say what is missing."""
    raise no_function("activate")

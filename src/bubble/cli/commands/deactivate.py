"""`bubble deactivate`: the shell function does it; the program says how to get that."""

from __future__ import annotations

from bubble.cli.commands.shell import no_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.cli.context import Context, Outcome

EXAMPLES = (("bubble deactivate", "PATH, the prompt and the variables as they were before"),)
DETAILS = "The shell's function does it, without a process: see bubble init --help."


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def execute(_options: Namespace, _context: Context) -> Outcome:
    """Say what is missing."""
    raise no_function("deactivate")

"""`bubble python dir`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble python dir", "where the installed Pythons are"),)
JSON = "{path}"


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def execute(_options: Namespace, context: Context) -> Outcome:
    """Print the directory."""
    path = context.layout.pythons
    return Outcome(data={"path": path}, lines=(path,))

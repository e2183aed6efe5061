"""`bubble cache dir`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble cache dir", "where downloads are kept"),)


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def execute(_options: Namespace, context: Context) -> Outcome:
    """Print the directory."""
    path = context.layout.cache
    return Outcome(data={"path": path}, lines=(path,))

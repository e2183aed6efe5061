"""`bubble config path`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble config path", "where it is, or would be"),)
JSON = "{path, exists}"


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""
    del parser


def execute(options: Namespace, context: Context) -> Outcome:
    """Print it."""
    del options
    import os

    from bubble.system.layout import configuration_file

    path = configuration_file(context.env)
    return Outcome(
        data={"path": path or None, "exists": os.path.exists(path)}, lines=(path,) if path else ()
    )

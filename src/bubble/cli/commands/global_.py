"""`bubble global`: `bubble use --global` under pyenv's name."""

from __future__ import annotations

from bubble.cli.commands import use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.cli.context import Context, Outcome

EXAMPLES = (
    ("bubble global 3.12", "wherever nothing else says anything"),
    ("bubble global", "print what is chosen there"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments of `use`, pinned to everywhere."""
    use.define(parser)
    parser.set_defaults(everywhere=True)


def execute(options: Namespace, context: Context) -> Outcome:
    """Write the global pin."""
    options.everywhere = True
    return use.execute(options, context)

"""`bubble completions`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ('eval "$(bubble completions bash)"', "in ~/.bashrc; bubble init has them already"),
    ("bubble completions zsh > ~/.zfunc/_bubble", "a directory of zsh's fpath"),
    ("bubble completions fish > ~/.config/fish/completions/bubble.fish", "loaded when needed"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.selection.shell import WITH_COMPLETIONS

    parser.add_argument(
        "shell", metavar="SHELL", choices=WITH_COMPLETIONS, help=", ".join(WITH_COMPLETIONS)
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Print the code."""
    from bubble.cli.completions import completions

    code = completions(options.shell, context.layout)
    return Outcome(data={"shell": options.shell, "code": code}, lines=(code.rstrip("\n"),))

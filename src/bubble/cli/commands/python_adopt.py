"""`bubble python adopt`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble python adopt ~/.pyenv/versions/3.11.7", "by the directory above its bin"),
    ("bubble python adopt /usr/bin/python3", "by its path"),
)
DETAILS = (
    "Nothing is copied: the interpreter stays where it is and belongs to whoever installed it. It\n"
    "can be chosen like an installed one from then on; uninstalling it removes only the links.\n"
    "A link adopts the interpreter that it leads to. Of a directory that others use too, such as\n"
    "/usr/bin and ~/.local/bin, only its own python and pip come along."
)
JSON = "{key, prefix, executable}"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("path", metavar="PATH", help="an interpreter, or the prefix of one")


def execute(options: Namespace, context: Context) -> Outcome:
    """Register the interpreter."""
    from bubble.pythons.adopting.adopt import adopt

    installation = adopt(options.path, context.machine())
    context.renew_shims()
    return Outcome(
        data={
            "key": str(installation.key),
            "prefix": installation.prefix,
            "executable": installation.executable,
        },
        lines=(installation.executable,),
        notes=(f"adopted {installation.key.name}",),
    )

"""`bubble mirror pack`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.text import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble mirror pack /srv/python ~/.pyenv/versions/3.11.7", "an interpreter of this machine"),
    ("bubble mirror pack mirror /usr/bin/python3 --tag 20260101", "with a build tag of its own"),
)
DETAILS = (
    "Makes a relocatable archive in the style of python-build-standalone and adds it to the\n"
    "mirror. Libraries of the operating system that the interpreter needs aren't packed."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directory", metavar="DIR", help="the mirror; made, or added to")
    parser.add_argument("prefix", metavar="PREFIX", help="an interpreter, or the prefix of one")
    parser.add_argument("--tag", default="", help="the build's tag (default: today, YYYYMMDD)")


def execute(options: Namespace, context: Context) -> Outcome:
    """Pack it, and say what to do with it."""
    from bubble.pythons.pack import pack

    directory = os.path.abspath(options.directory)
    packed = pack(
        directory,
        os.path.abspath(options.prefix),
        env=context.env,
        tag=options.tag,
        platform=context.platform(),
    )
    install = f"BUBBLE_CATALOG={directory}/catalogue.json bubble python install"
    return Outcome(
        data={
            "key": str(packed.key),
            "path": packed.path,
            "asset": packed.asset,
            "sha256": packed.sha256,
            "size": packed.size,
            "catalogue": f"{directory}/catalogue.json",
        },
        lines=(packed.path,),
        notes=(
            f"packed {packed.key.name}, {size(packed.size)}",
            f"install it: {install} {packed.key.version}",
        ),
    )

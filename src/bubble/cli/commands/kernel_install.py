"""`bubble kernel install`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble kernel install train", "train appears in Jupyter's list of kernels"),
    ("bubble kernel install", "the environment of this directory"),
    ("bubble kernel install train --prefix /opt/jupyter", "for the Jupyter that is there"),
)
DETAILS = (
    "ipykernel must be in the environment: bubble run ENV pip install ipykernel.\n"
    "The kernel goes when the environment does."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "environment",
        metavar="ENV",
        nargs="?",
        default="",
        help="a name or a path (default: this directory's)",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--user", action="store_true", help="for this user (the default)")
    where.add_argument("--prefix", metavar="DIR", default="", help="below DIR/share/jupyter")
    parser.add_argument(
        "--name", metavar="NAME", default="", help="the kernel's name (default: like ENV's)"
    )
    parser.add_argument("--display-name", metavar="TEXT", default="", help="what Jupyter shows")


def execute(options: Namespace, context: Context) -> Outcome:
    """Register the kernel, and say under which name."""
    from bubble.cli.commands.info import find
    from bubble.envs.kernel import install_kernel

    environment = find(options.environment, context, "kernel install")
    kernel = install_kernel(
        environment,
        context.env,
        prefix=os.path.abspath(options.prefix) if options.prefix else "",
        name=options.name,
        display_name=options.display_name,
    )
    return Outcome(
        data={
            "name": kernel.name,
            "display_name": kernel.display_name,
            "path": kernel.path,
            "python": kernel.python,
            "environment": kernel.environment,
        },
        lines=(kernel.name,),
        notes=(f"“{kernel.display_name}” is in {kernel.path}",),
    )

"""`bubble kernel remove`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble kernel remove train", "take it from Jupyter's list; the environment stays"),)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("names", metavar="NAME", nargs="+", help="a kernel's name")


def execute(options: Namespace, context: Context) -> Outcome:
    """Remove each kernel, if it runs an environment."""
    from bubble.envs.kernel import kernels, remove_kernel
    from bubble.model.text import printable
    from bubble.selection.registry import environments

    known = {e.path for e in environments(context.layout)}
    found = [k for k in kernels(context.layout, context.env) if k.is_ours or k.environment in known]
    removed = []
    errors = []
    for name in dict.fromkeys(options.names):
        chosen = [k for k in found if k.name == name.lower()]
        for kernel in chosen:
            remove_kernel(kernel, context.layout)
            removed.append(kernel)
        if not chosen:
            errors.append(
                BubbleError(
                    "environment",
                    f"no environment has a kernel called “{printable(name, 80)}”",
                    hint="see those that there are: bubble kernel list",
                )
            )
    return Outcome(
        data=[{"name": k.name, "path": k.path} for k in removed],
        lines=tuple(f"removed {k.name}" for k in removed),
        errors=tuple(errors),
    )

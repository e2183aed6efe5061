"""`bubble kernel list`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble kernel list", "the kernels that run environments"),)


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def execute(_options: Namespace, context: Context) -> Outcome:
    """List the kernels of environments that are known, and those that bubble registered."""
    from bubble.cli.output import table
    from bubble.envs.kernel import kernels
    from bubble.model.text import printable
    from bubble.selection.registry import environments

    titles = {e.path: e.title for e in environments(context.layout)}
    found = [
        k for k in kernels(context.layout, context.env) if k.is_ours or k.environment in titles
    ]
    rows = []
    data = []
    for kernel in found:
        works = os.path.exists(kernel.python)
        title = titles.get(kernel.environment, "")
        state = "" if works else "its interpreter is gone"
        cells = (kernel.name, kernel.display_name, title or kernel.environment, state)
        rows.append(tuple(printable(cell) for cell in cells))
        data.append(
            {
                "name": kernel.name,
                "display_name": kernel.display_name,
                "path": kernel.path,
                "python": kernel.python,
                "environment": kernel.environment,
                "ok": works,
            }
        )
    return Outcome(
        data=data, lines=table(rows), notes=() if found else ("no environment has a kernel",)
    )

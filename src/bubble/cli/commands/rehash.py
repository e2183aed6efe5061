"""`bubble rehash`."""

from __future__ import annotations

import sys

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble rehash", "after something else than pip installed commands"),)


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def execute(_options: Namespace, context: Context) -> Outcome:
    """Renew the shims."""
    from bubble.cli.shell_files import refresh
    from bubble.pythons.installed.store import finish_changes
    from bubble.selection.shims import rehash

    finish_changes(context.layout, context.platform())
    done = rehash(context.layout, sys.executable)
    refresh(context)
    return Outcome(
        data={"added": list(done.added), "removed": list(done.removed), "total": done.total},
        lines=(
            *(f"added {name}" for name in done.added),
            *(f"removed {name}" for name in done.removed),
        ),
        notes=(f"{done.total} commands have shims in {context.layout.shims}",),
    )

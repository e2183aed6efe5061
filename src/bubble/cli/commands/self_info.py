"""`bubble self info`."""

from __future__ import annotations

import sys

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble self info", "how bubble came here, what it runs on, how it is kept up to date"),
)
JSON = "{version, kind, root, python, command, previous}"


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""
    del parser


def execute(options: Namespace, context: Context) -> Outcome:
    """Tell it."""
    del options
    import platform

    from bubble import __version__
    from bubble.program.origin import INSTALLER, origin

    found = origin(context.env)
    own = found.kind == INSTALLER
    command = found.upgrade
    remove = "bubble self uninstall" if own else found.remove
    python = platform.python_version()
    lines = [
        f"bubble {__version__}, by {found.kind}, in {found.root}",
        f"runs on Python {python} ({sys.executable})",
        *([f"the command is {found.launcher}"] if found.launcher else []),
        f"a newer one: {command}",
        *([f"back to {found.previous}: bubble self update --back"] if found.previous else []),
        f"off this machine: {remove}",
    ]
    return Outcome(
        data={
            "version": __version__,
            "kind": found.kind,
            "root": found.root,
            "python": python,
            "command": command,
            "previous": found.previous or None,
        },
        lines=tuple(lines),
    )

"""`bubble current`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (("bubble current", "which Python this directory selects, and what says so"),)


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def execute(_options: Namespace, context: Context) -> Outcome:
    """Say what is selected here."""
    from bubble.model.text import printable
    from bubble.selection.resolve import select

    selection = select(context.world())
    source = selection.source
    missing = [printable(entry.text) for entry in selection.missing]
    return Outcome(
        data={
            "answers": [
                {
                    "name": a.name,
                    "prefix": None if a.is_system else a.prefix,
                    "request": a.entry.text if a.entry else None,
                    "line": a.entry.line if a.entry else None,
                }
                for a in selection.answers
            ],
            "missing": missing,
            "source": {"kind": source.kind, "path": source.path or None, "text": str(source)},
        },
        lines=tuple(f"{a.name} (set by {source})" for a in selection.answers),
        notes=tuple(f"not installed: {text}" for text in missing),
    )

"""`bubble cache size`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble cache size", "how much space the cache takes"),
    ("bubble cache size --json", "in bytes, by kind"),
)
_KINDS = {"archive": "archives", "partial": "partial downloads", "catalogue": "catalogues"}


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def execute(_options: Namespace, context: Context) -> Outcome:
    """Add up the cache."""
    from bubble.cli.output import table
    from bubble.model.text import size
    from bubble.pythons.installing.cache import contents

    found = contents(context.layout)
    kinds = {kind: [c for c in found if c.kind == kind] for kind in _KINDS}
    total = sum(c.size for c in found)
    rows = [
        (title, str(len(kinds[kind])), size(sum(c.size for c in kinds[kind])))
        for kind, title in _KINDS.items()
        if kinds[kind]
    ]
    return Outcome(
        data={
            "path": context.layout.cache,
            "bytes": total,
            "kinds": {
                kind: {"files": len(items), "bytes": sum(c.size for c in items)}
                for kind, items in kinds.items()
            },
        },
        lines=table([*rows, ("total", str(len(found)), size(total))]),
    )

"""`bubble cache prune`."""

from __future__ import annotations

import time

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble cache prune", "empty the cache"),
    ("bubble cache prune --older-than 30", "keep what the last 30 days used"),
    ("bubble cache prune --dry-run", "only say what would go"),
)
DETAILS = (
    "Everything in the cache can be fetched again. What another process downloads or unpacks at\n"
    "the moment stays. bubble gc removes only what nobody will ask for."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument(
        "--older-than", metavar="DAYS", type=_days, default=0.0, help="only what is older"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Empty the cache."""
    from bubble.model.text import size
    from bubble.pythons.installing.cache import contents, drop, is_free

    layout = context.layout
    before = time.time() - options.older_than * 86400
    old = [c for c in contents(layout) if not options.older_than or c.used_at < before]
    if options.dry_run:
        gone = tuple(c for c in old if is_free(layout, c))
        busy = tuple(c for c in old if c not in gone)
    else:
        dropped = drop(layout, old)
        gone, busy = dropped.removed, dropped.in_use
    total = sum(c.size for c in gone)
    files = "1 file" if len(gone) == 1 else f"{len(gone)} files"
    return Outcome(
        data={
            "dry_run": options.dry_run,
            "removed": [{"path": c.path, "kind": c.kind, "bytes": c.size} for c in gone],
            "in_use": [c.path for c in busy],
            "bytes": total,
        },
        lines=(f"{'would remove' if options.dry_run else 'removed'} {files}, {size(total)}",),
        notes=tuple(f"in use by another process: {c.path}" for c in busy),
    )


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days < 1e6:
        raise ValueError
    return days

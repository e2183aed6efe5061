"""`bubble export`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble export > requirements.txt", "what this directory's environment has"),
    ("bubble export train", "a named one's"),
    ("bubble create other -r requirements.txt", "and the same once more"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("env", metavar="ENV", nargs="?", default="", help="a name or a path")
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        choices=("requirements",),
        default="requirements",
        help="how to write it",
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Export."""
    from bubble.cli.commands.info import find
    from bubble.envs.exchange.export import exported, warnings_of

    environment = find(options.env, context)
    found = exported(environment.path)
    lines = [line for d in found for line in (d.comment, d.requirement) if line]
    return Outcome(
        data=[
            {
                "name": d.name,
                "version": d.version,
                "requirement": d.requirement,
                "editable": bool(d.project),
                "url": d.url or None,
            }
            for d in found
        ],
        lines=tuple(lines),
        warnings=warnings_of(found, environment.path),
    )

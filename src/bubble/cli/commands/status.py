"""`bubble status`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

EXAMPLES = (
    ("bubble status", "every bubble of this project, beside its lock"),
    ("bubble status train", "one of them"),
    ("bubble status --json", "for scripts"),
)
DETAILS = (
    "Nothing is changed and nothing is asked for. It fails where something isn't as the manifest\n"
    "and the lock say."
)
JSON = "[{bubble, path, state, detail, changes, mend}]"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bubbles", metavar="BUBBLE", nargs="*", help="default: all of them")


def execute(options: Namespace, context: Context) -> Outcome:
    """Tell how the project's environments do."""
    return outcome(options.bubbles, context, everything=not options.bubbles)


def outcome(names: Sequence[str], context: Context, *, everything: bool) -> Outcome:
    """Return how the bubbles do, as a command's result: it fails where one isn't in sync."""
    from bubble.cli.output import table
    from bubble.projects.locate import chosen, project_of
    from bubble.projects.status import IN_SYNC, left_over, status_of

    world = context.world()
    project = project_of(world.cwd, world.env.get("HOME", ""))
    rows: list[list[str]] = []
    data: list[dict[str, object]] = []
    errors: list[BubbleError] = []
    for bubble in chosen(project, names, everything=everything):
        try:
            found = status_of(project, bubble, world)
        except BubbleError as error:
            errors.append(error)
            continue
        rows.append([bubble.name, found.state, found.detail or found.path])
        rows += [["", "", f"  {change}"] for change in found.changes]
        data.append(
            {
                "bubble": bubble.name,
                "path": found.path,
                "state": found.state,
                "detail": found.detail or None,
                "changes": [change.as_dict() for change in found.changes],
                "mend": found.mend or None,
            }
        )
        if found.state != IN_SYNC:
            said = f"the bubble {bubble.name}: {found.state}"
            errors.append(BubbleError("environment", said, hint=found.mend))
    notes = [
        f"{path} is of a bubble that the manifest doesn't have any more: bubble remove "
        f"{os.path.relpath(path, world.cwd)}"
        for path in (left_over(project, world) if everything else ())
    ]
    return Outcome(data=data, lines=table(rows), notes=tuple(notes), errors=tuple(errors))

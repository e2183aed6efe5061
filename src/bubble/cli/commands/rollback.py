"""`bubble rollback`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble rollback", "this project's environment, as it was before the last sync"),
    ("bubble rollback train", "another bubble's"),
)
DETAILS = (
    "The two change places, so a second rollback takes the first one back. The lock files stay:\n"
    "bubble status says that the environment was made from another one."
)
JSON = "[{bubble, path, changes, previous}]"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bubbles", metavar="BUBBLE", nargs="*", help="default: the default one")


def execute(options: Namespace, context: Context) -> Outcome:
    """Bring them back."""
    from bubble.projects.locate import chosen, project_of
    from bubble.projects.rollback import roll_back

    world = context.world()
    project = project_of(world.cwd, world.env.get("HOME", ""))
    bubbles = chosen(project, options.bubbles, everything=False)
    done = [roll_back(project, bubble, world) for bubble in bubbles]
    context.renew_shims()
    notes = []
    for one in done:
        notes.append(f"brought back {one.path}")
        notes += [f"  {change}" for change in one.changes]
    return Outcome(
        data=[
            {
                "bubble": one.bubble.name,
                "path": one.path,
                "changes": [change.as_dict() for change in one.changes],
                "previous": one.previous or None,
            }
            for one in done
        ],
        lines=tuple(one.path for one in done),
        notes=tuple(notes),
    )

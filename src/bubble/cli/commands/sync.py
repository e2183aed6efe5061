"""`bubble sync`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble sync", "this project's environment, as its lock says"),
    ("bubble sync train evaluate", "other bubbles of the manifest"),
    ("bubble sync --all --locked", "for CI: all of them, and never a new lock"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bubbles", metavar="BUBBLE", nargs="*", help="default: the default one")
    parser.add_argument("--all", action="store_true", help="every bubble of the manifest")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--locked", action="store_true", help="fail where the lock is stale")
    how.add_argument("--frozen", action="store_true", help="take the lock as it is")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")


def execute(options: Namespace, context: Context) -> Outcome:
    """Make the environments what their locks say."""
    from bubble.cli.commands.lock import data_of
    from bubble.cli.locked import told
    from bubble.projects.locate import chosen, project_of
    from bubble.projects.sync import FROZEN, LOCKED, sync_bubble

    world = context.world()
    project = project_of(world.cwd, world.env.get("HOME", ""))
    mode = LOCKED if options.locked else FROZEN if options.frozen else ""
    done = []
    for bubble in chosen(project, options.bubbles, everything=options.all):
        one = sync_bubble(
            project,
            bubble,
            world,
            context.output.progress(),
            mode=mode,
            dry_run=options.dry_run,
            show=not context.output.json,
        )
        done.append(one)
        if not options.dry_run and one.status != "unchanged":
            context.renew_shims([one.path])
    notes = []
    for one in done:
        notes += told(one.locked) if one.locked else []
        notes.append(f"{one.status} {one.path}")
        notes += [f"  {change}" for change in one.changes]
    return Outcome(
        data=[
            {
                "bubble": one.bubble.name,
                "path": one.path,
                "status": one.status,
                "lock": data_of(one.locked) if one.locked else None,
                "changes": [change.as_dict() for change in one.changes],
            }
            for one in done
        ],
        lines=tuple(one.path for one in done),
        notes=tuple(notes),
    )

"""`bubble lock`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.projects.lock import Locked

EXAMPLES = (
    ("bubble lock", "this project's environment: pylock.toml"),
    ("bubble lock train", "another bubble of the manifest: pylock.train.toml"),
    ("bubble lock --all --check", "for CI: fails where a lock isn't the manifest's any more"),
    ("bubble lock --upgrade pandas", "let one package move"),
    ("bubble lock --python", "take the newest build of the interpreter, and nothing else"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bubbles", metavar="BUBBLE", nargs="*", help="default: the default one")
    parser.add_argument("--all", action="store_true", help="every bubble of the manifest")
    parser.add_argument(
        "--upgrade", metavar="PACKAGE", nargs="?", action="append", const="", default=None,
        help="let this package move, or all (repeatable)",
    )  # fmt: skip
    parser.add_argument("--python", action="store_true", help="let the interpreter move")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if it would")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")


def execute(options: Namespace, context: Context) -> Outcome:
    """Lock."""
    from bubble.projects.locate import chosen, project_of
    from bubble.projects.lock import lock_bubble

    world = context.world()
    project = project_of(world.cwd, world.env.get("HOME", ""))
    upgrade = options.upgrade
    if upgrade is not None:
        upgrade = () if "" in upgrade else tuple(upgrade)
    done = [
        lock_bubble(
            project,
            bubble,
            world,
            upgrade=upgrade,
            upgrade_python=options.python,
            dry_run=options.dry_run or options.check,
        )
        for bubble in chosen(project, options.bubbles, everything=options.all)
    ]
    errors: tuple[BubbleError, ...] = ()
    if options.check:
        stale = [one.path for one in done if one.status != "unchanged"]
        errors = tuple(
            BubbleError("lock", f"{path} is not what the manifest asks for", hint="bubble lock")
            for path in stale
        )
    return Outcome(
        data=[data_of(one) for one in done],
        lines=tuple(one.path for one in done),
        notes=tuple(line for one in done for line in told(one)),
        errors=errors,
    )


def data_of(one: Locked) -> dict[str, object]:
    """Return what came of locking, as JSON has it."""
    return {
        "bubble": one.bubble.name,
        "path": one.path,
        "status": one.status,
        "python": one.lock.version,
        "changes": [change.as_dict() for change in one.changes],
    }


def told(one: Locked) -> list[str]:
    """Return what came of locking, for people."""
    count = len(one.lock.versions)
    head = f"{one.status} {one.path}: Python {one.lock.version}, {count} packages"
    return [head, *(f"  {change}" for change in one.changes if one.status == "changed")]

"""`bubble lock`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.cli.locked import told
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from bubble.projects.lock import Locked

EXAMPLES = (
    ("bubble lock", "this project's environment: pylock.toml"),
    ("bubble lock train", "another bubble of the manifest: pylock.train.toml"),
    ("bubble lock --all --check", "for CI: fails where a lock isn't the manifest's any more"),
    ("bubble lock --upgrade pandas", "let one package move"),
    ("bubble lock --script report.py", "what a script needs: report.py.lock"),
    ("bubble lock --python", "take the newest build of the interpreter, and nothing else"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bubbles", metavar="BUBBLE", nargs="*", help="default: the default one")
    parser.add_argument(
        "--script", metavar="FILE", default="", help="a script with metadata, not a project"
    )
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
    upgrade = options.upgrade
    if upgrade is not None:
        upgrade = () if "" in upgrade else tuple(upgrade)
    if options.script:
        from bubble.cli import scripts

        one, command = scripts.lock(options, context, upgrade)
        return outcome([one], check=options.check, command=command)
    project = project_of(world.cwd, world.env.get("HOME", ""))
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
    return outcome(done, check=options.check)


def outcome(done: Sequence[Locked], *, check: bool, command: str = "bubble lock") -> Outcome:
    """Return the result of locking; `check`: what isn't as it was is an error."""
    stale = [one.path for one in done if check and one.status != "unchanged"]
    errors = tuple(
        BubbleError("lock", f"{path} is not what is asked for any more", hint=command)
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

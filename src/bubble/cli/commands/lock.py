"""`bubble lock`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.cli.locked import told
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from bubble.projects.lock import Locked
    from bubble.projects.manifest import Bubble, Project
    from bubble.selection.resolve import World

EXAMPLES = (
    ("bubble lock", "this project's environment: pylock.toml"),
    ("bubble lock train", "another bubble of the manifest: pylock.train.toml"),
    ("bubble lock --all --check", "for CI: fails where a lock isn't the manifest's any more"),
    ("bubble lock --upgrade --dry-run", "what would move, if everything may"),
    ("bubble lock --upgrade requests", "let one package move"),
    ("bubble lock --script report.py", "what a script needs: report.py.lock"),
    ("bubble lock --python", "take the newest build of the interpreter, and nothing else"),
    ("bubble lock --from .venv", "exactly what is installed in an environment"),
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
    parser.add_argument(
        "--from", dest="source", metavar="ENV", default="", help="lock what is installed there"
    )
    parser.add_argument(
        "--installer", metavar="INSTALLER", choices=("uv", "pip"), default="",
        help="uv, or pip, which finds packages for this platform alone",
    )  # fmt: skip
    parser.add_argument("--check", action="store_true", help="change nothing; fail if it is stale")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")


def execute(options: Namespace, context: Context) -> Outcome:
    """Lock."""
    from bubble.projects.locate import chosen, project_of

    if options.script:
        return _script(options, context)
    world = context.world()
    project = project_of(world.cwd, world.env.get("HOME", ""))
    bubbles = chosen(project, options.bubbles, everything=options.all)
    _require_sense(options, len(bubbles))
    if options.check:
        return _checked(bubbles, project, world)
    done: list[Locked] = []
    errors: list[BubbleError] = []
    lock = _locker(options, context)
    for bubble in bubbles:
        try:
            done.append(lock(project, bubble, world, context.output.progress()))
        except BubbleError as error:
            if len(bubbles) == 1:
                raise
            errors.append(_of(bubble, error))
    return Outcome(
        data=[data_of(one) for one in done],
        lines=tuple(one.path for one in done),
        notes=tuple(line for one in done for line in told(one, dry_run=options.dry_run)),
        warnings=tuple(f"{one.bubble.name}: {note}" for one in done for note in one.notes),
        errors=tuple(errors),
    )


def _script(options: Namespace, context: Context) -> Outcome:
    """Lock a script; to check it is to resolve, since its lock may be another tool's."""
    from bubble.cli import scripts

    one, command = scripts.lock(options, context, _upgrade(options))
    stale = options.check and one.status != "unchanged"
    error = BubbleError("lock", f"{one.path} is not what is asked for any more", hint=command)
    return Outcome(
        data=[data_of(one)],
        lines=(one.path,),
        notes=tuple(told(one, dry_run=options.dry_run or options.check)),
        errors=(error,) if stale else (),
    )


def _upgrade(options: Namespace) -> tuple[str, ...] | None:
    """Return the packages that may move, none of them for all; None where nothing is to."""
    upgrade = options.upgrade
    return None if upgrade is None else () if "" in upgrade else tuple(upgrade)


def _locker(options: Namespace, context: Context) -> Callable[..., Locked]:
    """Return what locks a bubble as the flags say."""
    from functools import partial

    common = {"dry_run": options.dry_run, "installer": options.installer}
    if options.source:
        from bubble.cli.commands.info import find
        from bubble.projects.installed import lock_installed

        return partial(lock_installed, find(options.source, context, "lock --from"), **common)
    from bubble.projects.lock import lock_bubble

    return partial(lock_bubble, upgrade=_upgrade(options), upgrade_python=options.python, **common)


def _of(bubble: Bubble, error: BubbleError) -> BubbleError:
    """Return an error that says which of several bubbles it is about."""
    return BubbleError(
        error.kind, f"{bubble.name}: {error.message}", hint=error.hint, details=error.details
    )


def _require_sense(options: Namespace, bubbles: int) -> None:
    """Raise BubbleError(usage) for flags that contradict each other."""
    moving = options.upgrade is not None or options.python
    if options.check and (moving or options.source or options.installer):
        raise BubbleError(
            "usage",
            "--check only looks at what is there",
            hint="to see what would change: --dry-run in its place",
        )
    if options.source and (moving or bubbles != 1):
        raise BubbleError(
            "usage",
            "--from locks one bubble, exactly as an environment is",
            hint="name one bubble, and leave --upgrade and --python out",
        )


def _checked(bubbles: Sequence[Bubble], project: Project, world: World) -> Outcome:
    """Look at the locks alone."""
    from bubble.projects.staleness import check

    found = [check(project, bubble, world) for bubble in bubbles]
    return Outcome(
        data=[
            {
                "bubble": one.bubble.name,
                "path": one.path,
                "status": "stale" if one.differences else "current",
                "differences": list(one.differences),
            }
            for one in found
        ],
        lines=tuple(one.path for one in found if not one.differences),
        errors=tuple(one.error for one in found if one.error),
    )


def data_of(one: Locked) -> dict[str, object]:
    """Return what came of locking, as JSON has it."""
    return {
        "bubble": one.bubble.name,
        "path": one.path,
        "status": one.status,
        "python": one.lock.version,
        "changes": [change.as_dict() for change in one.changes],
        "notes": list(one.notes),
    }

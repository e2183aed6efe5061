"""`bubble sync`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from bubble.projects.sync import Synced

EXAMPLES = (
    ("bubble sync", "this project's environment, as its lock says"),
    ("bubble sync train evaluate", "other bubbles of the manifest"),
    ("bubble sync --all --locked", "for CI: all of them, and never a new lock"),
    ("bubble sync --check", "change nothing; fail where something isn't as its lock says"),
)
DETAILS = (
    "A lock that is missing or not the manifest's any more is made first. The environment before\n"
    "stays for bubble rollback until the next sync; what runs in it goes on."
)
JSON = "[{bubble, path, status, why, lock, changes, kept, previous, links}]"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bubbles", metavar="BUBBLE", nargs="*", help="default: the default one")
    parser.add_argument("--all", action="store_true", help="every bubble of the manifest")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--locked", action="store_true", help="fail where the lock is stale")
    how.add_argument("--frozen", action="store_true", help="take the lock as it is")
    parser.add_argument(
        "--inexact", action="store_true", help="keep packages that the lock doesn't have"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="show what would change")
    what.add_argument("--check", action="store_true", help="the same as bubble status")


def execute(options: Namespace, context: Context) -> Outcome:
    """Make the environments what their locks say."""
    if options.check:
        from bubble.cli.commands.status import outcome

        return outcome(options.bubbles, context, everything=options.all or not options.bubbles)
    if not options.dry_run:
        from bubble.projects.quick import nothing_to_do
        from bubble.system.directory import working_directory

        cwd = working_directory(context.env.get("PWD", ""))
        found = nothing_to_do(context.layout, cwd, options.bubbles, everything=options.all)
        if found is not None:
            if not options.bubbles and not options.all:
                from bubble.projects.shortcuts import leave_sync

                leave_sync(context.layout, cwd, found)
            return _nothing_to_do(found)
    from bubble.projects.locate import chosen, project_of
    from bubble.projects.noting import note
    from bubble.projects.sync import FROZEN, LOCKED, SAME, sync_bubble

    world = context.world()
    project = project_of(world.cwd, world.env.get("HOME", ""))
    mode = LOCKED if options.locked else FROZEN if options.frozen else ""
    done: list[Synced] = []
    errors: list[BubbleError] = []
    for bubble in chosen(project, options.bubbles, everything=options.all):
        try:
            with context.output.working(f"sync {bubble.name}"):
                one = sync_bubble(
                    project,
                    bubble,
                    world,
                    context.output.progress(),
                    mode=mode,
                    dry_run=options.dry_run,
                    inexact=options.inexact,
                    show=not context.output.json,
                )
        except BubbleError as error:  # one that can't be made keeps none of the others
            errors.append(error)
            continue
        done.append(one)
    new = [one for one in done if one.status != SAME]
    if new and not options.dry_run:
        context.renew_shims([one.path for one in new])
    if not options.dry_run:
        note(project, world)
    return Outcome(
        data=[_data(one) for one in done],
        lines=tuple(one.path for one in done),
        warnings=tuple(line for one in new for line in _warnings(one)),
        notes=tuple(line for one in done for line in told(one, dry_run=options.dry_run)),
        errors=tuple(errors),
    )


def _nothing_to_do(found: Sequence[tuple[str, str]]) -> Outcome:
    return Outcome(
        data=[_said(name, path, "unchanged") for name, path in found],
        lines=tuple(path for _, path in found),
        notes=tuple(f"unchanged {path}" for _, path in found),
    )


def told(one: Synced, *, dry_run: bool = False) -> list[str]:
    """Return what came of a sync, for people."""
    from bubble.model.text import printable

    would = "would be " if dry_run else ""
    found: list[str] = []
    if one.locked:
        from bubble.cli.locked import told as told_of_lock

        found = told_of_lock(one.locked)
    if dry_run and one.locked:
        found[0] = f"would be {found[0]}"
    if one.status == "unchanged":
        return [*found, f"unchanged {one.path}"]
    because = f" ({one.why})" if one.why and one.status == "changed" else ""
    found.append(f"{would}{one.status} {one.path}{because}")
    found += [f"  {change}" for change in one.changes]
    if one.kept:
        found.append(f"  kept beyond the lock: {printable(', '.join(one.kept), 300)}")
    if one.previous:
        name = one.bubble.name if one.bubble.name != "default" else ""
        found.append(f"  the one before is back with: bubble rollback {name}".rstrip())
    elif one.replaced:
        found.append("  the one before could not be kept: this file system can't rename it")
    return found


def _warnings(one: Synced) -> list[str]:
    from bubble.projects.links import is_shown_by_git

    shown = [directory for directory in one.links if is_shown_by_git(directory)]
    return [
        f"git will show {directory}/.venv, which is a link: put .venv into .gitignore, without a "
        "slash behind it"
        for directory in shown
    ]


def _data(one: Synced) -> dict[str, object]:
    lock = None
    if one.locked:
        from bubble.cli.commands.lock import data_of

        lock = data_of(one.locked)
    return {
        **_said(one.bubble.name, one.path, one.status),
        "why": one.why or None,
        "lock": lock,
        "changes": [change.as_dict() for change in one.changes],
        "kept": list(one.kept),
        "previous": one.previous or None,
        "links": list(one.links),
    }


def _said(name: str, path: str, status: str) -> dict[str, object]:
    nothing: dict[str, object] = {"why": None, "lock": None, "changes": [], "kept": []}
    return {
        "bubble": name,
        "path": path,
        "status": status,
        **nothing,
        "previous": None,
        "links": [],
    }

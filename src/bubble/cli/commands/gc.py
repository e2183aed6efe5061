"""`bubble gc`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from bubble.envs.discarding.gc import Item

EXAMPLES = (
    ("bubble gc --dry-run", "what would go, and how much space that frees"),
    ("bubble gc", "throw away what nobody needs"),
    ("bubble gc --yes", "and the older Pythons that nothing uses as far as is known, unasked"),
    ("bubble gc --only downloads --only scratch", "only these kinds"),
    ("bubble gc --all", "also Pythons that nothing uses, and all archives of installed ones"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.flags import add_yes
    from bubble.envs.discarding.gc.item import KINDS

    width = max(map(len, KINDS))
    listed = "\n".join(f"  {kind.ljust(width)}  {what}" for kind, what in KINDS.items())
    parser.description = (
        f"{parser.description}\n\nkinds:\n{listed}\n\n"
        "Adopted interpreters and all that an environment, a known directory, the global pin, a\n"
        "shell of the last month, a running process or bubble itself uses stay, whatever is asked\n"
        "for. Pythons that nothing uses go only when that is said (--yes, --all, --only pythons)\n"
        "or answered: others may use what can't be known here. The archives of installed\n"
        "interpreters, which mend them offline, go with --all."
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument(
        "--only",
        metavar="KIND",
        action="append",
        choices=tuple(KINDS),
        default=[],
        help="only this kind (repeatable)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="also the newest Pythons that nothing uses, and archives of installed ones",
    )
    add_yes(parser)


def execute(options: Namespace, context: Context) -> Outcome:
    """Find what can go, and throw it away unless it was only asked for."""
    from bubble.envs.discarding.gc import KINDS, Collected, collect, plan

    machine = context.machine()
    cwd = context.world().cwd
    with context.output.working("looking for what nobody needs"):
        items = plan(machine, cwd, options.only or KINDS, everything=options.all)
    asking = [item for item in items if item.kind == "pythons"]
    if not asking or _is_said(options) or _is_answered(asking, options, context):
        asking = []
    items = [item for item in items if item not in asking]
    done = Collected(removed=tuple(items), kept=(), errors=())
    if not options.dry_run and items:
        with context.output.working("throwing it away"):
            done = collect(items, machine, cwd)
        if any(item.kind in {"pythons", "links"} for item in done.removed):
            context.renew_shims()
    return Outcome(
        data={
            "dry_run": options.dry_run,
            "removed": [_data(item) for item in done.removed],
            "kept": [_data(item) for item in (*done.kept, *asking)],
            "bytes": sum(item.size for item in done.removed),
        },
        lines=_lines(done.removed, dry=options.dry_run),
        notes=tuple(f"kept, it is in use: {item.path}" for item in done.kept if not done.errors),
        next_steps=_asking(asking),
        errors=done.errors,
    )


def _is_said(options: Namespace) -> bool:
    """Whether Pythons shall go: nobody can know of all that uses them."""
    return bool(options.yes or options.all or "pythons" in options.only)


def _is_answered(pythons: Sequence[Item], options: Namespace, context: Context) -> bool:
    output = context.output
    if options.dry_run or output.json or not output.may_ask:
        return False
    for item in pythons:
        output.note(f"{_shown(item)}: {item.why}")
    return output.ask("remove that too?")


def _asking(pythons: Sequence[Item]) -> tuple[str, ...]:
    if not pythons:
        return ()
    return (
        *(f"not without a word: {_shown(item)}: {item.why}" for item in pythons),
        "what can't be known may use them; to remove them as well: bubble gc --yes",
    )


def _shown(item: Item) -> str:
    from bubble.model.text import printable, size

    return f"{printable(item.path, 500)} ({size(item.size)})"


def _lines(items: Sequence[Item], *, dry: bool) -> tuple[str, ...]:
    from bubble.cli.output import table
    from bubble.model.text import printable, size

    if not items:
        return ("nothing to throw away",)
    rows = [
        (
            item.kind,
            size(item.size) if item.size else "",
            f"{printable(item.path, 500)}: {item.why}",
        )
        for item in items
    ]
    things = "1 thing" if len(items) == 1 else f"{len(items)} things"
    verb = "would free" if dry else "freed"
    return (*table(rows), f"{things}, {verb} {size(sum(item.size for item in items))}")


def _data(item: Item) -> dict[str, object]:
    return {"kind": item.kind, "path": item.path, "why": item.why, "bytes": item.size}

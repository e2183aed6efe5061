"""`bubble current`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.selection.resolve import Answer, Selection, World

EXAMPLES = (("bubble current", "which Python this directory selects, and what says so"),)


def define(parser: ArgumentParser) -> None:
    """Declare no arguments."""


def execute(_options: Namespace, context: Context) -> Outcome:
    """Say what is selected here; fails where one of several isn't installed, and tells the rest."""
    from bubble.model.text import printable
    from bubble.selection.memos import leave_told
    from bubble.selection.reached import shadow_of, warning
    from bubble.selection.resolve import not_installed, select
    from bubble.selection.sources import unreadable
    from bubble.selection.worktree import warning as worktree_warning

    world = context.world()
    selection = select(world)
    shadow = shadow_of(selection, world)
    source = selection.source
    lines = tuple(_line(answer, selection) for answer in selection.answers)
    warnings = (
        *(f"passed over: {fault}" for fault in unreadable(world.cwd, source)),
        *warning("python", shadow, world),
        *worktree_warning(source, world),
    )
    if not warnings:
        leave_told(selection, world, lines[0])
    missing = [printable(entry.text) for entry in selection.missing]
    return Outcome(
        data={
            "answers": [
                {
                    "name": a.name,
                    "prefix": None if a.is_system else a.prefix,
                    "executable": _executable(a, world),
                    "request": a.entry.text if a.entry else None,
                    "line": a.entry.line or None if a.entry else None,
                }
                for a in selection.answers
            ],
            "missing": missing,
            "shadowed_by": shadow or None,
            "source": {"kind": source.kind, "path": source.path or None, "text": str(source)},
        },
        lines=lines,
        warnings=warnings,
        errors=tuple(not_installed(entry, source) for entry in selection.missing),
    )


def _line(answer: Answer, selection: Selection) -> str:
    if selection.source.kind == "default":
        return "system (nothing selects a Python here)"
    return f"{answer.name} (set by {selection.source})"


def _executable(answer: Answer, world: World) -> str | None:
    if not answer.is_system:
        return f"{answer.prefix}/bin/python"
    from bubble.selection.path import find_system

    return find_system("python", world.env, world.layout) or None

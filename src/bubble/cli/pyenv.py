"""What `bubble import pyenv` does, and how it is told."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bubble.envs.exchange.pyenv import Item
    from bubble.envs.exchange.pyenv_lines import Line

_SHOWN = 120  # characters of a start-up file's line


def adopt(context: Context, *, dry_run: bool) -> Outcome:
    """Adopt everything of pyenv's that can be, and say what is left to do by hand."""
    from bubble.envs.exchange.pyenv import find_root, take_over
    from bubble.envs.exchange.pyenv_lines import setup_lines

    root = find_root(context.env)
    items = take_over(root, context.machine(), dry_run=dry_run)
    lines = setup_lines(context.env)
    if not dry_run:
        context.renew_shims()
    return Outcome(
        data={
            "root": root,
            "dry_run": dry_run,
            "items": [
                {**item.as_dict(), "key": str(item.key) if item.key else None} for item in items
            ],
            "startup": [{"path": x.path, "line": x.number, "text": x.text} for x in lines],
        },
        lines=_table(items, dry_run=dry_run),
        next_steps=_next_steps(root, items, lines, context, dry_run=dry_run),
    )


def _table(items: Sequence[Item], *, dry_run: bool) -> tuple[str, ...]:
    from bubble.model.text import printable

    would = {"adopted": "would adopt", "pinned": "would pin"} if dry_run else {}
    names = [printable(item.name, 60) for item in items]
    width = max(map(len, names), default=0)
    actions = [would.get(item.action, item.action) for item in items]
    first = max(map(len, actions), default=0)
    return tuple(
        f"{action:{first}}  {item.kind:11}  {name:{width}}  {item.detail}"
        for action, name, item in zip(actions, names, items, strict=True)
    )


def _next_steps(
    root: str, items: Sequence[Item], lines: Sequence[Line], context: Context, *, dry_run: bool
) -> tuple[str, ...]:
    from bubble.model.text import printable

    if not items:
        return (f"there is nothing in {printable(root, 500)} to adopt",)
    if dry_run:
        return ("nothing was changed; to do it: bubble import pyenv",)
    notes = []
    if lines:
        notes.append("next, take pyenv's lines out of your start-up files:")
        notes += [f"  {printable(x.path)}:{x.number}: {printable(x.text, _SHOWN)}" for x in lines]
        notes.append("then put bubble's in: bubble init --install")
    else:
        notes.append("next, set up your shell, if it isn't: bubble init --install")
    if context.env.get("PYENV_VERSION"):
        notes.append("PYENV_VERSION is set; bubble reads BUBBLE_PYTHON (bubble shell)")
    notes.append("keep pyenv's directory: what was adopted lies in it (bubble doctor checks)")
    return tuple(notes)

"""`bubble explain`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.selection.explain import Considered, Explanation

EXAMPLES = (
    ("bubble explain", "why `python` is what it is here"),
    ("bubble explain black", "the same for another command"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("command", metavar="CMD", nargs="?", default="python", help="a command")


def execute(options: Namespace, context: Context) -> Outcome:
    """Explain."""
    from bubble.cli.output import table
    from bubble.selection.explain import explain
    from bubble.selection.resolve import require_name

    name = require_name(options.command)
    told = explain(name, context.world())
    rows = [(_mark(c), str(c.source), _said(c)) for c in told.considered]
    lines = ["What could decide, highest first:", *(f"  {line}" for line in table(rows)), ""]
    if told.selection:
        lines.append(f"Selected: {', '.join(a.name for a in told.selection.answers)}")
    if told.command:
        lines.append(f"{name} runs {told.command}")
    lines += [f"Note: {note}" for note in told.path_notes]
    lines += ["", "Others would ask:", *(f"  {k}: {v}" for k, v in told.others.items())]
    return Outcome(
        data=_data(told),
        lines=tuple(lines),
        errors=(told.error,) if told.error else (),
    )


def _mark(considered: Considered) -> str:
    return {"wins": "->", "overruled": "  ", "says nothing": "  "}[considered.verdict]


def _said(considered: Considered) -> str:
    from bubble.model.text import printable

    if considered.error:
        return f"can't be used: {considered.error}"
    if considered.verdict == "says nothing":
        return "says nothing about Python"
    return printable(", ".join(considered.texts))


def _data(told: Explanation) -> dict[str, object]:
    return {
        "considered": [
            {
                "kind": c.source.kind,
                "path": c.source.path or None,
                "requests": list(c.texts),
                "verdict": c.verdict,
                "error": c.error or None,
            }
            for c in told.considered
        ],
        "selected": [a.name for a in told.selection.answers] if told.selection else [],
        "command": told.command or None,
        "path_notes": list(told.path_notes),
        "others": told.others,
    }

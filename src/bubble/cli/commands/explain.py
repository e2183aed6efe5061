"""`bubble explain`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from bubble.selection.explain import Considered, Explanation
    from bubble.selection.resolve import Selection, World
    from bubble.system.version_file import Entry

EXAMPLES = (
    ("bubble explain", "why `python` is what it is here"),
    ("bubble explain black", "the same for another command"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("command", metavar="CMD", nargs="?", default="python", help="a command")


def execute(options: Namespace, context: Context) -> Outcome:
    """Explain."""
    from bubble.selection.commands import require_name
    from bubble.selection.explain import explain
    from bubble.selection.worktree import warning as worktree_warning

    world = context.world()
    told = explain(require_name(options.command), world)
    return Outcome(
        data=_data(told),
        lines=tuple(_lines(told, world.env.get("HOME", "").rstrip("/"))),
        notes=tuple(_passed_over(told, world)),
        warnings=worktree_warning(told.selection.source, world) if told.selection else (),
        errors=(told.error,) if told.error else (),
    )


def _passed_over(told: Explanation, world: World) -> Iterator[str]:
    """Say which project's environment nobody asks, since it isn't registered where it lies."""
    from bubble.envs.knowing.ownership import claim

    directory, path = world.cwd, f"{world.cwd.rstrip('/')}/.venv"
    while directory and not os.path.isfile(f"{path}/pyvenv.cfg"):
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory, path = parent, f"{parent.rstrip('/')}/.venv"
    asked = {c.source.path for c in told.considered if c.source.kind == "environment"}
    if directory and directory not in asked:
        found = claim(path, world.layout)
        trust = f", {found.condition}" if found.condition else ""
        yield (
            f"{printable(path, 500)} is not used: it {found.said}; "
            f"to use it{trust}: {found.command}"
        )


def _lines(told: Explanation, home: str) -> Iterator[str]:
    yield from _table(
        [
            (f"{printable(told.name, 60)}:", printable(told.command, 1000) or "nothing"),
            ("because:", _because(told)),
            ("shim:", _about_shim(told)),
        ],
        home,
    )
    yield ""
    yield "What can decide, highest first:"
    yield from (f"  {line}" for line in _table(list(_candidates(told)), home))
    yield ""
    yield "What others read here:"
    yield from (f"  {line}" for line in _table(list(_others(told)), home))


def _table(rows: Sequence[Sequence[str]], home: str) -> tuple[str, ...]:
    from bubble.cli.output import table

    return table([[_short(cell, home) for cell in row] for row in rows])


def _because(told: Explanation) -> str:
    """Return which entry of which source gave the command."""
    winner = next(c for c in told.considered if c.verdict == "wins")
    if winner.source.kind == "default":
        return "nothing selects a Python, so the system's is used"
    if winner.error:
        return f"{winner.source} can't be used"
    if winner.source.kind == "environment" and told.command.startswith(
        f"{winner.entries[0].text}/"
    ):
        return f"{winner.source} is used in it"
    for answer in told.selection.answers if told.command and told.selection else ():
        if answer.entry and told.command.startswith(f"{answer.prefix}/"):
            return f"{_place(winner, answer.entry)} says {_text(answer.entry)} ({answer.name})"
        if answer.is_system and told.command.rpartition("/")[2] == told.name:
            return f"{_place(winner, answer.entry)} asks for the system's"
    said = f"{winner.source} says {_said(winner)}"
    if told.command:
        name = printable(told.name, 60)
        said += f"; {name} is found in {printable(os.path.dirname(told.command), 500)}"
    return said


def _place(considered: Considered, entry: Entry | None) -> str:
    return (
        f"{considered.source}, line {entry.line},"
        if entry and entry.line
        else (str(considered.source))
    )


def _text(entry: Entry) -> str:
    return printable(entry.text, 500 if entry.text.startswith("/") else 80)


def _about_shim(told: Explanation) -> str:
    shim, name = told.shim, printable(told.name, 60)
    if not shim.exists:
        return f"none: no installed Python has {name}"
    if not shim.on_path:
        return "not on PATH, so a shell doesn't get here (bubble init --help)"
    if shim.before:
        return f"not reached: {printable(shim.before, 500)} comes before it on PATH"
    if shim.differs:
        return (
            f"WRONG: it runs {printable(shim.differs, 500)}, which is a fault of bubble; "
            "to mend it: bubble doctor --fix"
        )
    asks = (
        "which answers with the error below" if told.error else shim.asks and f"since {shim.asks}"
    )
    return f"asks bubble, {asks}" if asks else "knows this answer, and adds a millisecond"


def _candidates(told: Explanation) -> Iterator[tuple[str, str, str]]:
    for considered in told.considered:
        if considered.error:
            said = f"can't be used: {considered.error}"
        elif considered.verdict == "wins":
            said = ", ".join(_described(entry, told) for entry in considered.entries)
        else:
            said = _said(considered) or "-"
        yield ">" if considered.verdict == "wins" else " ", _named(considered), said


def _described(entry: Entry, told: Explanation) -> str:
    for answer in told.selection.answers if told.selection else ():
        if answer.entry == entry and not answer.is_system:
            text = _text(entry)
            return text if entry.text == answer.prefix else f"{text} = {answer.name}"
    missing = entry in told.selection.missing if told.selection else told.is_missing
    return f"{_text(entry)} (not installed)" if missing else _text(entry)


def _said(considered: Considered) -> str:
    return ", ".join(printable(entry.text, 80) for entry in considered.entries)


def _named(considered: Considered) -> str:
    source = considered.source
    return {"global": "the global pin", "default": "the default"}.get(source.kind, str(source))


def _others(told: Explanation) -> Iterator[tuple[str, str, str]]:
    for other in told.neighbours:
        source = printable(other.source, 500) or "its own settings"
        yield other.tool, other.request or "-", f"from {source}"


def _short(line: str, home: str) -> str:
    return line.replace(f"{home}/", "~/") if home else line


def _data(told: Explanation) -> dict[str, object]:
    return {
        "name": told.name,
        "command": told.command or None,
        "selected": _selected(told.selection),
        "considered": [
            {
                "kind": c.source.kind,
                "path": c.source.path or None,
                "requests": [{"text": e.text, "line": e.line or None} for e in c.entries],
                "verdict": c.verdict,
                "error": c.error or None,
            }
            for c in told.considered
        ],
        "shim": {
            "path": told.shim.path,
            "exists": told.shim.exists,
            "on_path": told.shim.on_path,
            "before": told.shim.before or None,
            "asks": told.shim.asks or None,
            "differs": told.shim.differs or None,
        },
        "memo": {"path": told.memo.path or None, "state": told.memo.state},
        "others": {
            o.tool: {"source": o.source or None, "request": o.request or None}
            for o in told.neighbours
        },
    }


def _selected(selection: Selection | None) -> list[dict[str, object]]:
    return [
        {
            "name": answer.name,
            "prefix": None if answer.is_system else answer.prefix,
            "request": answer.entry.text if answer.entry else None,
            "line": answer.entry.line or None if answer.entry else None,
        }
        for answer in (selection.answers if selection else ())
    ]

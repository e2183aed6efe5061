"""`bubble list`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.envs.knowing.placing import bubble_at
from bubble.model.text import few

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence

    from bubble.envs.knowing.inspect import Status
    from bubble.selection.registry import Environment

EXAMPLES = (
    ("bubble list", "every environment: its name, Python, state and place"),
    ("bubble list --size", "and how much of the disk each takes"),
    ("bubble list --json", "for scripts"),
)
DETAILS = (
    "“used” is the day on which an environment's Python last started, as far as the file system\n"
    "notes reading; otherwise the day on which it was made stands there."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--size", action="store_true", help="measure what each takes on disk")


def execute(options: Namespace, context: Context) -> Outcome:
    """List."""
    from bubble.cli.output import table
    from bubble.envs.knowing.inspect import look_at_all, look_at_shared
    from bubble.envs.knowing.scripts import scripts_of
    from bubble.system.directory import working_directory

    layout = context.layout
    found = look_at_all(layout, working_directory(context.env.get("PWD", "")))
    own = len(found)
    found += look_at_shared(layout)
    sizes = _sizes(found) if options.size else []
    home = context.env.get("HOME", "")
    scripts = scripts_of(context.layout)
    rows = [_cells(status, home, scripts) for status in found]
    for row in rows[own:]:
        row[-1] += " (the system's)"
    if sizes:
        from bubble.model.text import size

        rows = [[*row[:3], size(s), *row[3:]] for row, s in zip(rows, sizes, strict=True)]
    hints = [
        f"{status.environment.title}: {state_of(status)}; {status.advice}"
        for status in found[:own]
        if status.state != "ok" and status.mend
    ]
    return Outcome(
        data=[
            data_of(status, scripts, system=n >= own) | ({"size": sizes[n]} if sizes else {})
            for n, status in enumerate(found)
        ]
        if context.output.json
        else None,
        lines=table(rows),
        notes=tuple(hints) if found else ("there are no environments; make one: bubble create",),
    )


def data_of(
    status: Status, scripts: Mapping[str, Sequence[str]], *, system: bool
) -> dict[str, object]:
    """Return what `--json` says of an environment at a glance.

    `scripts` are those that run in environments (absolute paths, both); `system`, whether the
    system's store has it.
    """
    environment = status.environment
    place = bubble_at(environment.path)
    return {
        "name": environment.name or None,
        "path": environment.path,
        "project": environment.project or (place[0] if place else None),
        "bubble": place[1] if place else None,
        "previous": bool(place and place[2]),
        "scripts": list(scripts.get(environment.path, ())),
        "python": status.python or None,
        "interpreter": environment.interpreter or None,
        "request": environment.request or None,
        "maker": environment.maker,
        "state": status.state,
        "detail": status.detail or None,
        "mend": status.mend or None,
        "made_at": int(environment.made_at) or None,
        "used_at": status.used_at or None,
        "system": system,
    }


def _cells(status: Status, home: str, scripts: Mapping[str, Sequence[str]]) -> list[str]:
    environment = status.environment
    path = environment.path
    if home and path.startswith(f"{home}/"):
        path = f"~{path[len(home) :]}"
    if environment.path in scripts:
        path += f" (of {few(sorted(os.path.basename(s) for s in scripts[environment.path]))})"
    return [name_of(environment), status.python or "?", state_of(status), _when(status), path]


def name_of(environment: Environment) -> str:
    """Return what a listing calls an environment: `train (site)` for one of the project `site`."""
    place = bubble_at(environment.path)
    if environment.name or not place:
        return environment.name or "-"
    before = ", before" if place[2] else ""
    return f"{place[1]} ({os.path.basename(place[0])}{before})"


def state_of(status: Status) -> str:
    """Return how an environment does, in words."""
    if status.state == "ok":
        return "ok"
    said = {
        "outdated": f"ok ({status.detail} is installed)",
        "foreign": f"ok (made by {status.environment.maker})",
        "moved": f"moved to {status.detail}",
        "copied": f"a copy of {status.detail}",
        "missing": "gone",
        "closed": f"closed to this user: {status.detail}",
    }
    return said.get(status.state, status.state)


_days: dict[int, str] = {}


def _when(status: Status) -> str:
    at, word = (status.used_at, "used") if status.used_at else (status.environment.made_at, "made")
    seconds = int(at)
    if not seconds:
        return ""
    hour = seconds // 3600  # no zone changes its day within a quarter of an hour that matters here
    if hour not in _days:
        import time

        _days[hour] = time.strftime("%Y-%m-%d", time.localtime(seconds))
    return f"{word} {_days[hour]}"


def _sizes(found: list[Status]) -> list[int]:
    from bubble.system.trees import size_of

    return [size_of(status.environment.path) for status in found]

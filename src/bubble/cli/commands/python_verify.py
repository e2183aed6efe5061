"""`bubble python verify`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from bubble.model.request import Request
    from bubble.pythons.installed.manifest import Problem
    from bubble.pythons.installed.upkeep import Verified
    from bubble.system.layout import Layout

EXAMPLES = (
    ("bubble python verify", "every installed Python"),
    ("bubble python verify 3.12", "those that satisfy a request"),
    ("bubble python verify --repair", "and install the damaged ones anew"),
)
DETAILS = (
    "Compares every file with the list that was made at installation, and runs the interpreter.\n"
    "Files that were added count as damage, bytecode doesn't: what --repair installs anew is as\n"
    "it came, without packages that were forced into it. Without a request, the pip that new\n"
    "environments get is verified as well."
)
JSON = (
    "a list of {key, ok, repaired, failure, problems}; a problem is {path, what}; the key of what "
    "new environments get is `pip-VERSION`"
)
_SHOWN = 10  # problems of one installation that people get to see; --json has them all


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("request", metavar="REQUEST", nargs="?", help="which (default: all)")
    parser.add_argument("--repair", action="store_true", help="install damaged ones anew")


def execute(options: Namespace, context: Context) -> Outcome:
    """Verify, repair where asked, and fail while anything is damaged."""
    from bubble.pythons.installed import store
    from bubble.pythons.installed.upkeep import repair, verify

    request = None if options.request is None else _request(options.request)
    machine = context.machine()
    chosen = (
        store.matching(machine.layout, request, machine.platform)
        if request
        else store.installations(machine.layout)
    )
    verified = [v for i in chosen if (v := verify(i, machine))]
    if request and not verified:  # nothing satisfies it, or another process has just removed that
        raise store.not_installed(machine.layout, request, machine.platform)
    broken = [v for v in verified if not v.is_whole]
    lines = [f"{v.installation.key.name}: ok" for v in verified if v.is_whole]
    errors: list[BubbleError] = []
    repaired: list[str] = []
    if options.repair:
        batch = repair(broken, machine, context.output.progress())
        repaired = [str(i.installation.key) for i in batch.installed]
        lines += [f"{i.installation.key.name}: repaired" for i in batch.installed]
        errors += batch.errors
    else:
        errors += [_error(v) for v in broken]
    data = [
        _row(str(v.installation.key), v.problems, v.failure, str(v.installation.key) in repaired)
        for v in verified
    ]
    if request is None:
        _seeds(machine.layout, options.repair, data, lines, errors)
    return Outcome(
        data=data,
        lines=tuple(lines),
        notes=() if verified else ("nothing is installed",),
        errors=tuple(errors),
    )


def _request(text: str) -> Request:
    from bubble.model.request import parse_request
    from bubble.pythons.installing.batch import require_python

    request = parse_request(text)
    require_python(request)
    return request


def _seeds(
    layout: Layout,
    repair: bool,  # noqa: FBT001 - as the option is
    data: list[dict[str, object]],
    lines: list[str],
    errors: list[BubbleError],
) -> None:
    """Verify, and with `repair` unpack anew, what new environments get their pip from."""
    from bubble.envs.making.seed import check_seeds, remake

    for checked in check_seeds(layout):
        name, problems = os.path.basename(checked.seed.path), checked.problems
        if problems and repair:
            remake(checked.seed, layout)
            lines.append(f"{name}: repaired")
        elif problems:
            errors.append(_damaged(name, problems, "", "bubble python verify --repair"))
        else:
            lines.append(f"{name}: ok")
        data.append(_row(name, problems, "", bool(problems) and repair))


def _row(
    key: str,
    problems: Sequence[Problem],
    failure: str,
    repaired: bool,  # noqa: FBT001 - one of four columns
) -> dict[str, object]:
    return {
        "key": key,
        "ok": not (problems or failure),
        "repaired": repaired,
        "failure": failure or None,
        "problems": [{"path": p.path, "what": p.what} for p in problems],
    }


def _error(verified: Verified) -> BubbleError:
    name = verified.installation.key.name
    hint = f"bubble python verify --repair {name}"
    return _damaged(name, verified.problems, verified.failure, hint)


def _damaged(name: str, problems: Sequence[Problem], failure: str, hint: str) -> BubbleError:
    from bubble.model.text import printable

    found = [f"{printable(p.path)} ({p.what})" for p in problems]
    shown = "; ".join(found[:_SHOWN]) + (
        f"; and {len(found) - _SHOWN} more" * (len(found) > _SHOWN)
    )
    said = "; ".join(text for text in (failure, shown) if text)
    return BubbleError("verify", f"{name} is damaged: {said}", hint=hint)

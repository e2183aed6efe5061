"""`bubble python find`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble python find 3.12", "the newest installed 3.12"),
    ("bubble python find '>=3.10,<3.13'", "the newest in a range"),
    ("bubble python find", "the one that this directory selects, else the newest"),
    ("bubble python find 3.13t", "the newest free-threaded 3.13"),
)
DETAILS = (
    "With a request, looks at what bubble has installed or adopted, whatever this directory\n"
    "selects. Without one, prints the interpreter that is selected here."
)
JSON = "{executable, key}; `key` is null for a path"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("request", metavar="REQUEST", nargs="?", default="", help="what to find")


def execute(options: Namespace, context: Context) -> Outcome:
    """Find."""
    return _found(options.request, context) if options.request else _selected(context)


def _selected(context: Context) -> Outcome:
    """Print what the directory or the global pin selects; nothing says anything: the newest."""
    from bubble.selection.resolve import resolve
    from bubble.selection.sources import choose

    world = context.world()
    choice = choose(world.cwd, world.env, world.layout)
    if choice.source.kind == "default":
        return _newest(context)
    answer = resolve(choice, world).answers[0]
    if not answer.is_system:
        path = f"{answer.prefix}/bin/python"
        return _outcome(path, answer.key)
    from bubble.selection.path import find_system

    for name in ("python", "python3"):
        if path := find_system(name, world.env, world.layout):
            return _outcome(path, None)
    raise BubbleError(
        "not_installed",
        f"{choice.source} selects the system's Python, and PATH has none",
        hint="choose another one: bubble use 3.12",
    )


def _newest(context: Context) -> Outcome:
    from bubble.pythons.installed.store import usable

    if not usable(context.layout):
        raise BubbleError(
            "not_installed",
            "no Python is installed, and nothing here selects one",
            hint="for example: bubble python install 3.12",
        )
    return _found("3", context)


def _found(text: str, context: Context) -> Outcome:
    from bubble.model.request import parse_request

    request = parse_request(text)
    if request.kind == "path":
        return _outcome(_executable_at(text), None)
    from bubble.pythons.installed.store import find, standing
    from bubble.pythons.installing.batch import require_python

    require_python(request)
    installation = find(context.layout, request, context.platform())
    prefix = standing(installation, exact=request.is_exact)
    return _outcome(f"{prefix}/bin/python", str(installation.key))


def _outcome(executable: str, key: str | None) -> Outcome:
    return Outcome(data={"executable": executable, "key": key}, lines=(executable,))


def _executable_at(text: str) -> str:
    from bubble.pythons.adopting.adopt import executable_at

    path = os.path.abspath(os.path.expanduser(text))
    executable = executable_at(path, "python")
    if not executable:
        from bubble.model.text import printable

        raise BubbleError(
            "not_installed",
            f"there is no interpreter at {printable(path)}",
            hint="give the path of an interpreter, or of the directory above its bin",
        )
    return executable

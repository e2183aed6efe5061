"""`bubble python uninstall`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble python uninstall 3.11.9", "remove one version"),
    ("bubble python uninstall 3.10 3.13t", "several"),
    ("bubble python uninstall cpython-3.12.4-linux-x86_64-gnu", "by its full key"),
)
DETAILS = (
    "Each REQUEST must mean one installed Python; where one doesn't, nothing is removed. Of an\n"
    "adopted interpreter only the links to it are removed."
)
JSON = "a list of {key, prefix}: what was removed"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("requests", metavar="REQUEST", nargs="+", help="what to remove")


def execute(options: Namespace, context: Context) -> Outcome:
    """Remove each, and say what is gone."""
    from bubble.model.request import parse_request
    from bubble.pythons.upkeep import named, remove

    requests = [parse_request(text) for text in options.requests]
    machine = context.machine()
    meant = {}
    errors = []
    for request in requests:  # a slip in one may well be a slip in what the others mean
        try:
            installation = named(request, machine)
            meant[str(installation.key)] = installation
        except BubbleError as error:
            errors.append(error)
    removed = []
    for installation in () if errors else meant.values():
        try:
            remove(installation, machine)
            removed.append(installation)
        except BubbleError as error:
            errors.append(error)
    context.renew_shims()
    return Outcome(
        data=[{"key": str(i.key), "prefix": i.prefix} for i in removed],
        lines=tuple(f"removed {i.key.name}" for i in removed),
        errors=tuple(errors),
    )

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
JSON = "a list of {key, prefix, broken}: what was removed, and which environments that breaks"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.arguments import add_yes

    parser.add_argument("requests", metavar="REQUEST", nargs="+", help="what to remove")
    parser.add_argument(
        "--force", action="store_true", help="even if environments use it: they are named"
    )
    add_yes(parser)


def execute(options: Namespace, context: Context) -> Outcome:
    """Remove each, and say what is gone."""
    from bubble.envs.users import require_unused, would_break
    from bubble.model.request import parse_request
    from bubble.pythons.upkeep import named, remove

    requests = [parse_request(text) for text in options.requests]
    machine = context.machine()
    meant = {}
    errors = []
    for request in requests:  # a slip in one may well be a slip in what the others mean
        try:
            installation = named(request, machine)
            if not options.force:
                require_unused(installation, machine.layout)
            meant[str(installation.key)] = installation
        except BubbleError as error:
            errors.append(error)
    if not errors:
        said = ", ".join(installation.key.name for installation in meant.values())
        context.require_agreement(f"this removes {said}", given=options.yes)
    removed: list[dict[str, object]] = []
    lines: list[str] = []
    for key, installation in () if errors else meant.items():
        titles = [environment.title for environment in would_break(installation, machine.layout)]
        try:
            remove(installation, machine)
        except BubbleError as error:
            errors.append(error)
            continue
        removed.append({"key": key, "prefix": installation.prefix, "broken": titles})
        lines.append(f"removed {installation.key.name}")
        lines += [f"broken: {title} (mend it: bubble repair {title})" for title in titles]
    context.renew_shims()
    return Outcome(data=removed, lines=tuple(lines), errors=tuple(errors))

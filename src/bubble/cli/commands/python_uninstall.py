"""`bubble python uninstall`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError
from bubble.model.text import shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble python uninstall 3.11.9", "remove one version"),
    ("bubble python uninstall 3.10 3.13t", "several"),
    ("bubble python uninstall cpython-3.12.4-linux-x86_64-gnu", "by its full key"),
)
DETAILS = (
    "Each REQUEST must mean one installed Python; where one doesn't, or is in use, nothing is\n"
    "removed. In use: by an environment, a version file of a known directory, the global pin,\n"
    "this shell, a running process. The Python that bubble itself runs on is never removed. Of\n"
    "an adopted interpreter only the links to it are removed."
)
JSON = (
    "a list of {key, prefix, broken, asked_by}: what was removed, which environments that breaks, "
    "and who else used it"
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.flags import add_yes

    parser.add_argument("requests", metavar="REQUEST", nargs="+", help="what to remove")
    parser.add_argument(
        "-f", "--force", action="store_true", help="even if it is in use: by whom is told"
    )
    add_yes(parser)


def execute(options: Namespace, context: Context) -> Outcome:
    """Remove each, and say what is gone."""
    from bubble.envs.knowing.users import ending, in_use
    from bubble.model.request import parse_request
    from bubble.pythons.installed.shelf import require_not_bubbles
    from bubble.pythons.installed.store import finish_changes
    from bubble.pythons.installed.upkeep import failure_of, named, remove

    requests = [parse_request(text) for text in options.requests]
    machine = context.machine()
    meant = {}
    errors = []
    for request in requests:  # a slip in one may well be a slip in what the others mean
        try:
            installation = named(request, machine)
            require_not_bubbles(installation, machine.layout)
            meant[str(installation.key)] = installation
        except BubbleError as error:
            errors.append(error)
    cwd = context.world().cwd
    lost = ending(list(meant.values()), machine, cwd)
    if not options.force:
        errors += in_use(list(meant.values()), lost)
    if not errors:
        said = ", ".join(installation.key.name for installation in meant.values())
        context.require_agreement(f"this removes {said}", given=options.yes)
    removed: list[dict[str, object]] = []
    lines: list[str] = []
    for key, installation in () if errors else meant.items():
        found = [use for use in lost if use.key == key]
        titles = list(dict.fromkeys(use.who for use in found if use.environment))
        others = list(dict.fromkeys(use.who for use in found if not use.environment))
        try:
            remove(installation, machine)
        except (BubbleError, OSError) as error:
            errors.append(failure_of(error))
            if os.path.lexists(installation.prefix):
                continue  # else only bytes of it are left, which nobody can delete
        removed.append(
            {"key": key, "prefix": installation.prefix, "broken": titles, "asked_by": others}
        )
        lines.append(f"removed {installation.key.name}")
        lines += [
            f"broken: {use.who}" + f" (mend it: bubble repair {shell_word(use.who)})" * use.is_known
            for use in found
            if use.environment
        ]
        lines += [f"it was needed by {who}" for who in others]
    if errors:
        finish_changes(machine.layout, machine.platform)  # an uninstall that was killed
    context.renew_shims()
    return Outcome(data=removed, lines=tuple(lines), errors=tuple(errors))

"""`bubble self update`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble self update", "the release that the installer's own address has now"),
    ("bubble self update --to 0.2.0", "a certain one"),
    ("bubble self update --from ~/Downloads/bubble-0.2", "the release in a directory"),
    ("bubble self update --back", "the version before this one again"),
)
DETAILS = (
    "For what scripts/install.sh installed. The new version is built beside the present one,\n"
    "tried, and made current in one step; running commands and shims go on with theirs. What\n"
    "pip, pipx or uv installed, they update: the command is named."
)
JSON = "{version, before}: names of versions"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--to", metavar="VERSION", default="", help="this version")
    what.add_argument(
        "--from", dest="source", metavar="DIR", default="", help="the directory of a release"
    )
    what.add_argument("--back", action="store_true", help="go back to the version before")


def execute(options: Namespace, context: Context) -> Outcome:
    """Update, or go back."""
    from bubble.program.origin import origin
    from bubble.program.update import address_of, go_back, require_own, update

    found = origin(context.env)
    require_own(found)
    if options.back:
        version = go_back(found)
    else:
        source = os.path.abspath(options.source) if options.source else ""
        source = source or address_of(found, options.to)
        version = update(found, source, context.layout, context.env, show=not context.output.json)
    said = "is current already" if version == found.version else f"is current, was {found.version}"
    return Outcome(data={"version": version, "before": found.version}, lines=(f"{version} {said}",))

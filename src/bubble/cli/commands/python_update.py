"""`bubble python update`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble python update", "from upstream, or from BUBBLE_CATALOG if that is set"),
    ("bubble python update --url file:///srv/python/catalogue.json", "from elsewhere"),
)
DETAILS = (
    "bubble has a catalogue of every build that was known when it was released; this fetches what\n"
    "came later. A catalogue that is older, damaged, or contradicts a known checksum is refused,\n"
    "and the last good one stays."
)
JSON = "{source, before, after, builds, versions, newest, skipped}; `before` and `after` are dates"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--url", metavar="URL", default="", help="where the index is (http, https, file)"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Fetch a newer catalogue; any failure keeps the last good one."""
    from bubble.pythons.catalogue.update import update

    report = update(context.layout, context.env, url=options.url)
    data = {name: _plain(value) for name, value in report.as_dict().items()}
    return Outcome(data=data, lines=report.lines())


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value

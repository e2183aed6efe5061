"""`bubble python list`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.pythons.listing import Row

EXAMPLES = (
    ("bubble python list", "what is installed, and the newest of each minor"),
    ("bubble python list --installed", "only what is installed"),
    ("bubble python list 3.12 --all-versions", "every 3.12 that there is"),
    ("bubble python list pypy", "another implementation"),
    ("bubble python list 3.12 --platform aarch64-apple-darwin", "for another machine"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("request", metavar="REQUEST", nargs="?", help="only what satisfies it")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--installed", action="store_true", help="only what is installed")
    which.add_argument("--available", action="store_true", help="only what can be installed")
    parser.add_argument("--all-versions", action="store_true", help="every patch and pre-release")
    parser.add_argument("--all-platforms", action="store_true", help="every platform's builds")
    parser.add_argument(
        "--platform", metavar="TRIPLE", default="", help="another platform's builds"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """List."""
    from bubble.cli.output import table
    from bubble.pythons.listing import list_pythons

    request = None
    if options.request is not None:
        from bubble.model.request import parse_request

        request = parse_request(options.request)
    listing = list_pythons(
        context.layout,
        context.env,
        context.platform(options.platform),
        request=request,
        installed=not options.available,
        available=not options.installed,
        all_versions=options.all_versions,
        all_platforms=options.all_platforms,
    )
    notes = [f"warning: {listing.warning}"] if listing.warning else []
    if not listing.rows:
        what = f" that satisfies “{request}”" if request else ""
        state = "is installed" if options.installed else "is known"
        notes.append(f"no Python{what} {state} (catalogue: {listing.catalogue or 'not asked'})")
    home = context.env.get("HOME", "")
    return Outcome(
        data=[_data(row) for row in listing.rows],
        lines=table([_cells(row, home, full=options.all_platforms) for row in listing.rows]),
        notes=tuple(notes),
    )


def _cells(row: Row, home: str, *, full: bool) -> tuple[str, str, str]:
    name = str(row.key) if full else row.key.name
    if not row.prefix:
        return name, "available", ""
    status = "adopted" if row.adopted else "installed"
    if row.outdated_by:
        status += f", outdated: {row.outdated_by} is available"
    path = row.prefix
    if home and path.startswith(home + "/"):
        path = "~" + path[len(home) :]
    return name, status, path


def _data(row: Row) -> dict[str, object]:
    key = row.key
    return {
        "key": str(key),
        "implementation": key.implementation,
        "version": str(key.version),
        "minor": key.minor,
        "variant": key.variant,
        "platform": str(key.platform),
        "installed": bool(row.prefix),
        "adopted": row.adopted,
        "prefix": row.prefix or None,
        "executable": f"{row.prefix}/bin/python" if row.prefix else None,
        "outdated_by": row.outdated_by or None,
        "used_by": [],
    }

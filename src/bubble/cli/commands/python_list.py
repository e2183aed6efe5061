"""`bubble python list`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.model.request import Request
    from bubble.pythons.installed.listing import Row

EXAMPLES = (
    ("bubble python list", "what is installed, and what there is"),
    ("bubble python list --installed", "only what is installed"),
    ("bubble python list 3.12 --all-versions", "every 3.12 that there is"),
    ("bubble python list pypy", "another implementation"),
    ("bubble python list 3.12 --platform aarch64-apple-darwin", "for another machine"),
)
DETAILS = (
    "Without options: what is installed, and the newest final CPython of each minor version.\n"
    "`bubble python upgrade` brings what is outdated up to date; `bubble python find` prints paths."
)
JSON = (
    "a list of {key, implementation, version, minor, variant, platform, installed, adopted, "
    "origin, prefix, executable, outdated_by, used_by, system}; `system`: it is the system's store "
    "that has it"
)

_SHOWN = 3  # environments that use an interpreter; --json has them all


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
    request = None
    if options.request is not None:
        from bubble.model.request import parse_request
        from bubble.pythons.installing.batch import require_python

        request = parse_request(options.request)
        require_python(request)
    return _list(
        context,
        request,
        triple=options.platform,
        installed=not options.available,
        available=not options.installed,
        all_versions=options.all_versions,
        all_platforms=options.all_platforms,
    )


def _list(
    context: Context,
    request: Request | None = None,
    *,
    triple: str = "",
    installed: bool = True,
    available: bool = True,
    all_versions: bool = False,
    all_platforms: bool = False,
) -> Outcome:
    from bubble.cli.output import table
    from bubble.pythons.installed.listing import list_pythons

    listing = list_pythons(
        context.layout,
        context.env,
        context.platform(triple),
        request=request,
        installed=installed,
        available=available,
        all_versions=all_versions,
        all_platforms=all_platforms,
    )
    notes: tuple[str, ...] = ()
    if not listing.rows:
        what = f" that satisfies “{request}”" if request else ""
        state = "is in the catalogue" if available else "is installed"
        notes = (listing.explanation or f"no Python{what} {state} ({listing.catalogue})",)
    from bubble.envs.knowing.users import users_by_prefix

    users = {
        prefix: [e.title for e in found]
        for prefix, found in users_by_prefix(context.layout).items()
    }
    full = all_platforms or bool(triple)
    home = context.env.get("HOME", "").rstrip("/")
    return Outcome(
        data=[_data(row, users.get(row.prefix, [])) for row in listing.rows],
        lines=table(
            [_cells(row, home, users.get(row.prefix, []), full=full) for row in listing.rows]
        ),
        notes=notes,
        warnings=(listing.warning,) if listing.warning else (),
    )


def _cells(row: Row, home: str, users: list[str], *, full: bool) -> tuple[str, str, str]:
    """Return name, state, and what else there is to know: the path is what `find` prints."""
    name = str(row.key) if full else row.key.name
    if not row.prefix:
        return name, "available", ""
    if row.origin:
        path = _short(row.origin, home)
        return name, "adopted", printable(path, len(path))
    notes = [f"of the system, {_store_of(row.prefix)}"] if row.system else []
    notes += [f"outdated: {row.outdated_by} is available"] if row.outdated_by else []
    if users:
        shown = ", ".join(_short(title, home) for title in users[:_SHOWN])
        notes.append(f"used by {shown}" + " …" * bool(users[_SHOWN:]))
    return name, "installed", "; ".join(notes)


def _store_of(prefix: str) -> str:
    return printable(os.path.dirname(os.path.dirname(prefix)), 500)


def _short(path: str, home: str) -> str:
    return "~" + path[len(home) :] if home and path.startswith(f"{home}/") else path


def _data(row: Row, users: list[str]) -> dict[str, object]:
    key = row.key
    return {
        "key": str(key),
        "implementation": key.implementation,
        "version": str(key.version),
        "minor": key.minor,
        "variant": key.variant,
        "platform": str(key.platform),
        "installed": bool(row.prefix),
        "adopted": bool(row.origin),
        "origin": row.origin or None,
        "prefix": row.prefix or None,
        "executable": f"{row.prefix}/bin/python" if row.prefix else None,
        "outdated_by": row.outdated_by or None,
        "used_by": users,
        "system": row.system,
    }

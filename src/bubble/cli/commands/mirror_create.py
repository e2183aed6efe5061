"""`bubble mirror create`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.cli.flags import add_platforms
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.model.download import Download

EXAMPLES = (
    ("bubble mirror create /srv/python 3.11 3.12", "for this platform"),
    (
        "bubble mirror create usb 3.12 --platform aarch64-unknown-linux-gnu",
        "for another machine",
    ),
    ("bubble mirror create /srv/python 3.12 --base-url https://server/python", "absolute"),
)
DETAILS = (
    "Downloads builds and lists them in DIR/catalogue.json. Any web server, or file://, serves\n"
    "the directory. On the machines that use it:\n\n"
    "  BUBBLE_CATALOG=https://server/path/catalogue.json bubble python install 3.12"
)
JSON = "{directory, catalogue, added, kept}; `added` and `kept` are lists of files"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directory", metavar="DIR", help="the mirror; made, or added to")
    parser.add_argument("requests", metavar="REQUEST", nargs="+", help="which Pythons")
    add_platforms(parser)
    parser.add_argument(
        "--base-url",
        metavar="URL",
        default="",
        help="write absolute addresses below URL into the catalogue (default: relative ones)",
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Fetch what the mirror lacks, and say what it has."""
    from bubble.model.request import parse_request
    from bubble.pythons.installing.batch import open_fresh, require_python
    from bubble.pythons.installing.mirror import create
    from bubble.system.writable import require_directory

    directory = os.path.abspath(options.directory)
    require_directory(directory, "name another directory: bubble mirror create DIR REQUEST")
    requests = [parse_request(text) for text in options.requests]
    address = base_url(options.base_url)
    machine = context.machine()
    platforms = [context.platform(text) for text in options.platform] or [machine.platform]
    catalogue = open_fresh(machine)
    wanted: dict[str, Download] = {}
    errors: list[BubbleError] = []
    for platform in platforms:
        for request in requests:
            try:
                require_python(request)
                download = catalogue.select(request, platform)
                wanted.setdefault(str(download.key), download)
            except BubbleError as error:
                errors.append(_hinting_at_create(error, options.directory))
    created = create(
        directory,
        list(wanted.values()),
        layout=machine.layout,
        env=machine.env,
        platform=machine.platform,
        base_url=address,
        progress=context.output.progress(),
    )
    errors += [failure.error for failure in created.failed]
    present = [*created.added, *created.kept]
    return Outcome(
        data={
            "directory": created.directory,
            "catalogue": f"{created.directory}/catalogue.json" if present else None,
            "added": [d.asset for d in created.added],
            "kept": [d.asset for d in created.kept],
        },
        lines=tuple(f"{created.directory}/{d.asset}" for d in present),
        notes=(f"catalogue: {created.directory}/catalogue.json",) if present else (),
        warnings=(catalogue.warning,) if catalogue.warning else (),
        errors=tuple(errors),
    )


def _hinting_at_create(error: BubbleError, directory: str) -> BubbleError:
    """Return the error with what to mirror, where its hint says what to install."""
    install = "bubble python install "
    if install not in error.hint:
        return error
    import shlex

    return error.replace_hint(
        error.hint.replace(install, f"bubble mirror create {shlex.quote(directory)} ")
    )


def base_url(text: str) -> str:
    """Return the value of --base-url, checked: BubbleError(usage) for what is no address."""
    if text:
        from bubble.model.urls import shown
        from bubble.pythons.catalogue.entry import MalformedError, checked_url
        from bubble.system.http.address import scheme_of

        scheme_of(text)
        reason = ""
        try:  # the catalogue's own check: what it refuses would make every install fail
            checked_url(f"{text.rstrip('/')}/file")
        except MalformedError as error:
            reason = str(error)
        if not reason and ("?" in text or "#" in text):
            reason = f"a query or fragment can't stand before a file's name: {shown(text)}"
        if reason:
            raise BubbleError(
                "usage",
                f"--base-url: {reason}",
                hint="use https://host/path, without a user, a password, a query or a fragment",
            )
    return text

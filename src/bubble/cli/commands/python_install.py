"""`bubble python install`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.model.request import Request
    from bubble.pythons.batch import Batch
    from bubble.pythons.install import Installed

EXAMPLES = (
    ("bubble python install 3.12", "the newest CPython 3.12"),
    ("bubble python install 3.11.9 3.13t pypy3.10", "several at once"),
    ("bubble python install --upgrade 3.12", "the newest patch, even if an older one is there"),
    ("bubble python install --reinstall 3.12", "replace what is there"),
    ("bubble python install --from cpython-….tar.gz --sha256 HEX", "a local archive"),
)
DETAILS = (
    "A request is 3.12, 3.12.4, '>=3.10,<3.13', 3.13t (free-threaded), 3.13+debug, pypy3.10,\n"
    "graalpy, or a full key; pre-releases (3.16.0a2) only when they are named."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("requests", metavar="REQUEST", nargs="*", help="what to install")
    parser.add_argument("--reinstall", action="store_true", help="replace what is installed")
    parser.add_argument(
        "--upgrade", action="store_true", help="install the newest, even if an older one satisfies"
    )
    parser.add_argument("--from", dest="archive", metavar="ARCHIVE", help="install a local archive")
    parser.add_argument("--sha256", metavar="HEX", default="", help="the archive's checksum")
    parser.add_argument(
        "--platform", metavar="TRIPLE", default="", help="builds of another platform that run here"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Install, and say what is there now."""
    from bubble.model.request import parse_request

    requests = [parse_request(text) for text in options.requests]
    if options.platform:
        platform = context.platform(options.platform)
        requests = [r.replace(platform=r.platform or platform) for r in requests]
    if options.archive is not None:
        return _outcome(_install_archive(options, requests, context), context)
    if options.sha256:
        raise BubbleError("usage", "--sha256 goes with --from", hint="bubble python install --help")
    if not requests:
        raise BubbleError(
            "usage",
            "say which Python to install",
            hint="for example: bubble python install 3.12",
        )
    from bubble.pythons.batch import install_requests

    batch = install_requests(
        requests,
        context.machine(),
        context.output.progress(),
        reinstall=options.reinstall,
        upgrade=options.upgrade,
    )
    return _outcome(batch, context)


def _install_archive(options: Namespace, requests: list[Request], context: Context) -> Batch:
    from bubble.pythons.batch import install_downloads
    from bubble.pythons.local import download_of

    if len(requests) > 1:
        raise BubbleError("usage", "--from takes one request at most")
    machine = context.machine()
    download = download_of(
        os.path.abspath(options.archive),
        options.sha256,
        machine,
        request=requests[0] if requests else None,
    )
    progress = context.output.progress()
    return install_downloads([download], machine, progress, replace=options.reinstall)


def _outcome(batch: Batch, context: Context) -> Outcome:
    if any(i.status != "present" for i in batch.installed):
        context.renew_shims()
    notes = [f"warning: {batch.warning}"] if batch.warning else []
    notes += [
        f"{i.installation.key.name} is already installed"
        for i in batch.installed
        if i.status == "present"
    ]
    return Outcome(
        data=[_row(i) for i in batch.installed],
        lines=tuple(i.installation.executable for i in batch.installed),
        notes=tuple(notes),
        errors=batch.errors,
    )


def _row(installed: Installed) -> dict[str, object]:
    installation = installed.installation
    return {
        "key": str(installation.key),
        "version": str(installation.key.version),
        "status": installed.status,
        "prefix": installation.prefix,
        "executable": installation.executable,
        "seconds": round(installed.seconds, 3),
        "bytes_transferred": installed.bytes_transferred,
    }

"""`bubble python install`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.model.request import Request
    from bubble.pythons.installing.batch import Batch
    from bubble.pythons.installing.install import Installed

EXAMPLES = (
    ("bubble python install 3.12", "the newest CPython 3.12"),
    ("bubble python install 3.11.9 3.13t", "several at once"),
    ("bubble python install", "what this directory's .python-version asks for"),
    ("bubble python install --upgrade 3.12", "the newest patch release, beside an older one"),
    ("bubble python install --reinstall 3.12", "replace what is there, without a gap"),
    ("bubble python install --from python.tar.gz --sha256 HEX 3.12.4", "a local archive"),
)
DETAILS = (
    "A REQUEST is a version (3.12, 3.12.4, 3.14.0rc1), a range ('>=3.10,<3.13'), a build with\n"
    "something special (3.13t: free-threaded, 3.13+debug), another implementation (pypy3.10,\n"
    "graalpy), or a full key (cpython-3.12.4-linux-x86_64-gnu). Pre-releases are installed only\n"
    "when they are named. The path of each interpreter is printed."
)
JSON = (
    "a list of {key, version, status, prefix, executable, seconds, bytes_transferred}; "
    "`status` is `installed`, `reinstalled` or `present`"
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.flags import HIDDEN

    parser.add_argument("requests", metavar="REQUEST", nargs="*", help="what to install")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--reinstall", action="store_true", help="replace what is installed")
    how.add_argument(
        "--upgrade", action="store_true", help="install the newest, even if an older one satisfies"
    )
    # pyenv's: what is installed stays anyhow, and there is no build to watch
    for words in (("-s", "--skip-existing"), ("-v", "--verbose")):
        parser.add_argument(*words, action="store_true", help=HIDDEN)
    how.add_argument("-f", "--force", dest="reinstall", action="store_true", help=HIDDEN)
    parser.add_argument("--from", dest="archive", metavar="ARCHIVE", help="install a local archive")
    parser.add_argument(
        "--sha256", metavar="HEX", default="", help="its checksum, unless the catalogue knows it"
    )
    parser.add_argument(
        "--platform",
        metavar="TRIPLE",
        default="",
        help="a build for this machine's kind: x86_64_v3-unknown-linux-gnu",
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
    requests = requests or _asked_here(context)
    if not requests:
        return Outcome(data=[])
    return _install(requests, context, reinstall=options.reinstall, upgrade=options.upgrade)


def _install(
    requests: list[Request], context: Context, *, reinstall: bool = False, upgrade: bool = False
) -> Outcome:
    from bubble.pythons.installing.batch import install_requests

    batch = install_requests(
        requests,
        context.machine(),
        context.output.progress(),
        reinstall=reinstall,
        upgrade=upgrade,
    )
    return _outcome(batch, context)


def _install_archive(options: Namespace, requests: list[Request], context: Context) -> Batch:
    from bubble.model.urls import shown
    from bubble.pythons.installing.local import download_of, install_archive

    if len(requests) > 1 or options.upgrade or options.platform:
        raise BubbleError(
            "usage",
            "--from installs one archive as it is: with one request at most, and without "
            "--upgrade and --platform",
            hint="bubble python install --help",
        )
    if "://" in options.archive:
        raise BubbleError(
            "usage",
            f"--from takes a file of this machine, not {shown(options.archive)}",
            hint="fetch it first, then name the file and its --sha256",
        )
    machine = context.machine()
    download = download_of(
        os.path.abspath(options.archive),
        options.sha256,
        machine,
        request=requests[0] if requests else None,
    )
    progress = context.output.progress()
    return install_archive(download, machine, progress, replace=options.reinstall)


def _asked_here(context: Context) -> list[Request]:
    """Return what this directory, or else the global pin, asks for; none for the system's."""
    from bubble.selection.registry import called
    from bubble.selection.resolve import requested

    source, asked = requested(context.world())
    there = [r for r in asked if r.kind == "name" and called(context.layout, r.text)]
    for request in there:
        context.output.note(f"{request} is an environment that is there")
    requests = [r for r in asked if r.kind != "system" and r not in there]
    if requests:
        context.output.note(f"{source} asks for {', '.join(map(str, requests))}")
    elif source.kind == "default":
        raise BubbleError(
            "usage",
            "say which Python to install: nothing here asks for one",
            hint="for example: bubble python install 3.12",
        )
    elif not there:
        context.output.note(f"{source} asks for the system's Python: there is nothing to install")
    return requests


def _outcome(batch: Batch, context: Context) -> Outcome:
    new = [i.installation for i in batch.installed if i.status != "present"]
    if new:
        from bubble.cli.system import compile_for_all

        compile_for_all(new, context)
    if batch.installed:
        # also when all is present: an install may have died before it
        context.renew_shims([i.installation.prefix for i in batch.installed])
    notes = [
        f"{i.installation.key.name} is already installed"
        for i in batch.installed
        if i.status == "present"
    ]
    return Outcome(
        data=[_row(i) for i in batch.installed],
        lines=tuple(i.installation.executable for i in batch.installed),
        notes=tuple(notes),
        warnings=(batch.warning,) if batch.warning else (),
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

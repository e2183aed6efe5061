"""`bubble bundle create`."""

from __future__ import annotations

import os
import shlex

from bubble.cli.context import Context, Outcome
from bubble.cli.flags import add_platforms
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.model.platform import Platform
    from bubble.program.bundle.gathering import Asked

EXAMPLES = (
    ("bubble bundle create bubble.sh 3.12", "bubble and a Python, for machines like this one"),
    ("bubble bundle create site.sh --project .", "with this project: its locks and their wheels"),
    (
        "bubble bundle create bubble.sh 3.12 --platform aarch64-unknown-linux-gnu",
        "for machines of another kind",
    ),
)
DETAILS = (
    "One file, from which a machine without a network and without Python gets bubble itself,\n"
    "Pythons, and a project's environments, as they are locked: there, `sh FILE --project DIR`.\n"
    "What could not be had there is told now, and then nothing is written. The same inputs give\n"
    "the same bytes."
)
JSON = "{file, sha256, size, bubble, platforms, pythons, locks, wheels}"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="the bundle; replaced if it is there")
    parser.add_argument(
        "requests",
        metavar="REQUEST",
        nargs="*",
        help="which Pythons (default: none but those of the project's locks)",
    )
    add_platforms(parser)
    parser.add_argument("--project", metavar="DIR", default="", help="with the project there")
    parser.add_argument(
        "--bubble",
        metavar="BUBBLE",
        action="append",
        default=[],
        help="of the project, this one only (may be repeated; default: all)",
    )
    parser.add_argument(
        "--release",
        metavar="DIR",
        default="",
        help="take bubble from a release's files, not the one that runs",
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Look for everything, fetch it, and write the file."""
    from bubble.cli.commands.bundle_show import data_of, lines_of
    from bubble.model.text import size
    from bubble.program.bundle.gathering import gather
    from bubble.program.bundle.writing import write
    from bubble.system.files import sha256_of
    from bubble.system.staging import Staging
    from bubble.system.sweep import sweep
    from bubble.system.writable import require_file

    path = os.path.abspath(options.file)
    require_file(path, "name a file: bubble bundle create FILE")
    platforms = tuple(dict.fromkeys(context.platform(text) for text in options.platform))
    asked = _asked(options, context, platforms or (context.platform(),))
    world = context.world()
    if asked.project:
        world = world.replace(cwd=asked.project.root)
    progress = context.output.progress()
    sweep(world.layout)
    with Staging(world.layout, f"{world.layout.home}/bundle") as staging:
        gathered, errors = gather(asked, world, staging, progress)
        if gathered is None:
            return Outcome(data=None, errors=tuple(_hinting_at_create(e, options) for e in errors))
        task = progress.task(os.path.basename(path))
        write(path, gathered, task)
        task.finish("")
    sha256, length = sha256_of(path) or "", os.path.getsize(path)
    return Outcome(
        data=data_of(gathered.contents, path, sha256, length),
        lines=(path,),
        notes=(*lines_of(gathered.contents), f"{size(length)}, sha256 {sha256}"),
        next_steps=(f"there: sh {shlex.quote(os.path.basename(path))}{_there(asked)}",),
    )


def _hinting_at_create(error: BubbleError, options: Namespace) -> BubbleError:
    """Return the error with what to bundle, where its hint says what to install."""
    bundle = f"bubble bundle create {shlex.quote(options.file)} "
    return error.replace_hint(error.hint.replace("bubble python install ", bundle))


def _there(asked: Asked) -> str:
    return " --project DIR" if asked.bubbles else ""


def _asked(options: Namespace, context: Context, platforms: tuple[Platform, ...]) -> Asked:
    from bubble.model.request import parse_request
    from bubble.program.bundle.gathering import Asked
    from bubble.projects.locate import chosen, project_of

    project = None
    if options.project:
        project = project_of(os.path.abspath(options.project), context.env.get("HOME", ""))
    elif options.bubble:
        raise BubbleError("usage", "--bubble needs a project", hint="name it: --project DIR")
    bubbles = chosen(project, options.bubble, everything=not options.bubble) if project else ()
    return Asked(
        platforms=platforms,
        requests=tuple(parse_request(text) for text in options.requests),
        project=project,
        bubbles=bubbles,
        release=os.path.abspath(options.release) if options.release else "",
    )

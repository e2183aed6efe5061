"""`bubble bundle install`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.program.bundle.contents import Contents
    from bubble.program.bundle.installing import Done

EXAMPLES = (
    ("bubble bundle install site.sh", "the Pythons that are in it for this machine"),
    ("bubble bundle install site.sh --project .", "and the environments of the project here"),
)
DETAILS = (
    "The whole file is checked before anything of it is used; no network is asked. The project's\n"
    "environments become what the locks say: where DIR has none, they come from the bundle; where\n"
    "it has others, nothing is done. Said again, it goes on where it was ended. On a machine\n"
    "without bubble: sh FILE [--project DIR]."
)
JSON = "{file, bubble, pythons, project, written, bubbles}"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a bundle")
    parser.add_argument("--project", metavar="DIR", default="", help="make the environments there")
    parser.add_argument(
        "--sha256", metavar="HEX", default="", help="the file's, from whoever made the bundle"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Check the bundle, and install from it."""
    from bubble.program.bundle.installing import install
    from bubble.program.bundle.reading import Bundle
    from bubble.projects.sync import SAME

    path = os.path.abspath(options.file)
    progress = context.output.progress()
    task = progress.task(os.path.basename(path))
    task.step("verifying")
    with Bundle(path, sha256=_checked(options.sha256), progress=task.part) as bundle:
        task.finish("")
        done = install(
            bundle,
            context.world(),
            progress,
            directory=os.path.abspath(options.project) if options.project else "",
        )
        contents = bundle.contents
    prefixes = [i.installation.prefix for i in done.installed if i.status != "present"]
    context.renew_shims([*prefixes, *(one.path for one in done.synced if one.status != SAME)])
    return _outcome(path, contents, done)


def _checked(sha256: str) -> str:
    if sha256 and not (len(sha256) == 64 and set(sha256.lower()) <= set("0123456789abcdef")):
        raise BubbleError("usage", "--sha256 takes 64 hexadecimal digits", hint="sha256sum FILE")
    return sha256


def _outcome(path: str, contents: Contents, done: Done) -> Outcome:
    from bubble.cli.commands.sync import told

    notes = [
        f"{i.status} {i.installation.key.name}" for i in done.installed if i.status != "present"
    ]
    notes += [f"wrote {file}" for file in done.written]
    notes += [line for one in done.synced for line in told(one)]
    steps = []
    if contents.locks and done.project is None:
        steps.append("the project's environments: bubble bundle install FILE --project DIR")
    return Outcome(
        data={
            "file": path,
            "bubble": contents.bubble,
            "pythons": [
                {
                    "key": str(i.installation.key),
                    "prefix": i.installation.prefix,
                    "status": i.status,
                }
                for i in done.installed
            ],
            "project": done.project.root if done.project else None,
            "written": list(done.written),
            "bubbles": [
                {"bubble": one.bubble.name, "path": one.path, "status": one.status}
                for one in done.synced
            ],
        },
        lines=(
            *(i.installation.executable for i in done.installed),
            *(one.path for one in done.synced),
        ),
        notes=tuple(notes),
        warnings=tuple(
            f"{key} is in no catalogue on this machine: it is what whoever made the bundle says"
            for key in done.unknown
        ),
        next_steps=tuple(steps),
    )

"""`bubble new`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble new --dry-run", "show the manifest that this directory seems to want"),
    ("bubble new", "write it: [tool.bubble] of pyproject.toml, or bubble.toml"),
    ("bubble new --python 3.12 --force", "anew, with this Python; the old one is kept beside"),
)
DETAILS = (
    "It looks at pyproject.toml, setup.py, requirements*.txt and requirements/, and at the\n"
    "directories with requirements of their own, which become bubbles of their own. Nothing is\n"
    "asked, run or installed, and no file is lost."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-p", "--python", metavar="REQUEST", default="", help="default: what the directory says"
    )
    parser.add_argument("--dry-run", action="store_true", help="show it, and write nothing")
    parser.add_argument(
        "--force",
        action="store_true",
        help="also within another project, or in the place of a bubble.toml",
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Write a first manifest."""
    from bubble.projects.begin import draft, write

    one = draft(context.world(), python=options.python, force=options.force)
    old = "" if options.dry_run else write(one)
    data = {
        "path": one.path,
        "written": not options.dry_run and one.before != one.after,
        "kept": old or None,
        "text": one.text,
        "bubbles": [bubble.name for bubble in one.project.bubbles],
        "notes": list(one.notes),
    }
    if options.dry_run:
        where = f"would be written to {printable(one.path, 500)}"
        lines = tuple(one.text.rstrip("\n").split("\n"))
        return Outcome(data=data, lines=lines, notes=(where, *one.notes))
    names = ", ".join(bubble.name for bubble in one.project.bubbles)
    kept = (f"the one before is {printable(old, 500)}",) if old else ()
    what = "unchanged" if one.before == one.after else "wrote"
    several = len(one.project.bubbles) > 1
    return Outcome(
        data=data,
        lines=(one.path,),
        notes=(f"{what} {printable(one.path, 500)}: {names}", *kept, *one.notes),
        next_steps=(f"next, lock it and make it: bubble sync{' --all' if several else ''}",),
    )

"""`bubble import`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble import environment.yml --dry-run", "what would become of conda's file"),
    ("bubble import Pipfile.lock", "a manifest of the Pipfile, and pipenv's pins"),
    ("bubble import poetry.lock --lock", "and a lock, with the files that an index has"),
    ("bubble import pyenv", "adopt pyenv's interpreters, environments and global selection"),
)
DETAILS = (
    "FILE is requirements (with hashes, too), environment.yml, what conda list exports,\n"
    "Pipfile, Pipfile.lock, poetry.lock, Poetry's pyproject.toml, pdm.lock or uv.lock. It becomes\n"
    "this directory's manifest: [tool.bubble] in a pyproject.toml that has [project], else\n"
    "bubble.toml. A lock's pins stay, with their hashes: in pylock.toml where it says where its\n"
    "files lie (uv, PDM with static URLs), else as constraints; --lock asks the index. Nothing is\n"
    "run, and without --lock nothing is fetched. What PyPI hasn't got is said, and stands in the\n"
    "manifest's comments.\n"
    "\n"
    "Exit: 0 done, warnings or not; 2 the file isn't understood, or something is there already;\n"
    "1 writing failed, or with --lock an index hasn't got what was pinned.\n"
    "\n"
    "pyenv: from PYENV_ROOT, or ~/.pyenv. Nothing is copied or moved, and nothing of pyenv's is\n"
    "changed, but that environments get a mark (.bubble-adopted). See docs/from-pyenv.md."
)
JSON = (
    "{kind, root, dry_run, files: [{path, role, text, kept}], left: [{what, line, why}], notes, "
    "pinned, locked}; of pyenv: {root, dry_run, items: [{kind, name, path, action, detail, key}], "
    "startup: [{path, line, text}]}"
)
_MOST = 12  # things of one kind that a warning names


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "source", metavar="FILE", nargs="?", default="pyenv", help="a file, or pyenv (the default)"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument(
        "--lock", action="store_true", help="ask the index for the files of a lock's pins (network)"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what is there; the old is kept beside it"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Take over a file, or everything of pyenv's that can be adopted."""
    if options.source == "pyenv" and not os.path.isfile("pyenv"):
        from bubble.cli.pyenv import adopt

        return adopt(context, dry_run=options.dry_run)
    return _file(options, context)


def _file(options: Namespace, context: Context) -> Outcome:
    from bubble.model.errors import BubbleError
    from bubble.model.text import printable
    from bubble.projects.exchange.importing import import_file
    from bubble.projects.exchange.manifest_text import grouped

    world = context.world()
    if not world.cwd:
        raise BubbleError("io", "the working directory was deleted", hint="cd somewhere else")
    root = os.path.realpath(world.cwd)
    path = os.path.join(root, options.source)
    if os.path.isdir(path):
        raise BubbleError(
            "usage",
            f"{printable(path, 500)} is a directory",
            hint="name the file in it; an environment that lies there: bubble adopt PATH; "
            "pyenv's, with PYENV_ROOT set: bubble import pyenv",
        )
    done = import_file(
        os.path.normpath(path), root, world,
        force=options.force, dry_run=options.dry_run, look_up=options.lock,
    )  # fmt: skip
    warnings = []
    for why, what in grouped(done.left):
        more = f" and {len(what) - _MOST} more" if what[_MOST:] else ""
        warnings.append(f"left out: {', '.join(what[:_MOST])}{more} ({why})")
    lines: list[str] = []
    if options.dry_run:
        for file in done.files:
            shown = file.text if file.role != "lock" else f"# {done.pinned} packages\n"
            lines += [f"# {file.path}", *shown.rstrip("\n").split("\n"), ""]
    else:
        lines = [file.path for file in done.files]
    return Outcome(
        data={
            "kind": done.kind,
            "root": done.root,
            "dry_run": options.dry_run,
            "files": [file.as_dict() | {"kept": file.kept or None} for file in done.files],
            "left": [{"what": x.what, "line": x.line or None, "why": x.why} for x in done.left],
            "notes": list(done.notes),
            "pinned": done.pinned,
            "locked": done.locked,
        },
        lines=tuple(lines),
        notes=tuple(
            f"kept what was there: {printable(file.kept, 500)}" for file in done.files if file.kept
        ),
        warnings=(*warnings, *done.notes),
        next_steps=_next_steps(options, locked=done.locked),
    )


def _next_steps(options: Namespace, *, locked: bool) -> tuple[str, ...]:
    if options.dry_run:
        return ("nothing was written",)
    if locked:
        return ("next: bubble sync, which makes the environment of the lock",)
    return ("next: bubble sync, which finds the packages, locks them and makes the environment",)

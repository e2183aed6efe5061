"""`bubble clone`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble clone train experiment", "a named environment under another name"),
    ("bubble clone .venv sandbox", "this project's, to try something"),
    ("bubble clone train ~/code/site/.venv", "as the environment of another project"),
)
DETAILS = (
    "The clone has the same interpreter and packages, and doesn't need the original. Whatever is\n"
    "done to one leaves the other as it is: files are cloned where the file system can (Btrfs,\n"
    "XFS), which takes no space; elsewhere packages that are shared stay so, read-only, and the\n"
    "rest is copied."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", metavar="ENV", help="a name or a path")
    parser.add_argument("target", metavar="NEW", help="a name, or a directory that isn't there")


def execute(options: Namespace, context: Context) -> Outcome:
    """Clone."""
    from bubble.cli.commands.info import find
    from bubble.envs.knowing.editables import warnings_of
    from bubble.envs.knowing.locate import DEFAULT, is_path
    from bubble.envs.knowing.placing import dangers
    from bubble.envs.making.clone import clone
    from bubble.envs.making.wanted import require_narrow
    from bubble.selection.answers import quoted
    from bubble.system.directory import working_directory
    from bubble.system.pool import may_link

    source = find(options.source, context, "clone")
    cwd = working_directory(context.env.get("PWD", ""))
    path = os.path.normpath(os.path.join(cwd, os.path.expanduser(options.target)))
    if is_path(options.target) and os.path.basename(path) == DEFAULT:
        require_narrow(
            os.path.dirname(path),
            context.env,
            f"give the clone a name: bubble clone {quoted(options.source)} NAME",
        )
    with context.output.working(f"cloning {source.title}"):
        links = bool(may_link(context.layout, context.env))
        made = clone(source, options.target, cwd, context.layout, links=links)
    context.renew_shims([made.environment.path])
    environment, files = made.environment, made.files
    return Outcome(
        data={
            "name": environment.name or None,
            "path": environment.path,
            "source": source.path,
            "files": {"cloned": files.cloned, "copied": files.copied, "linked": files.linked},
        },
        warnings=(*dangers(environment.path), *warnings_of(environment)),
        lines=(f"cloned {source.title} to {environment.title}",),
    )

"""`bubble which`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble which python", "the file that `python` runs here"),
    ("bubble which pip", "or any other command"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("command", metavar="CMD", help="a command's name")


def execute(options: Namespace, context: Context) -> Outcome:
    """Print the path."""
    from bubble.selection.commands import command_path, require_name
    from bubble.selection.reached import shadow, warning
    from bubble.selection.resolve import select
    from bubble.selection.worktree import warning as worktree_warning

    name = options.command
    require_name(name)
    world = context.world()
    selection = select(world)
    path = command_path(name, selection, world)
    other = shadow(name, path, world)
    return Outcome(
        data={"path": path, "source": str(selection.source), "shadowed_by": other or None},
        lines=(path,),
        warnings=(*warning(name, other, world), *worktree_warning(selection.source, world)),
    )

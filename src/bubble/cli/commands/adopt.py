"""`bubble adopt`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble adopt .venv", "what uv, venv or another tool made for this project"),
    ("bubble adopt ~/.virtualenvs/site", "an environment anywhere"),
    ("bubble adopt ~/.virtualenvs/site --name site", "and use it by a name"),
)
DETAILS = (
    "It gets a mark by which it is known (.bubble-adopted), and is else as it was: the shims use\n"
    "it in its project's directory, and bubble list shows it. It belongs to the tool that made\n"
    "it, and bubble remove only forgets it. A .venv that isn't what its directory's files ask\n"
    "for is refused, unless it gets a name."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directory", metavar="DIR", help="an environment, or a project with .venv")
    parser.add_argument("--name", metavar="NAME", default="", help="what to call it from now on")


def execute(options: Namespace, context: Context) -> Outcome:
    """Register it."""
    from bubble.envs.knowing.locate import DEFAULT, of_path
    from bubble.envs.making.adopt import adopt, examine, is_stranded
    from bubble.envs.making.wanted import require_narrow, require_wanted
    from bubble.selection.answers import quoted

    world = context.world()
    path = examine(options.directory, world.cwd, world.layout)
    known = of_path(path, world.layout)
    named = options.name or (known is not None and known.path == path and known.name)
    if not named and os.path.basename(path) == DEFAULT:
        hint = f"know it by a name: bubble adopt {quoted(printable(path))} --name NAME"
        require_narrow(os.path.dirname(path), world.env, hint)
        require_wanted(path, world)
    environment = adopt(options.directory, world.cwd, world.layout, options.name)
    context.renew_shims([environment.path])
    return Outcome(
        data={
            "path": environment.path,
            "name": environment.name or None,
            "project": environment.project or None,
            "interpreter": environment.interpreter or None,
            "maker": environment.maker,
        },
        lines=(f"adopted {environment.path}, which {environment.maker} made",),
        notes=(f"its interpreter is gone: bubble repair {quoted(printable(environment.path))}",)
        if is_stranded(environment.path, world.layout)
        else (),
    )

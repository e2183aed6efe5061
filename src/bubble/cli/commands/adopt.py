"""`bubble adopt`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble adopt .venv", "what uv, venv or another tool made for this project"),
    ("bubble adopt ~/.virtualenvs/site", "an environment anywhere"),
    ("bubble adopt ~/.virtualenvs/site --name site", "and use it by a name"),
)
DETAILS = (
    "Nothing in it is changed: the shims use it in its project's directory, and bubble list shows\n"
    "it. It belongs to the tool that made it, and bubble remove only forgets it."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("directory", metavar="DIR", help="an environment, or a project with .venv")
    parser.add_argument("--name", metavar="NAME", default="", help="what to call it from now on")


def execute(options: Namespace, context: Context) -> Outcome:
    """Register it."""
    from bubble.envs.adopt import adopt
    from bubble.system.directory import working_directory

    cwd = working_directory(context.env.get("PWD", ""))
    environment = adopt(options.directory, cwd, context.layout, options.name)
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
    )

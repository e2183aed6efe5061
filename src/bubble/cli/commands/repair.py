"""`bubble repair`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble repair", "this directory's, after the project was moved or copied"),
    ("bubble repair train", "a named one, whose interpreter is gone"),
)
DETAILS = (
    "An environment whose interpreter is gone gets the newest installed one that satisfies what\n"
    "it was made for. Its packages stay; if only another minor version satisfies it, they are\n"
    "installed anew, checkouts in it go along, and the old environment is kept until the new one\n"
    "works. An editable install that only its own build backend can mend is named."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("env", metavar="ENV", nargs="?", default="", help="a name or a path")
    parser.add_argument(
        "--installer", metavar="WHICH", choices=("pip", "uv"), default="", help="pip or uv"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Mend it."""
    from bubble.envs.changing.repair import repair
    from bubble.envs.knowing.editables import warnings_of
    from bubble.projects.running import require_made

    show = not context.output.json
    world = context.world()
    require_made(options.env, world, "repair")
    repaired = repair(options.env, world, installer=options.installer, show=show)
    context.renew_shims()
    environment = repaired.environment
    return Outcome(
        data={
            "name": environment.name or None,
            "path": environment.path,
            "interpreter": environment.interpreter,
            "done": list(repaired.done),
        },
        lines=tuple(f"{environment.title}: {phrase}" for phrase in repaired.done),
        warnings=(*repaired.left, *warnings_of(environment)),
        notes=() if repaired.done else (f"{environment.title} needs nothing",),
    )

"""`bubble activate`: the shell function does it; the program says how to get that."""

from __future__ import annotations

from bubble.cli.commands.shell import no_function
from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble activate", "the environment of this directory, if bubble knows it"),
    ("bubble activate web", "a bubble of this project, or a named environment"),
    ("bubble activate ./tools/env", "any other, by its path"),
    ("bubble deactivate", "take it back"),
)
DETAILS = (
    "The shell's function does it: see bubble init --help. What you name is entered without a\n"
    "process, and at your word; what lies here, only if it was made or adopted here."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    import argparse

    parser.add_argument(
        "environment", metavar="ENV", nargs="?", default="", help="a bubble, a name or a path"
    )
    # the function's own question: what to enter where nothing was named, or a project may name it
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)


def execute(options: Namespace, context: Context) -> Outcome:
    """Say which environment the function shall enter here, or what is missing."""
    if not options.check:
        raise no_function("activate")
    path = _named(options.environment, context) if options.environment else _here(context)
    return Outcome(data={"path": path}, lines=(path,))


def _named(text: str, context: Context) -> str:
    """Return the path of the environment that somebody names in a project."""
    from bubble.projects.running import environment_for
    from bubble.selection.answers import require_whole

    found = environment_for(text, context.world(), "activate")
    require_whole(found, context.layout)
    return found.path


def _here(context: Context) -> str:
    """Return the path of the environment that is selected here, on the store's word alone."""
    import os

    from bubble.envs.knowing.here import located
    from bubble.envs.knowing.locate import unregistered
    from bubble.selection.answers import require_whole
    from bubble.selection.belonging import environment_of, inside

    world = context.world()
    path = inside(world.cwd)
    if not os.path.isfile(f"{path}/pyvenv.cfg"):
        found = located("", world)  # by its name, or above
        require_whole(found, world.layout)
        return found.path
    own = environment_of(world.layout, world.cwd)
    if own is None:
        raise unregistered(path, world.layout)
    require_whole(own, world.layout, path)
    return own.path

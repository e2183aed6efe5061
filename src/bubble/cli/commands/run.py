"""`bubble run`."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.cli.context import Context, Outcome
    from bubble.selection.resolve import World

EXAMPLES = (
    ("bubble run train python train.py", "a command in a named environment"),
    ("bubble run .venv pytest -x", "in this project's"),
    ("bubble run --sync train python train.py", "in a bubble of this project, synced before"),
)
DETAILS = (
    "A bubble of the project comes before an environment of the same name for the whole machine,\n"
    "which its path still means (bubble list shows it)."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    import argparse

    parser.add_argument(
        "--sync", action="store_true", help="make the bubble what its lock says before"
    )
    parser.add_argument("environment", metavar="ENV", help="a bubble, a name or a path")
    parser.add_argument(
        "command", metavar="CMD", nargs=argparse.REMAINDER, help="the command and its arguments"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Become the command."""
    from bubble.envs.run import run
    from bubble.projects.running import environment_for

    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not words:
        raise BubbleError("usage", "say which command to run", hint="bubble run --help")
    world = context.world()
    if options.sync:
        _sync(options.environment, context, world)
    run(environment_for(options.environment, world), words, world)


def _sync(name: str, context: Context, world: World) -> None:
    """Make a bubble what its lock says, and tell what was done: stdout is the command's."""
    from bubble.cli.commands.sync import told
    from bubble.projects.locate import bubble_of, project_of
    from bubble.projects.sync import SAME, sync_bubble

    if not os.geteuid():
        from bubble.cli.root import require_own_home

        require_own_home("sync", [name], world.layout, context.env)
    project = project_of(world.cwd, world.env.get("HOME", ""))
    progress = context.output.progress()
    done = sync_bubble(project, bubble_of(project, name), world, progress, show=True)
    context.output.end_progress()
    if done.status != SAME:
        context.renew_shims([done.path])
        for line in told(done):
            context.output.note(line)

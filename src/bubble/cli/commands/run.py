"""`bubble run`."""

from __future__ import annotations

import os

from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import NoReturn

    from bubble.cli.context import Context, Outcome
    from bubble.projects.scripts.source import Script
    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World
    from bubble.system.layout import Layout

EXAMPLES = (
    ("bubble run train python train.py", "a command in a named environment"),
    ("bubble run .venv pytest -x", "in this project's"),
    ("bubble run --sync train python train.py", "in a bubble of this project, synced before"),
    ("bubble run report.py --week 12", "a script, with the packages that it says it needs"),
    ("bubble run --locked report.py", "only as its lock has it: report.py.lock"),
    ("bubble run --env-file .env train python -V", "with what a file of variables says"),
)
DETAILS = (
    "A script is a file whose name ends in .py, any other file that is written with a /, and -\n"
    "for the standard input. What a block “# /// script” in it asks for (PEP 723) is made once,\n"
    "and found again; without one, it runs with the Python that this directory selects.\n\n"
    "A bubble of the project comes before an environment of the same name for the whole machine,\n"
    "which its path still means (bubble list shows it).\n\n"
    "No file of variables is read unless --env-file names it; what is set already stays, and of\n"
    "several files the last one counts."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--sync", action="store_true", help="make the bubble what its lock says before"
    )
    parser.add_argument(
        "--locked", action="store_true", help="of a script: fail where its lock is missing or stale"
    )
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        action="append",
        default=[],
        help="variables for the command, from NAME=VALUE lines (repeatable)",
    )
    parser.add_argument(
        "environment", metavar="ENV|FILE", help="a bubble, a name, a path, or a script"
    )
    parser.add_argument(
        "command",
        metavar="CMD",
        nargs="...",  # argparse.REMAINDER, which isn't imported for everyday calls
        help="the command and its arguments; of a script, its arguments",
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Become the command."""
    from bubble.projects.scripts.source import is_script

    context.output.json = options.json  # one that stands behind ENV is the command's own
    context = _with_variables(options.env_file, context)
    if is_script(options.environment, lambda name: _is_environment(name, context)):
        _run_script(options.environment, options.command, options, context)
    from bubble.envs.run import run
    from bubble.projects.running import environment_for

    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    world = context.world()
    if not words:
        hint = _meant(options.environment, words, world) or "bubble run --help"
        raise BubbleError("usage", "say which command to run", hint=hint)
    if options.sync:
        _sync(options.environment, context, world)
    try:
        environment = environment_for(options.environment, world, "run")
    except BubbleError as error:
        hint = _meant(options.environment, words, world)
        # a bubble that isn't made yet, or an environment that is broken, has its own next step
        if not hint or error.kind != "no_environment":
            raise
        raise error.replace_hint(hint) from None
    run(environment, words, world)


def _with_variables(files: Sequence[str], context: Context) -> Context:
    """Return the context with what files of variables say where the environment says nothing."""
    if not files:
        return context
    from bubble.system.env_file import read_env_file

    said: dict[str, str] = {}
    for path in files:
        said |= read_env_file(os.path.abspath(os.path.expanduser(path)))
    return context.replace(env={**said, **context.env})


def _meant(name: str, words: Sequence[str], world: World) -> str:
    """Return the hint for a command in the place of an environment, as uv and poetry have it."""
    import shlex

    from bubble.selection.path import find_system
    from bubble.selection.registry import called, of_directory

    if "/" in name or name.startswith(".") or called(world.layout, name):
        return ""
    own = of_directory(world.layout, world.cwd)
    is_command = name.startswith("python") or (
        os.path.exists(f"{own.path}/bin/{name}")
        if own
        else os.path.exists(f"{world.layout.shims}/{name}")
        or find_system(name, world.env, world.layout)
    )
    if not is_command:
        return ""
    line = printable(shlex.join([name, *words]), 200)
    return f"in this project's: bubble run .venv {line}; those that there are: bubble list"


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
    with context.output.working(f"sync {printable(name)}"):
        done = sync_bubble(project, bubble_of(project, name), world, progress, show=True)
    context.output.end_progress()
    if done.status != SAME:
        context.renew_shims([done.path])
        for line in told(done):
            context.output.note(line)


def _is_environment(name: str, context: Context) -> bool:
    from bubble.selection.registry import called

    return called(context.layout, name) is not None


def _run_script(
    word: str, arguments: Sequence[str], options: Namespace, context: Context
) -> NoReturn:
    """Become the interpreter of a script's environment, with the script."""
    from bubble.projects.scripts.memos import found_again
    from bubble.projects.scripts.running import become
    from bubble.projects.scripts.source import STDIN, hand_on, read_script
    from bubble.system.directory import working_directory

    cwd = working_directory(context.env.get("PWD", ""))
    script, data = read_script(word, cwd)
    if word == STDIN:
        hand_on(data)
    if script is None:
        _run_plain(["python", word, *arguments], options, context)
    environment = None
    if script.lock is not None or not options.locked:
        environment = found_again(script, context.layout)
    if environment is not None and word != STDIN:
        leave_shortcut(script, environment, word, cwd, context.layout)
    become(environment or _made(script, options, context), word, arguments, context)


def leave_shortcut(
    script: Script, environment: Environment, word: str, cwd: str, layout: Layout
) -> None:
    """Leave what `bubble` among the shims needs to run a script that was found again by itself."""
    from bubble.projects.scripts.memos import found_again
    from bubble.projects.scripts.source import read_script
    from bubble.projects.shortcuts import leave_run

    def again() -> bool:
        now, _ = read_script(word, cwd)
        return now == script and found_again(script, layout) == environment

    leave_run(layout, os.path.normpath(os.path.join(cwd, word)), script, environment, again)


def _made(script: Script, options: Namespace, context: Context) -> Environment:
    """Return the environment of a script that nothing is remembered of, and tell what was done."""
    from bubble.cli.locked import told
    from bubble.projects.scripts.prepare import prepare

    if not os.geteuid():
        from bubble.cli.root import refuse_anothers_home

        words = [options.environment, *options.command]
        refuse_anothers_home("run", words, context.layout, context.env)
    output = context.output
    done = prepare(
        script,
        context.world(),
        output.progress(),
        locked=options.locked,
        show=not output.json,
    )
    for line in told(done.locked) if done.locked else ():
        output.note(line)
    return done.environment


def _run_plain(words: list[str], options: Namespace, context: Context) -> NoReturn:
    """Become the Python that the directory selects, with a script that asks for nothing.

    Where nothing selects one, it is the newest that is installed, as for a new environment.
    """
    from bubble.cli.commands.exec_ import perform
    from bubble.selection.answers import an_installed
    from bubble.selection.sources import choose

    if options.locked:
        from bubble.projects.scripts.source import no_metadata

        raise no_metadata(words[1])
    world = context.world()
    chosen = choose(world.cwd, world.env, world.layout).source.kind != "default"
    raise SystemExit(perform(words, "" if chosen else an_installed(world, ""), context))

"""`bubble use`, and `local` and `global` for pyenv's hands."""

from __future__ import annotations

import os
from shlex import quote

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from bubble.model.request import Request
    from bubble.selection.resolve import World

EXAMPLES = (
    ("bubble use 3.12", "this directory and those below it"),
    ("bubble use 3.12 3.11", "several: the first that has a command runs it"),
    ("bubble use 3.12 --install", "and install it if it is missing"),
    ("bubble use 3.12 --global", "wherever nothing else says anything"),
    ("bubble use --global", "print what is chosen there; system where nothing is"),
    ("bubble use --unset", "take this directory's choice back"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("requests", metavar="REQUEST", nargs="*", help="which Python")
    parser.add_argument("--global", dest="everywhere", action="store_true", help="the global pin")
    parser.add_argument("--install", action="store_true", help="install what is missing")
    parser.add_argument("--force", action="store_true", help="write it even if it is missing")
    parser.add_argument("--unset", action="store_true", help="remove the choice")


def execute(options: Namespace, context: Context) -> Outcome:
    """Write the choice, after making sure that it is installed."""
    from bubble.model.request import parse_request
    from bubble.selection.memos import leave_here
    from bubble.selection.pin import pin, unpin
    from bubble.system.version_file import read_python_version

    world = context.world()
    if not options.everywhere and not world.cwd:
        raise BubbleError("io", "the working directory was deleted", hint="cd somewhere else")
    path = (
        world.layout.global_pin
        if options.everywhere
        else f"{world.cwd.rstrip('/')}/.python-version"
    )
    if options.unset:
        if options.requests:
            raise BubbleError("usage", "--unset takes no request", hint="bubble use --help")
        gone = unpin(path)
        leave_here(world)
        return Outcome(
            data={"path": path, "removed": gone},
            notes=(f"{'removed' if gone else 'there is no'} {printable(path, 500)}",),
        )
    if not options.requests:
        written = read_python_version(path)
        if written or options.everywhere:  # as pyenv's local and global answer
            texts = [printable(entry.text) for entry in written or ()] or ["system"]
            return Outcome(data={"path": path, "requests": texts}, lines=tuple(texts))
        raise BubbleError(
            "usage",
            "say which Python to use",
            hint="for example: bubble use 3.12; the present choice: bubble current",
        )
    # asdf's `global python 3.12`; two requests of it would be the newest Python, then 3.12
    if options.requests[0].lower() in {"python", "cpython"} and options.requests[1:]:
        word = options.requests[0]
        context.output.note(f"{word} is the tool's name in asdf; here, what follows is enough")
        options.requests = options.requests[1:]
    requests = [parse_request(text) for text in options.requests]
    if not options.force:
        for request in requests:
            _require_installed(request, context, options)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    pinned = pin(path, requests)
    warnings = (*pinned.warnings, *_what_overrules(pinned.path, world), *_what_comes_first(world))
    leave_here(world)
    return Outcome(
        data={
            "path": pinned.path,
            "requests": list(pinned.texts),
            "warnings": list(warnings),
        },
        notes=(f"wrote {', '.join(pinned.texts)} to {printable(pinned.path, 500)}",),
        warnings=warnings,
    )


def _what_overrules(path: str, world: World) -> Iterator[str]:
    """Say what makes the choice that was just written not count in this directory."""
    from bubble.selection.resolve import select
    from bubble.selection.sources import choose

    try:
        source = choose(world.cwd, world.env, world.layout).source
    except BubbleError as error:
        yield f"it doesn't count here: {error.message}"
        return
    if source.kind == "environment":
        try:
            select(world)
        except BubbleError as error:
            yield f"{error.message}; {error.hint}"
    elif not source.path or os.path.realpath(source.path) != os.path.realpath(path):
        yield f"it doesn't count here: {source} overrules it"


def _what_comes_first(world: World) -> tuple[str, ...]:
    """Say what this shell runs whatever is chosen here: an active environment above all."""
    from bubble.selection.reached import shadow_of, warning
    from bubble.selection.resolve import select

    try:
        return warning("python", shadow_of(select(world), world), world)
    except BubbleError:
        return ()  # `--force`: it isn't there


def _require_installed(request: Request, context: Context, options: Namespace) -> None:
    from bubble.pythons.installed import store

    if request.kind == "system":
        return
    if request.kind == "path":
        return  # refused by the pin, which says why
    if request.kind == "name":
        from bubble.envs.knowing.bubbles import of_project
        from bubble.selection.registry import called

        world = context.world()
        if of_project(request.text, world.cwd, context.layout):
            raise BubbleError(
                "request",
                f"“{request}” is a bubble of this project: which directories have it, its manifest "
                "says, and a .python-version would say nothing elsewhere",
                hint=f'directories = ["…"] in the manifest; for this shell: bubble shell {request}',
            )
        if called(context.layout, request.text):
            return
        raise BubbleError(
            "request",
            f"“{request}” is no Python version and no environment that is known here",
            hint="for an environment's name: bubble list; for Pythons: bubble python list",
        )
    machine = context.machine()
    if store.matching(machine.layout, request, machine.platform):
        return
    from bubble.cli.bringing import bring, may_bring

    if not may_bring(request, context, asked_for=options.install):
        words = [*(["--global"] if options.everywhere else []), *map(quote, options.requests)]
        raise store.not_installed(machine.layout, request, machine.platform).replace_hint(
            f"bubble use {' '.join(map(printable, words))} --install"
        )
    bring(request, context)

"""`bubble create`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.pythons.store import Installation
    from bubble.selection.resolve import World

EXAMPLES = (
    ("bubble create", "this project's .venv, with the Python that the directory selects"),
    ("bubble create -r requirements.txt", "and its packages"),
    ("bubble create train -p 3.12 -r requirements.txt", "a named one, for the whole machine"),
    ("bubble create --force", "anew; the old one is kept until the new one works"),
)
DETAILS = (
    "The shims use a project's environment in its directory, without activation. Made for\n"
    "3.12, it follows patch upgrades; made for 3.12.4, it stays with that build."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="default: .venv here")
    parser.add_argument("packages", metavar="PACKAGE", nargs="*", help="what to install in it")
    parser.add_argument("-p", "--python", metavar="REQUEST", default="", help="which Python")
    parser.add_argument(
        "-r", "--requirements", metavar="FILE", action="append", default=[],
        help="what to install: requirements, or a lock file pylock.toml (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--with", dest="extra", metavar="PACKAGE", action="append", default=[],
        help="a package for this project's environment (repeatable)",
    )  # fmt: skip
    parser.add_argument("--no-pip", action="store_true", help="leave pip out")
    parser.add_argument("--system-site-packages", action="store_true", help="see the base's, too")
    parser.add_argument(
        "--prompt", metavar="TEXT", default="", help="what activation shows (default: the name)"
    )
    parser.add_argument(
        "--installer", metavar="WHICH", choices=("pip", "uv"), default="", help="pip or uv"
    )
    parser.add_argument("--force", action="store_true", help="replace what bubble made there")


def execute(options: Namespace, context: Context) -> Outcome:
    """Make it."""
    from bubble.envs.make import Plan, make
    from bubble.envs.place import dangers

    world = context.world()
    if not world.cwd:
        raise BubbleError("io", "the working directory was deleted", hint="cd somewhere else")
    name = _name(options.name)
    path = f"{world.layout.envs}/{name}" if name else f"{world.cwd.rstrip('/')}/.venv"
    installation, request, exact = _installation(options.python, world)
    arguments = [*options.packages, *options.extra]
    for file in options.requirements:
        if not os.path.isfile(file):
            raise BubbleError(
                "usage", f"there is no file {printable(file, 500)}", hint="check the path"
            )
        arguments += ["-r", os.path.abspath(file)]
    environment = make(
        Plan(
            path=path,
            name=name,
            project="" if name else world.cwd,
            installation=installation,
            request=request,
            exact=exact,
            prompt=options.prompt,
            pip=not options.no_pip,
            system_site_packages=options.system_site_packages,
            force=options.force,
            arguments=tuple(arguments),
            installer=options.installer,
        ),
        world,
        show=not context.output.json,
    )
    context.renew_shims([environment.path])
    title = environment.title
    return Outcome(
        data={
            "name": environment.name or None,
            "path": environment.path,
            "python": str(installation.key),
            "executable": f"{environment.path}/bin/python",
        },
        lines=(environment.path,),
        warnings=dangers(environment.path),
        notes=(
            f"made {title} with {installation.key.name}",
            f"enter it: bubble activate {name}" if name else "the shims use it in this directory",
        ),
    )


def _name(text: str) -> str:
    """Return a name that can be one; say where a Python or a package in its place belongs."""
    from bubble.model.name import require_name

    try:
        return require_name(text) if text else ""
    except BubbleError as error:
        from shlex import quote

        from bubble.model.request import parse_request

        shown = quote(printable(text))
        if text[0].isalnum() and any(character in text for character in "=<>~!@[;"):
            raise error.replace_hint(
                f"as a package for this project's: bubble create --with {shown}"
            ) from None
        if text[0] in ".~" or "/" in text:
            raise error.replace_hint(
                "a project's own takes no name; there: bubble create"
            ) from None
        try:
            is_python = parse_request(text).is_python
        except BubbleError:
            raise error from None
        if is_python:
            raise error.replace_hint(f"with that Python: bubble create -p {shown}") from None
        raise


def _installation(text: str, world: World) -> tuple[Installation, str, bool]:
    """Return the interpreter to use, the request it stands for, and whether that is exact."""
    from bubble.model.request import parse_request
    from bubble.pythons import store

    asked = text
    if not asked:
        from bubble.selection.base import selected_request

        asked = selected_request(world)
    request = parse_request(asked)
    if request.kind == "path" or not request.is_python:
        raise BubbleError(
            "request",
            f"an environment is made against an installed Python, not “{request}”",
            hint="bubble create -p 3.12; for one of yours: bubble python adopt PATH",
        )
    installation = store.find(world.layout, request, world.platform)
    return installation, asked, request.is_exact

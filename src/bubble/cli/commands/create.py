"""`bubble create`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError
from bubble.model.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence

EXAMPLES = (
    ("bubble create", "this project's .venv, with the Python that the directory selects"),
    ("bubble create -r requirements.txt", "and its packages"),
    ("bubble create -e '.[dev]'", "and this project itself, to work on it"),
    ("bubble create train -p 3.12 -r requirements.txt", "a named one, for the whole machine"),
    ("bubble create web -p 3.12 --install --activate", "install 3.12 if missing, and enter it"),
    ("bubble create --script report.py", "what a script asks for; prints the path, for an editor"),
    ("bubble create --force", "anew; the old one is kept until the new one works"),
)
DETAILS = (
    "The shims use a project's environment in its directory, without activation. Made for\n"
    "3.12, it follows patch upgrades; made for 3.12.4, it stays with that build."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.flags import HIDDEN, add_yes

    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="default: .venv here")
    parser.add_argument("packages", metavar="PACKAGE", nargs="*", help="what to install in it")
    parser.add_argument("-p", "--python", metavar="REQUEST", default="", help="which Python")
    parser.add_argument("--install", action="store_true", help="install that Python if missing")
    parser.add_argument(
        "-r", "--requirements", metavar="FILE", action="append", default=[],
        help="what to install: requirements, or a lock file pylock.toml; - is stdin (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "-c", "--constraints", metavar="FILE", action="append", default=[],
        help="versions that what is installed must have (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "-e", "--editable", metavar="PROJECT", action="append", default=[],
        help="a project to work on: -e . is this one, -e '.[dev]' with its extra (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--with", dest="extra", metavar="PACKAGE", action="append", default=[],
        help="a package for this project's environment (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--script", metavar="FILE", default="",
        help="the environment that a script shares with others of its needs, or a named copy",
    )  # fmt: skip
    parser.add_argument("--no-pip", action="store_true", help="leave pip out")
    parser.add_argument(
        "--no-default-packages", action="store_true", help="leave out what your settings add"
    )
    parser.add_argument(
        "--activate", action="store_true", help="and enter it: for the function that init makes"
    )
    # the function's own: that it does so
    parser.add_argument("--entered", action="store_true", help=HIDDEN)
    parser.add_argument("--system-site-packages", action="store_true", help="see the base's, too")
    parser.add_argument(
        "--prompt", metavar="TEXT", default="", help="what activation shows (default: the name)"
    )
    parser.add_argument(
        "--installer", metavar="WHICH", choices=("pip", "uv"), default="", help="pip or uv"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="throw away what bubble made there, with its packages; on a terminal it asks",
    )
    parser.add_argument(
        "--here", action="store_true", help="also in HOME or /, for every directory below"
    )
    add_yes(parser)


def execute(options: Namespace, context: Context) -> Outcome:
    """Make it."""
    from bubble.cli import meant
    from bubble.envs.knowing.placing import dangers
    from bubble.envs.making.make import Plan, make

    world = context.world()
    if not world.cwd:
        raise BubbleError("io", "the working directory was deleted", hint="cd somewhere else")
    if options.script:
        from bubble.cli import scripts

        return scripts.create(options, context)
    meant.take_conda_words(options, context)
    name = meant.name_of(options.name)
    path = f"{world.layout.envs}/{name}" if name else f"{world.cwd.rstrip('/')}/.venv"
    if not (name or options.here):
        meant.require_a_project(world)
    installation, request, exact = meant.installation_of(options, context, world)
    defaults = _defaults(options, context)
    arguments, contents = _asked(options, world.cwd, defaults)
    if not os.path.lexists(path):
        for note in meant.other_meaning(options, world):
            context.output.note(note)
    before = meant.to_be_lost(path, options, context)
    with context.output.working(f"making {printable(path)}"):
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
                arguments=arguments,
                contents=contents,
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
        warnings=(*dangers(environment.path), *meant.what_was_lost(before, environment.path)),
        notes=(
            f"made {title} with {installation.key.name}",
            *_entering(options, environment.path, context),
        ),
    )


def _entering(options: Namespace, path: str, context: Context) -> tuple[str, ...]:
    """Return how to get into what was made, unless the shell's function goes there now."""
    if options.activate and not options.entered:
        shell, line = _by_hand(path, context.env)
        whose = (
            f"{shell} can't do it for --activate"
            if shell
            else "--activate is for the function of bubble init --install"
        )
        return (f"{whose}; by hand: {line}",)
    if options.activate:
        return ()
    name = options.name
    return (f"enter it: bubble activate {name}" if name else "the shims use it in this directory",)


def _by_hand(path: str, env: Mapping[str, str]) -> tuple[str, str]:
    """Return the shell that nobody enters an environment for, or "", and the line that does it."""
    import shlex

    from bubble.model.quoting import quoted

    bin_directory = f"{path}/bin"
    if env.get("NU_VERSION"):
        return "nushell", f"overlay use {quoted(f'{bin_directory}/activate.nu', 'nu')}"
    if env.get("PSModulePath"):
        return "PowerShell", f". {quoted(f'{bin_directory}/Activate.ps1', 'pwsh')}"
    if os.path.basename(env.get("SHELL", "")) == "fish":
        return "", f". {quoted(f'{bin_directory}/activate.fish', 'fish')}"
    return "", f". {shlex.quote(f'{bin_directory}/activate')}"


def _defaults(options: Namespace, context: Context) -> tuple[str, ...]:
    """Return what the user wants in every new environment, and say so."""
    found = context.configuration.texts("default-packages") if context.configuration else ()
    if not found or options.no_pip or options.no_default_packages:
        return ()
    from bubble.envs.exchange.pylock import is_lock

    if any(is_lock(file) for file in options.requirements):  # which is a whole
        return ()
    from bubble.model.text import few

    context.output.note(f"with your default packages: {few(found)}")
    return found


def _asked(
    options: Namespace, cwd: str, defaults: Sequence[str]
) -> tuple[tuple[str, ...], tuple[tuple[str, bytes], ...]]:
    """Return what the installer is to get; nothing is imported for an environment without it."""
    packages = [*options.packages, *options.extra, *defaults]
    if not (packages or options.requirements or options.constraints or options.editable):
        return (), ()
    from bubble.envs.making.requirements import gather

    asked = gather(
        packages,
        cwd,
        requirements=options.requirements,
        constraints=options.constraints,
        editables=options.editable,
    )
    return asked.arguments, asked.contents

"""`bubble completions`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ('eval "$(bubble completions bash)"', "in ~/.bashrc; bubble init has them already"),
    ("bubble completions zsh > ~/.zfunc/_bubble", "a directory of zsh's fpath"),
    ("bubble completions fish > ~/.config/fish/completions/bubble.fish", "loaded when needed"),
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.selection.shell import WITH_COMPLETIONS

    parser.add_argument(
        "shell", metavar="SHELL", nargs="?", default="", help=", ".join(WITH_COMPLETIONS),
        choices=("", *WITH_COMPLETIONS),
    )  # fmt: skip
    parser.add_argument(
        "--bubbles", action="store_true", help="the names that this project's bubbles have"
    )
    parser.add_argument(
        "--installable", action="store_true", help="the versions that the catalogue has, offline"
    )


def execute(options: Namespace, context: Context) -> Outcome:
    """Print the code, or what it asks for."""
    from bubble.cli.completions import completions
    from bubble.selection.shell import WITH_COMPLETIONS

    if options.bubbles:
        from bubble.projects.locate import project_of

        world = context.world()
        project = project_of(world.cwd, world.env.get("HOME", ""))
        names = tuple(bubble.name for bubble in project.bubbles)
        return Outcome(data={"bubbles": list(names)}, lines=names)
    if options.installable:
        versions = _installable(context)
        return Outcome(data={"installable": list(versions)}, lines=versions)
    if not options.shell:
        shells = ", ".join(WITH_COMPLETIONS)
        raise BubbleError("usage", "say for which shell", hint=f"one of {shells}")
    code = completions(options.shell, context.layout)
    return Outcome(data={"shell": options.shell, "code": code}, lines=(code.rstrip("\n"),))


def _installable(context: Context) -> tuple[str, ...]:
    """Return minors, then versions, as `python install` takes them; the network isn't asked."""
    from bubble.pythons.catalogue import open_catalogue

    catalogue = open_catalogue(context.layout, {**context.env, "BUBBLE_OFFLINE": "1"})
    platform = context.platform()
    minors = [download.key.minor for download in catalogue.newest(platform)]
    every = [
        download.key.name.removeprefix("cpython-")
        for download in catalogue.downloads(platform)
        if download.is_installable
    ]
    return tuple(dict.fromkeys([*minors, *every]))

"""`bubble remove`."""

from __future__ import annotations

import os

from bubble.cli.context import Context, Outcome
from bubble.model.errors import BubbleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from bubble.selection.registry import Environment
    from bubble.selection.resolve import World

EXAMPLES = (
    ("bubble remove train", "a named environment"),
    ("bubble remove .venv", "this project's"),
)
DETAILS = (
    "On a terminal it asks first. Of what another tool made only the record goes. Somebody's work\n"
    "in it (a checkout in src with changes that weren't committed and pushed) goes only with --yes."
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.flags import add_yes

    parser.add_argument("environments", metavar="ENV", nargs="+", help="a name or a path")
    add_yes(parser)


def execute(options: Namespace, context: Context) -> Outcome:
    """Remove each, and say what is gone."""
    from bubble.envs.discarding.remove import remove
    from bubble.envs.knowing.working_trees import told, unsaved_in
    from bubble.projects.running import require_made

    world = context.world()
    for text in options.environments:
        require_made(text, world, "remove")
    found = [_located(text, world) for text in options.environments]
    asks = context.output.may_ask and not options.yes  # who is asked, is told all of it
    where = (context.env, world.layout)
    if goes := [e for e in found if e.maker == "bubble" and os.path.isdir(e.path)]:
        said = ", ".join(f"{e.title} ({_packages(e.path)})" for e in goes)
        if asks and (trees := [t for e in goes for t in unsaved_in(e.path, *where)]):
            said += f", with somebody's work: {told(trees)}"
        context.require_agreement(f"this throws away {said}", given=options.yes)
    removed = []
    errors: list[BubbleError] = []
    for environment in found:
        try:
            remove(
                environment,
                world.layout,
                env=context.env,
                discard=options.yes or asks,
                also=lambda it: _let_go(it, context),
            )
            removed.append(environment)
        except BubbleError as error:
            errors.append(error)
    if removed:
        context.renew_shims()
    return Outcome(
        data=[{"name": e.name or None, "path": e.path} for e in removed],
        lines=tuple(f"removed {e.title}" for e in removed),
        errors=tuple(errors),
    )


def _located(text: str, world: World) -> Environment:
    """Return the environment that is meant; lead right who names a package, as uv's remove does."""
    from bubble.envs.exchange.export import distributions
    from bubble.envs.knowing.locate import locate_itself
    from bubble.selection.registry import of_directory

    try:
        return locate_itself(text, world.cwd, world.layout)
    except BubbleError as error:
        own = of_directory(world.layout, world.cwd) if error.kind == "no_environment" else None
        if not own or text.lower() not in {d.canonical for d in distributions(own.path)}:
            raise
        hint = f"this project's package: bubble run .venv pip uninstall {text}"
        raise error.replace_hint(hint) from None


def _let_go(environment: Environment, context: Context) -> None:
    """Take away what leads to an environment: its Jupyter kernels, a project's links to it."""
    from bubble.envs.kernel import remove_kernels
    from bubble.envs.knowing.placing import bubble_at

    remove_kernels(environment, context.env)
    place = bubble_at(environment.path)
    root = place[0] if place else environment.project
    if root:
        from bubble.projects.links import drop_links

        drop_links(environment, root, context.layout)


def _packages(path: str) -> str:
    from bubble.envs.exchange.export import distributions

    count = len(distributions(path))
    return f"{count} package" + "s" * (count != 1)

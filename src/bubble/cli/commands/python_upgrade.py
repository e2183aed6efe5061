"""`bubble python upgrade`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = (
    ("bubble python upgrade", "each installed minor to its newest patch release"),
    ("bubble python upgrade 3.12", "one minor"),
    ("bubble python upgrade --prune", "and remove the older patch releases"),
)
DETAILS = (
    "The older patch release stays until it is uninstalled or pruned. Environments that were made\n"
    "for 3.12, and not for 3.12.4, follow at once. Adopted interpreters are left to whoever\n"
    "installed them."
)
JSON = "{installed, removed, carried_along}: lists of keys, and of environments' paths"


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.arguments import add_yes

    parser.add_argument("minors", metavar="MINOR", nargs="*", help="which (default: all)")
    parser.add_argument("--prune", action="store_true", help="remove the older patch releases")
    add_yes(parser)


def execute(options: Namespace, context: Context) -> Outcome:
    """Upgrade, and say what changed."""
    from bubble.envs.users import carried_along, held
    from bubble.model.request import parse_request
    from bubble.pythons.upkeep import upgrade

    if options.prune:
        context.require_agreement(
            "this removes the older patch releases that no environment is bound to",
            given=options.yes,
        )
    minors = [parse_request(text) for text in options.minors]
    machine = context.machine()
    batch, removed = upgrade(
        minors,
        machine,
        context.output.progress(),
        prune=options.prune,
        keep=held(machine.layout),
    )
    carried = carried_along([i.installation for i in batch.installed], machine.layout)
    context.renew_shims()
    idle = not (batch.installed or batch.errors or removed)
    return Outcome(
        data={
            "installed": [str(i.installation.key) for i in batch.installed],
            "removed": [str(i.key) for i in removed],
            "carried_along": [e.path for e in carried],
        },
        lines=(
            *(f"installed {i.installation.key.name}" for i in batch.installed),
            *(f"{e.title} uses it now" for e in carried),
            *(f"removed {i.key.name}" for i in removed),
        ),
        notes=(_idle(context),) if idle else (),
        warnings=(batch.warning,) if batch.warning else (),
        errors=batch.errors,
    )


def _idle(context: Context) -> str:
    from bubble.pythons.store import installations

    if not installations(context.layout):
        return "no Python is installed: there is nothing to upgrade"
    return "everything is up to date"

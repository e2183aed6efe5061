"""`bubble python upgrade`."""

from __future__ import annotations

from bubble.cli.context import Context, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from bubble.envs.knowing.users import Use

EXAMPLES = (
    ("bubble python upgrade", "each installed minor to its newest patch release"),
    ("bubble python upgrade 3.12", "one minor"),
    ("bubble python upgrade --prune", "and remove the older patch releases"),
)
DETAILS = (
    "The older patch release stays until it is uninstalled or pruned. Environments that were made\n"
    "for 3.12, and not for 3.12.4, follow at once. Adopted interpreters are left to whoever\n"
    "installed them. A process that runs in such an environment goes on with the old interpreter\n"
    "and imports from the new one's library: restart it; it is named where that can be known.\n"
    "--prune leaves what is in use: by an environment, a version file of a known\n"
    "directory, the global pin, a running process or bubble itself."
)
JSON = (
    "{installed, removed, carried_along, running, kept}: keys, keys, environments' paths, "
    "processes that run an older patch, {key, used_by}"
)


def define(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    from bubble.cli.flags import add_yes

    parser.add_argument("minors", metavar="MINOR", nargs="*", help="which (default: all)")
    parser.add_argument(
        "--prune", action="store_true", help="remove the older patch releases that nothing uses"
    )
    add_yes(parser)


def execute(options: Namespace, context: Context) -> Outcome:
    """Upgrade, and say what changed."""
    from bubble.envs.knowing.users import Users, carried_along, left_behind
    from bubble.model.request import parse_request
    from bubble.model.text import few
    from bubble.pythons.installed.upkeep import upgrade

    if options.prune:
        context.require_agreement(
            "this removes the older patch releases that nothing uses",
            given=options.yes,
        )
    minors = [parse_request(text) for text in options.minors]
    machine = context.machine()
    prune = Users(machine, context.world().cwd).of if options.prune else None
    done = upgrade(minors, machine, context.output.progress(), prune=prune)
    batch, removed = done.batch, done.removed
    carried = carried_along([i.installation for i in batch.installed], machine.layout)
    if batch.installed:
        from bubble.cli.system import compile_for_all

        compile_for_all([i.installation for i in batch.installed], context)
    behind = left_behind([i.installation for i in batch.installed], machine.layout)
    context.renew_shims()
    idle = not (batch.installed or batch.errors or removed)
    return Outcome(
        data={
            "installed": [str(i.installation.key) for i in batch.installed],
            "removed": [str(i.key) for i in removed],
            "carried_along": [e.path for e in carried],
            "running": [use.who for use in behind],
            "kept": [{"key": str(i.key), "used_by": list(using)} for i, using in done.kept],
        },
        lines=(
            *(f"installed {i.installation.key.name}" for i in batch.installed),
            *(f"{e.title} uses it now" for e in carried),
            *(f"removed {i.key.name}" for i in removed),
        ),
        notes=(
            *(f"{i.key.name} stays: {few(using)} uses it" for i, using in done.kept),
            *((_idle(context),) if idle else ()),
        ),
        next_steps=_restart(behind),
        warnings=(batch.warning,) if batch.warning else (),
        errors=batch.errors,
    )


def _restart(behind: Sequence[Use]) -> tuple[str, ...]:
    from bubble.model.text import few

    if not behind:
        return ()
    who = few([use.who for use in behind])
    return (f"restart what runs the old one, or it may import from the new one: {who}",)


def _idle(context: Context) -> str:
    from bubble.pythons.installed.store import installations

    if not installations(context.layout):
        return "no Python is installed: there is nothing to upgrade"
    return "everything is up to date"
